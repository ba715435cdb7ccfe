"""What every `Registry` promises."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

import pytest

from pytest_mlgates.adapters.mlflow.registry import MlflowRegistry
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.ports import Registry, Version


@pytest.fixture
def registry(registry_uri: str, tmp_path: Path) -> Registry:
    return MlflowRegistry(registry_uri, "credit", tmp_path / "cache")


def number(registry: Registry, reference: str) -> str | None:
    found = registry.find(reference)
    return found and found.number


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("champion", "1"),
        ("3", "3"),
        ("models:/credit/3", "3"),
        ("models:/credit@challenger", "2"),
        ("nobody", None),
        ("99", None),
        ("models:/credit@nobody", None),
        ("stage:Production", None),
        ("runs:/0123/model", None),
    ],
)
def test_a_reference_means_a_version_or_nothing(registry: Registry, reference: str, expected: str | None) -> None:
    assert number(registry, reference) == expected


def test_a_version_carries_its_tags_its_source_and_its_run(registry: Registry) -> None:
    version = registry.find("2")
    assert version is not None
    assert (version.model, version.number, dict(version.tags)) == ("credit", "2", {"recipe": "better"})
    assert version.run_id
    assert version.source
    assert number(registry, f"runs:/{version.run_id}/model") == "2"


@pytest.mark.parametrize("reference", ["champion", "3", "stage:Production", "runs:/0123/model"])
def test_a_model_that_does_not_exist_is_a_usage_error_with_a_guess(
    registry_uri: str, tmp_path: Path, reference: str
) -> None:
    registry = MlflowRegistry(registry_uri, "kredit", tmp_path)
    with pytest.raises(UsageError, match=r"no registered model 'kredit' .*: did you mean 'credit'\?"):
        registry.find(reference)


@pytest.mark.parametrize("reference", ["models:/other/1", "models:/other@champion"])
def test_another_model_is_a_usage_error(registry: Registry, reference: str) -> None:
    with pytest.raises(UsageError, match="names the model 'other', but the settings judge 'credit'"):
        registry.find(reference)


def test_a_malformed_uri_is_a_usage_error(registry: Registry) -> None:
    with pytest.raises(UsageError, match="write models:/credit/NUMBER or models:/credit@ALIAS"):
        registry.find("models:/credit/latest")


def test_references_are_what_find_answers_to(registry: Registry) -> None:
    references = registry.references()
    assert references == ["challenger", "champion", *map(str, range(1, 13))]
    assert all(registry.find(reference) for reference in references)


def test_an_alias_moves_and_reads_back(registry: Registry) -> None:
    better = registry.find("2")
    assert better is not None
    for _ in range(2):  # moving it where it is already is fine
        registry.point("champion", better)
        assert number(registry, "champion") == "2"


def test_a_new_alias_is_made(registry: Registry) -> None:
    first = registry.find("1")
    assert first is not None
    registry.point("former-champion", first)
    assert number(registry, "former-champion") == "1"


def test_a_stage_has_one_version(registry: Registry) -> None:
    for reference in ("1", "2"):
        version = registry.find(reference)
        assert version is not None
        registry.point("stage:Production", version)
        assert number(registry, "stage:Production") == reference


def test_tags_are_written_over_and_beside_what_is_there(registry: Registry) -> None:
    version = registry.find("3")
    assert version is not None
    registry.tag(version, {"a": "1", "b": "x\ny 'é'"})
    registry.tag(version, {"a": "2"})
    again = registry.find("3")
    assert again is not None
    assert dict(again.tags) == {"recipe": "worse", "a": "2", "b": "x\ny 'é'"}


def test_the_files_of_a_version_are_a_logged_model(registry: Registry) -> None:
    for reference in ("1", "2"):
        version = registry.find(reference)
        assert version is not None
        assert (registry.files(version) / "MLmodel").is_file()


def test_files_that_are_no_model_could_not_be_evaluated(registry: Registry, template: Path, tmp_path: Path) -> None:
    version = registry.find("5")
    assert version is not None
    moved = template / "models" / "barely" / "MLmodel"
    shutil.move(moved, tmp_path / "MLmodel")
    try:
        with pytest.raises(CouldNotEvaluate):
            registry.files(version)
    finally:
        shutil.move(tmp_path / "MLmodel", moved)


@pytest.fixture
def tracked(registry: Registry, registry_uri: str, tmp_path: Path) -> Version:
    """A version with a run of its own, whose artifacts the server keeps, or a folder where there is no server."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(registry_uri, registry_uri)
    place = (tmp_path / "artifacts").as_uri() if registry_uri.startswith("sqlite") else None
    run = client.create_run(client.create_experiment(uuid.uuid4().hex, artifact_location=place))
    assert run.info.artifact_uri.startswith(place or "mlflow-artifacts:/")
    made = client.create_model_version(
        "credit", f"{run.info.artifact_uri}/model", run.info.run_id, await_creation_for=0
    )
    found = registry.find(str(made.version))
    assert found is not None
    return found


def test_texts_are_kept_with_the_run_and_come_back(registry: Registry, tracked: Version) -> None:
    assert registry.attached(tracked, "card.md") is None
    texts = {"card.md": "# größe\n\n| a |\n", "evidence.json": '{"a": "\N{SNOWMAN}"}'}
    registry.attach(tracked, texts)
    assert {name: registry.attached(tracked, name) for name in texts} == texts
    registry.attach(tracked, {"card.md": "newer"})
    assert registry.attached(tracked, "card.md") == "newer"
    assert registry.attached(tracked, "other.md") is None


def test_a_version_without_a_run_keeps_nothing(registry: Registry) -> None:
    version = registry.find("3")
    assert version is not None
    with pytest.raises(CouldNotEvaluate, match="v3 was registered without a run, so nothing can be kept with it"):
        registry.attach(version, {"card.md": "text"})
    assert registry.attached(version, "card.md") is None


def test_the_environment_stays_as_the_caller_has_it(
    registry_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("MLFLOW_HTTP"):
            monkeypatch.delenv(name)
    before = dict(os.environ)
    registry = MlflowRegistry(registry_uri, "credit", tmp_path)
    assert number(registry, "champion") == "1"
    assert os.environ == before


def test_trouble_is_one_sentence_and_names_the_registry(sqlite_uri: str, tmp_path: Path) -> None:
    registry = MlflowRegistry(sqlite_uri, "credit", tmp_path)
    version = registry.find("1")
    assert version is not None
    (tmp_path / "mlflow.db").write_bytes(b"no tables" * 1000)
    for act in (
        lambda: registry.find("champion"),
        registry.references,
        lambda: registry.point("champion", version),
        lambda: registry.tag(version, {"a": "b"}),
    ):
        with pytest.raises(
            CouldNotEvaluate, match=r"^the registry sqlite:///.*mlflow\.db did not answer while "
        ) as trouble:
            act()
        assert "\n" not in str(trouble.value)


def test_an_alias_that_is_removed_means_nothing_and_the_others_stay(registry: Registry) -> None:
    version = registry.find("3")
    assert version is not None
    registry.point("drill", version)
    assert number(registry, "drill") == "3"
    registry.unpoint("drill")
    assert number(registry, "drill") is None
    assert number(registry, "champion") == "1"
