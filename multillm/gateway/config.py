"""Pool and policy as a config of LiteLLM's proxy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from multillm.backends import OllamaBackend
from multillm.gateway.plugins import AUTO, TIERS
from multillm.gateway.upward import upward_fallbacks
from multillm.pool import Pool
from multillm.registry import ModelSpec, Registry

__all__ = ["AUTHORIZATION", "AUTO", "PIPELINE", "proxy_config", "write_config"]

PIPELINE = "multillm"
"""Model of the proxy that is the whole pipeline."""
AUTHORIZATION = "OLLAMA_AUTHORIZATION"
"""Variable with the header for an Ollama server that wants user and password, which LiteLLM takes in no address."""
PARTS = "multillm_gateway"
REDIS = "os.environ/MULTILLM_REDIS_URL"

HEADER = """\
# LiteLLM's proxy over the pool {pool!r}:
#     litellm --config config.yaml --host 127.0.0.1
# {pipeline} splits a prompt and routes its parts; {auto} routes it as a whole; the other models are the pool's own.
# Prices are the pool's cost units, so that LiteLLM's spend and budgets are in cost units too.
# Set LITELLM_MASTER_KEY; MULTILLM_REDIS_URL to share cooldowns and usage with other gateways, MULTILLM_STORE to share
# feedback and budgets (a database's URL). Providers' own keys are read from the environment too, and for an Ollama
# server that wants user and password {authorization}: "Basic " and user:password in base64.
"""
MODULE = '''\
"""What config.yaml names by dotted path."""

from pathlib import Path

from multillm.gateway.parts import gateway_parts

parts = gateway_parts(Path(__file__).with_name("pool.yaml"))
pipeline, classifier, thresholds = parts.pipeline, parts.classifier, parts.thresholds
'''


def proxy_config(pool: Pool, environ: Mapping[str, str] = os.environ, *, models: bool = True) -> dict[str, Any]:
    """The config, as LiteLLM's proxy reads it from YAML.

    Parameters
    ----------
    pool : Pool
        What is to be served.
    environ : mapping, optional
        Environment variables of the place where it will run: which models have their credentials, where Ollama is.
    models : bool, default True
        Whether to offer the pool's models and the auto-router beside the pipeline; not possible where the pipeline
        runs the models itself, in its own process.

    Returns
    -------
    dict
        Sections of the config. Secrets stand in it as references to environment variables.
    """
    registry = pool.registry.usable(environ)
    offered = [_pipeline(pool)]
    router: dict[str, Any] = {"redis_url": REDIS, "num_retries": 0}
    if models:
        offered += [_auto(registry), *(_model(spec, pool, environ) for spec in registry)]
        router |= {
            "routing_strategy": "simple-shuffle",
            "timeout": pool.calls.timeout_s + pool.calls.load_timeout_s,
            "num_retries": pool.calls.num_retries,
            "retry_after": pool.calls.retry_wait_s,
            "allowed_fails": pool.calls.allowed_fails,
            "cooldown_time": pool.calls.cooldown_s,
            "fallbacks": [{label: targets} for label, targets in upward_fallbacks(registry, pool.policy).items()],
        }
    return {
        "model_list": offered,
        "router_settings": router,
        "litellm_settings": {
            "custom_provider_map": [{"provider": "multillm", "custom_handler": f"{PARTS}.pipeline"}],
        },
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY", "cancel_on_disconnect": True},
    }


def write_config(pool: Pool, folder: Path, environ: Mapping[str, str] = os.environ, *, models: bool = True) -> Path:
    """Write ``config.yaml``, the pool that it is made from, and the module that joins the two.

    Parameters
    ----------
    pool : Pool
        What is to be served.
    folder : Path
        Where to; made if it is not there.
    environ, models
        As for `proxy_config`.

    Returns
    -------
    Path
        The config.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yaml"
    header = HEADER.format(pool=pool.name, pipeline=PIPELINE, auto=AUTO, authorization=AUTHORIZATION)
    config.write_text(header + _yaml(proxy_config(pool, environ, models=models)), "utf-8")
    (folder / "pool.yaml").write_text(_yaml(pool.model_dump(mode="json")), "utf-8")
    (folder / f"{PARTS}.py").write_text(MODULE, "utf-8")
    return config


def _yaml(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _pipeline(pool: Pool) -> dict[str, Any]:
    """The pipeline, which retries, falls back and leaves out by itself."""
    return {
        "model_name": PIPELINE,
        "litellm_params": {"model": f"multillm/{pool.name}", "num_retries": 0, "cooldown_time": 0},
        "model_info": {"id": PIPELINE, "mode": "chat"},
    }


def _auto(registry: Registry) -> dict[str, Any]:
    labels = [spec.label for spec in registry if not spec.fallback_only]
    routing = {
        "classifier_type": "custom",
        "classifier_plugin": f"{PARTS}.classifier",
        "plugins": [f"{PARTS}.thresholds"],
        "tiers": {tier: list(labels) for tier in TIERS.values()},
        # LiteLLM looks every model up in its price map to compact long conversations, and fails for those not in it.
        "context_compaction": False,
    }
    params = {"model": "auto_router/complexity_router", "complexity_router_config": routing}
    return {"model_name": AUTO, "litellm_params": params, "model_info": {"id": AUTO, "mode": "chat"}}


def _model(spec: ModelSpec, pool: Pool, environ: Mapping[str, str]) -> dict[str, Any]:
    deployment = OllamaBackend(environ=environ).deployment(spec)
    params = deployment.litellm_params
    if "extra_headers" in params:
        params["extra_headers"] = {"Authorization": f"os.environ/{AUTHORIZATION}"}
    return {
        "model_name": spec.label,
        "litellm_params": {
            **params,
            "input_cost_per_token": 0.0,
            "output_cost_per_token": round(spec.cost_per_1k / 1000, 15),
            "max_parallel_requests": spec.max_parallel or pool.calls.max_parallel,
        },
        "model_info": {"id": spec.label, "mode": "chat", "max_input_tokens": spec.context_tokens},
    }
