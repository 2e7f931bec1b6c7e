"""Results as HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from multillm.markup import facts_html, html_table, message_html, prose_html

if TYPE_CHECKING:
    from multillm.backends import BackendStatus
    from multillm.completion import Completion
    from multillm.orchestration.results import RunResult, SubTaskResult
    from multillm.policy import Policy
    from multillm.pool import Pool
    from multillm.registry import ModelSpec
    from multillm.router import RoutingDecision
    from multillm.tasks import TaskProfile
    from multillm.tuning import TunedPolicy

__all__ = [
    "completion_html",
    "decision_html",
    "models_html",
    "policy_html",
    "pool_html",
    "profile_html",
    "result_html",
    "run_html",
    "status_html",
    "tuned_html",
]

MOST_SIGNALS = 8


def profile_html(profile: TaskProfile) -> str:
    """Type and complexity of a sub-task, and the signals that weighed most."""
    facts = {
        "type": profile.task_type,
        "confidence": profile.confidence,
        "complexity": f"{profile.complexity:.3f} {profile.tier}",
        "tokens, estimated": profile.input_tokens,
    }
    strongest = sorted(profile.signals.items(), key=lambda signal: (-abs(signal[1]), signal[0]))[:MOST_SIGNALS]
    signals = html_table(f"strongest of {len(profile.signals)} signals", ("signal", "weight"), strongest)
    return facts_html(profile.text, facts) + (f"\n{signals}" if strongest else "")


def decision_html(decision: RoutingDecision) -> str:
    """Every candidate of a decision with its figures and, if rejected, the reason."""
    rows = [(c.label, c.quality, c.cost, c.utility, decision.role(c), c.reason) for c in decision.candidates]
    chosen = [place for place, candidate in enumerate(decision.candidates) if candidate.label == decision.label]
    profile = decision.profile
    caption = (
        f"{profile.text} — {profile.task_type}, complexity {profile.complexity:.3f} {profile.tier}, "
        f"threshold {decision.threshold:.2f}, chosen by {decision.rule}"
    )
    return html_table(caption, ("label", "quality", "cost", "utility", "role", "reason"), rows, chosen)


def completion_html(completion: Completion) -> str:
    """What served, what it took, and the answer."""
    spent = {"waited": completion.queue_s, "loading": completion.load_s, "reading the prompt": completion.prompt_s,
             "writing": completion.generation_s}  # fmt: skip
    counted = "" if completion.tokens_measured else ", estimated"
    facts = {
        "answered by": f"{completion.label} on {completion.model}",
        "finish reason": completion.finish_reason,
        "fallback": completion.fallback_reason,
        "calls": len(completion.attempts),
        "failed calls": "; ".join(f"{a.label} on {a.model}: {a.error}" for a in completion.attempts if a.error),
        "latency": f"{completion.latency_s:.2f} s",
        "of which": ", ".join(f"{what} {seconds:.2f} s" for what, seconds in spent.items() if seconds is not None),
        f"tokens, read and written{counted}": f"{completion.input_tokens:,} and {completion.output_tokens:,}",
        "cost": f"{completion.cost_units:.6f} cost units",
        "cost, USD": None if completion.cost_usd is None else f"{completion.cost_usd:.6f}",
        "replayed": "yes" if completion.replayed else None,
    }
    return f"{facts_html(f'Completion of {completion.request.label}', facts)}\n{prose_html('answer', completion.text)}"


def result_html(result: SubTaskResult) -> str:
    """The decision, and the answer or why there is none."""
    outcome = completion_html(result.completion) if result.completion else message_html(f"failed: {result.error}")
    return f"{decision_html(result.decision)}\n{outcome}"


def run_html(result: RunResult) -> str:
    """The routing table of a run, and the merged answer as plain text to unfold."""
    rows = [
        (
            r.index + 1,
            r.decision.profile.text,
            r.decision.profile.task_type,
            f"{r.decision.profile.complexity:.3f} {r.decision.profile.tier}",
            r.decision.label,
            r.decision.utility,
            r.completion.label if r.completion else None,
            r.completion.output_tokens if r.completion else None,
            f"{r.completion.latency_s:.2f}" if r.completion else None,
            r.status if r.error is None else f"{r.status}: {r.error}",
        )
        for r in result.results
    ]
    columns = ("n", "sub-task", "type", "complexity", "label", "U", "served by", "tokens", "latency, s", "status")
    return f"{html_table(repr(result), columns, rows)}\n{prose_html('merged answer', result.merged)}"


def models_html(models: Iterable[ModelSpec], caption: str) -> str:
    """The models of a pool, a row each."""
    rows = [
        (
            spec.rank,
            spec.label,
            spec.model,
            f"{spec.cost_per_1k:g}",
            f"{spec.context_tokens:,}",
            f"{spec.quality.intercept:g} {'+' if spec.quality.slope >= 0 else '−'} {abs(spec.quality.slope):g} c",
            _types(spec),
        )
        for spec in models
    ]
    columns = ("rank", "label", "model", "cost units/1k tokens", "context, tokens", "quality at complexity c", "types")
    return html_table(caption, columns, rows)


def _types(spec: ModelSpec) -> str:
    kinds = sorted(spec.task_types)
    return "all" if kinds and len(kinds) == len(type(kinds[0])) else ", ".join(kinds)


def policy_html(policy: Policy, caption: str) -> str:
    """Thresholds and overrides, under the weights."""
    rows = [(str(kind), f"{level:.2f}", policy.overrides.get(kind, "")) for kind, level in policy.thresholds.items()]
    rows.append(("any other", f"{policy.default_threshold:.2f}", ""))
    return html_table(caption, ("task type", "least quality", "always goes to"), rows)


def pool_html(pool: Pool) -> str:
    """Models and policy."""
    said = message_html(pool.description) if pool.description else ""
    return f"{models_html(pool.registry, repr(pool))}\n{policy_html(pool.policy, repr(pool.policy))}\n{said}"


def status_html(status: BackendStatus) -> str:
    """What a backend found, what answers for each label, and how to mend what is missing."""
    mapping = html_table(f"{status.name}: {status.summary}", ("label", "answered by"), list(status.mapping.items()))
    remedies = "" if status.ready else message_html(f"To mend it: {'; '.join(status.remedies)}")
    return f"{mapping}\n{remedies}"


def tuned_html(tuned: TunedPolicy) -> str:
    """Fitted beside held-out figures, and the policy."""
    rows: Sequence[tuple[object, ...]] = [
        (f"mean cost per prompt, {tuned.cost_unit}", f"{tuned.fitted_cost:.4g}", format(tuned.cost, ".4g")),
        ("mean quality, 0..1", f"{tuned.fitted_quality:.3f}", format(tuned.quality)),
    ]
    figures = html_table(f"Tuned: {tuned.objective}", ("figure", "fitted", "held out"), rows)
    told = message_html("; ".join(f"{name}: {value}" for name, value in tuned.provenance.items()))
    return f"{figures}\n{policy_html(tuned.policy, repr(tuned.policy))}\n{told}"
