"""Pools: shipped presets, files of the user's own, and what is said when they are wrong."""

from pathlib import Path

import pytest

import multillm as ml

MODEL = """
  - label: a
    rank: 1
    model: ollama_chat/a:1b
    cost_per_1k: 1.0
    context_tokens: 4096
    quality: {intercept: 0.9}
"""


def write(folder: Path, content: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(content)
    return path


@pytest.mark.parametrize("name", ml.pool_names())
def test_every_shipped_pool_is_valid_and_says_what_it_is_for(name: str) -> None:
    pool = ml.load_pool(name, environ={})
    assert pool.name == name
    assert pool.description
    ml.TaskRouter(pool.registry, pool.policy)


def test_the_same_pool_can_be_built_in_code(tmp_path: Path) -> None:
    read = ml.load_pool(write(tmp_path, f"models:{MODEL}"))
    spec = ml.ModelSpec(
        label="a", rank=1, model="ollama_chat/a:1b", cost_per_1k=1.0, context_tokens=4096,
        quality=ml.QualityCurve(intercept=0.9),
    )  # fmt: skip
    assert read == ml.Pool(name="mine", models=(spec,))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("models: []", r"models is \[\]: .*at least 1 item"),
        (f"models:{MODEL}modles: 3", r"modles is 3: Extra inputs are not permitted"),
        (f"models:{MODEL}".replace("1.0", "-1"), r"models\.0\.cost_per_1k is -1: .*greater than or equal to 0"),
        (f"models:{MODEL}".replace("0.9", ".nan"), r"models\.0\.quality\.intercept is nan: .*finite number"),
        (f"models:{MODEL}".replace("ollama_chat/a:1b", "a"), r"models\.0\.model is 'a': .*pattern"),
        (f"models:{MODEL}{MODEL}", r"label a stands more than once"),
        (f"models:{MODEL}policy: {{beta: -1}}", r"policy\.beta is -1"),
        (f"models:{MODEL}policy: {{thresholds: {{poetry: 0.5}}}}", r"policy\.thresholds\.poetry.*'documentation'"),
        (
            f"models:{MODEL}policy: {{overrides: {{reasoning: b}}}}",
            r"overrides\.reasoning is 'b'; allowed: heaviest, a",
        ),
        ("- a", r"holds a list; a pool is a mapping"),
        ("models: [", r"not readable as YAML"),
        ("models: !!python/object/apply:os.system ['true']", r"not readable as YAML"),
        ("extends: nowhere", r"no pool 'nowhere'; give the path of a YAML file or one of default, "),
    ],
)
def test_a_wrong_pool_file_is_refused_with_file_key_value_and_remedy(
    tmp_path: Path, content: str, message: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(ml.ConfigurationError, match=message) as caught:
        ml.load_pool(path, environ={})
    assert str(path) in str(caught.value) or "nowhere" in content


def test_a_pool_that_extends_itself_is_refused(tmp_path: Path) -> None:
    first = write(tmp_path, f"extends: {tmp_path}/b.yaml", "a.yaml")
    write(tmp_path, f"extends: {first}", "b.yaml")
    with pytest.raises(ml.ConfigurationError, match="extends leads back to itself"):
        ml.load_pool(first)


def test_an_extending_pool_gives_only_what_differs(tmp_path: Path) -> None:
    content = """
extends: reference
calls: {temperature: 0}
models:
  - {label: model::light, cost_per_1k: 0.01}
  - {label: extra, rank: 9, model: ollama_chat/x, cost_per_1k: 1, context_tokens: 9, quality: {intercept: 1}}
"""
    pool, base = ml.load_pool(write(tmp_path, content), environ={}), ml.load_pool("reference", environ={})
    assert pool.registry.labels == (*base.registry.labels, "extra")
    assert pool.registry["model::light"] == base.registry["model::light"].model_copy(update={"cost_per_1k": 0.01})
    assert pool.registry["model::heavy"] == base.registry["model::heavy"]
    assert pool.calls == base.calls.model_copy(update={"temperature": 0.0})
    assert (pool.name, pool.splitter) == ("mine", "reference")


def test_the_default_pool_keeps_the_reference_models_and_adds_a_cloud_fallback() -> None:
    default, reference = ml.load_pool("default", environ={}), ml.load_pool("reference", environ={})
    assert default.models[:4] == reference.models
    assert [spec.label for spec in default.models[4:] if spec.fallback_only] == ["model::cloud"]
    assert default.policy.output_budget == ml.OutputBudget()
    assert ml.TaskRouter(default.registry.usable({}), default.policy).registry.labels == reference.registry.labels


def test_an_environment_variable_points_a_label_elsewhere() -> None:
    registry = ml.load_pool("reference", environ={"LLM_LIGHT": "hf.co/acme/tiny:Q4"}).registry
    assert registry["model::light"].model == "ollama_chat/hf.co/acme/tiny:Q4"
    assert registry["model::heavy"].served_name == "mistral-small3.2:latest"


def test_a_model_is_usable_only_with_its_credentials() -> None:
    cloud = ml.ModelSpec(
        label="cloud", rank=2, model="watsonx/x/y", cost_per_1k=1, context_tokens=10,
        quality=ml.QualityCurve(intercept=1), credentials=("A_KEY", "A_URL"),
    )  # fmt: skip
    registry = ml.Registry(models=(*ml.load_pool("reference").models[:1], cloud))
    assert "cloud" not in registry.usable({"A_KEY": "k", "A_URL": ""})
    assert "cloud" in registry.usable({"A_KEY": "k", "A_URL": "u"})


def test_the_output_budget_follows_the_task_type_unless_told_to_follow_the_prompt() -> None:
    profile = ml.classify("Summarise the attached minutes of the meeting", "reference")
    assert ml.OutputBudget().tokens(profile) == 384
    assert ml.OutputBudget(prompt_multiple=3).tokens(profile) == 3 * profile.input_tokens
    assert ml.OutputBudget(prompt_multiple=300).tokens(profile) == 2048
