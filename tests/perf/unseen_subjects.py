"""Fit on some MMLU subjects, judge on all others: ``python tests/perf/unseen_subjects.py SUBJECTS.parquet ORIGIN``.

SUBJECTS is a wide table of RouteLLM's outcomes with some subjects, ORIGIN the origin's folder ``routellm/evals``. One
estimator judges all prompts, so there are no folds, and what it prints was not looked at while the estimator was made.
"""

from __future__ import annotations

import json
import sys

import numpy as np

import multillm as ml
from multillm.metrics import Estimate, apgr, cpt, resample

ROUTERS = (
    ml.LearnedQuality(),
    ml.PromptLength(),
    ml.NeighbourQuality(),
    ml.ClusterQuality(),
    ml.ReferenceComplexity(),
    ml.LiteLLMComplexity(),
)


def main(subjects: str, origin: str) -> None:
    """Print APGR and CPT of every router, and the learned one's difference to prompt length, as JSON."""
    given, every = (ml.load_outcomes("routellm", path).filter(task_types=["mmlu"]) for path in (subjects, origin))
    every = every.rename({model: name for model in every.models for name in given.models if name in model.lower()})
    known = every.prompts["group"].isin(given.prompts["group"]) | every.prompts["prompt"].isin(given.prompts["prompt"])
    new = every.take(~known.to_numpy(bool))
    weak, strong = (new.quality_matrix()[model].to_numpy(float) for model in given.models)
    counts = resample(len(new), 1000, np.random.default_rng(2), new.prompts["group"].to_numpy(str)).astype(float)
    found: dict[str, object] = {"n": len(new), "subjects": int(new.prompts["group"].nunique())}
    areas = {}
    for router in ROUTERS:
        expected = router.fit(given).predict(new.prompts)
        gain = (expected[given.models[1]] - expected[given.models[0]]).to_numpy(float)
        areas[str(router)] = apgr(gain, weak, strong, counts)
        shares = [round(float(cpt(gain, weak, strong, target)), 3) for target in (0.5, 0.8)]
        found[str(router)] = f"APGR {Estimate.of(areas[str(router)], len(new))}, CPT(50), CPT(80) {shares}"
    learned, length = (areas[str(router)] for router in ROUTERS[:2])
    found["learned less length"] = str(Estimate.of(learned - length, len(new)))
    means = new.prompts.assign(gain=strong - weak).groupby("group")["gain"].transform("mean").to_numpy(float)
    found["each subject's mean gain, in hindsight"] = f"APGR {Estimate.of(apgr(means, weak, strong, counts), len(new))}"
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
