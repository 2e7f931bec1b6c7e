"""Small pools for tests of clients and backends."""

from typing import Any

import multillm as ml


def small_pool(*names: str, calls: dict[str, Any] | None = None, **model: Any) -> ml.Pool:
    """A pool of Ollama models, each labelled like its model, lightest first."""
    models = tuple(
        ml.ModelSpec(
            **{
                "label": name,
                "model": f"ollama_chat/{name}",
                "rank": rank,
                "cost_per_1k": 0.1 * rank,
                "context_tokens": 16384,
                "quality": ml.QualityCurve(intercept=0.9),
                **model,
            }
        )
        for rank, name in enumerate(names, 1)
    )
    settings = ml.CallSettings(
        **{"num_retries": 0, "retry_wait_s": 0, "timeout_s": 5, "load_timeout_s": 0, **(calls or {})}
    )
    return ml.Pool(name="small", models=models, calls=settings)
