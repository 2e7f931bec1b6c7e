"""The package's face: its public names, its light import, its two lists of dependencies."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import multillm as ml

ROOT = Path(__file__).parent.parent


def test_every_public_name_can_be_had() -> None:
    assert {name for name in dir(ml) if getattr(ml, name).__name__ != name} == set()


def test_the_names_that_users_build_on_stay() -> None:
    assert {
        "split", "classify", "split_and_classify", "TaskRouter", "Policy", "Registry", "ModelSpec", "ModelClient",
        "Orchestrator", "FeedbackStore", "load_pool", "RunResult", "RoutingDecision", "TaskProfile",
        "simulate", "Simulation", "Strategy", "Static", "EpsilonGreedy", "Thompson", "Refitted",
    } <= set(dir(ml))  # fmt: skip


def test_the_import_loads_nothing_heavy() -> None:
    heavy = {"litellm", "pandas", "numpy", "sklearn", "matplotlib", "sqlalchemy", "xllamacpp", "httpx"}
    code = f"import sys, multillm; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_conda_users_get_the_same_environment() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = next(entry for entry in listed if isinstance(entry, dict))["pip"]
    offered = {entry for entry in listed if isinstance(entry, str)} | set(by_pip)
    named = {"redis": "redis-py"}
    for requirement in wanted:
        name, extra, bounds = re.findall(r"^([\w-]+)(\[\w+\])?(.*)$", requirement)[0]
        assert {f"{named.get(name, name)}{bounds}", f"{name}{extra}{bounds}"} & offered, requirement
    assert f"python{project['requires-python']}" in offered


def test_the_lock_holds_every_dependency_and_no_address() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    lock = (ROOT / "requirements.lock").read_text()
    locked = {line.partition("==")[0].partition("[")[0] for line in lock.splitlines() if "==" in line}
    assert {requirement.partition(">")[0].partition("[")[0] for requirement in wanted} <= locked
    assert "://" not in lock


@pytest.mark.parametrize("path", sorted((ROOT / "multillm").rglob("*.py")), ids=lambda path: path.stem)
def test_no_file_is_longer_than_can_be_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 320
