"""What the config of LiteLLM's proxy names by dotted path."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from multillm.backends import Backend
from multillm.classification import get_classifier
from multillm.feedback import FeedbackStore
from multillm.gateway.pipeline import Pipeline
from multillm.gateway.plugins import Thresholds, TierClassifier
from multillm.orchestration.orchestrator import Orchestrator
from multillm.pool import Pool, load_pool
from multillm.router import TaskRouter

__all__ = ["NO_STORE", "GatewayParts", "gateway_parts"]

NO_STORE = "none"


class GatewayParts:
    """The pipeline as a custom provider, the classifier and the thresholds as plugins, for one pool.

    Parameters
    ----------
    pool : Pool
        Models, policy, call settings, limits.
    backend : str or Backend, optional
        Where the models run; default from ``MULTILLM_BACKEND``, else ``auto``.
    store : FeedbackStore or None, optional
        Where calls are recorded; default from ``MULTILLM_STORE``, see `store_of`.
    environ : mapping, optional
        Environment variables.

    Attributes
    ----------
    pipeline : Pipeline
        For ``litellm_settings.custom_provider_map``.
    classifier : TierClassifier
        For ``complexity_router_config.classifier_plugin``.
    thresholds : Thresholds
        For ``complexity_router_config.plugins``.
    """

    def __init__(
        self,
        pool: Pool,
        backend: str | Backend | None = None,
        store: FeedbackStore | Literal["default"] | None = "default",
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        backend = backend or environ.get("MULTILLM_BACKEND") or "auto"
        store = store_of(environ) if store == "default" else store
        self.pipeline = Pipeline(Orchestrator(pool, backend, store=store))
        classifier = get_classifier(pool.classifier)
        self.classifier = TierClassifier(classifier)
        self.thresholds = Thresholds(classifier, TaskRouter(pool.registry.usable(environ), pool.policy))


def store_of(environ: Mapping[str, str]) -> FeedbackStore | Literal["default"] | None:
    """The feedback store that ``MULTILLM_STORE`` names: a path or URL, ``none``, or the user's own if it is not set."""
    named = environ.get("MULTILLM_STORE")
    if not named:
        return "default"
    return None if named == NO_STORE else FeedbackStore(named)


@cache
def gateway_parts(pool: Path) -> GatewayParts:
    """The parts for a pool's file, made once however often LiteLLM runs the module that asks for them."""
    return GatewayParts(load_pool(pool))
