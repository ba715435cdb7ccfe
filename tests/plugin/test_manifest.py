"""The gate `manifest` in a run: range, kill switches, top features, additivity, limits, and what moved.

The challenger is the linear model whose inputs weigh 1, 0.2, -0.6 and nothing, on inputs that vary alike.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlrepo import RAISES, WORSE, Repo
from pytest_mlgates.cli import main

GATES = ["core", "manifest"]
EXPLAINED = """\
mlgates_manifest: 1
model: credit
output: {low: 0.0, high: 1.0}
explanation: {top: [x1, x3, x2], rows: 200}
shares: {x2: 0.2}
"""
Judge = Callable[..., Any]


@pytest.fixture
def judge(repo: Repo) -> Judge:
    def run(manifest: str, *args: str, version: str = WORSE, more: str = "") -> Any:
        repo.write("manifest.yaml", manifest)
        repo.settings(f"[tool.mlgates.manifest]\n{more}", gates=GATES)
        return repo.run("--mlgate-challenger", version, *args)

    return run


def figures(repo: Repo) -> dict[str, tuple[str, Any]]:
    """Measure -> (verdict, evidence)."""
    rows = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "manifest")["judgements"]
    return {row["evidence"]["measure"]: (row["verdict"], row["evidence"]) for row in rows}


@pytest.mark.slow
def test_a_model_that_is_as_it_says_passes(repo: Repo, judge: Judge, spread: list[str]) -> None:
    run = judge(EXPLAINED, *spread, more='plot = "shares.svg"')
    found = figures(repo)
    assert {name: verdict for name, (verdict, _) in found.items()} == {
        "output in range": "PASS",
        "top features agree": "PASS",
        "additivity gap": "PASS",
        "values asked again differ by": "PASS",
        "share of the explanation": "PASS",
        "explanation moved": "PASS",
    }, run.text
    agreement = found["top features agree"][1]
    assert (agreement["value"], agreement["n"]) == (1.0, 200)
    assert agreement["interval"]["method"] == "bootstrap over rows"
    assert agreement["details"]["measured"] == ["x1", "x3", "x2"]
    assert agreement["details"]["explained"].startswith("linear SHAP of 200 of 1500 golden rows, ")
    shares = agreement["details"]["shares"]
    assert shares["x1"] == pytest.approx(1 / 1.8, abs=0.06)
    assert shares["x3"] == pytest.approx(0.6 / 1.8, abs=0.06)
    gap = found["additivity gap"][1]
    assert gap["value"] < 1e-12
    assert gap["details"]["scale"] == "log-odds"
    # The champion leans on x1 and x2 by 1 and 0.6: x3's third of the explanation has come from there.
    moved = found["explanation moved"][1]
    assert moved["value"] == pytest.approx(1 / 3, abs=0.06)
    assert moved["details"]["reason"].startswith("most: x3 0.0% to 3")
    assert (repo.path / "shares.svg").read_text().startswith("<?xml")
    repo.on_page("manifest", "passing", exact=False)


def test_other_top_features_than_declared_fail_and_a_share_beyond_its_limit_too(repo: Repo, judge: Judge) -> None:
    told = EXPLAINED.replace("[x1, x3, x2]", "[x4, x2, x3]").replace("x2: 0.2", "x3: 0.1")
    assert judge(told, more="moved = 0.1").ret == 1
    found = figures(repo)
    assert found["top features agree"][0] == "FAIL"
    assert found["share of the explanation"][0] == "FAIL"
    assert found["share of the explanation"][1]["where"] == "x3"
    assert found["explanation moved"][0] == "FAIL"
    assert found["additivity gap"][0] == "PASS"
    repo.on_page("manifest", "failing", exact=False)


def test_answers_outside_the_declared_range_fail(repo: Repo, judge: Judge) -> None:
    judge("mlgates_manifest: 1\noutput: {low: 0.2, high: 0.8}\n")
    verdict, evidence = figures(repo)["output in range"]
    assert verdict == "FAIL"
    assert evidence["details"]["reason"].endswith("the manifest declares 0.2 to 0.8")
    # And without an explanation the gate cannot pass.
    assert figures(repo)["top features agree"][0] == "INCONCLUSIVE"


def test_a_kill_switch_that_does_nothing_fails(repo: Repo, judge: Judge) -> None:
    told = "mlgates_manifest: 1\noutput: {low: 0, high: 1}\nkill_switch:\n  - {when: {x1: {above: 9}}, answer: 0.0}\n"
    judge(told)
    verdict, evidence = figures(repo)["kill switch holds"]
    assert verdict == "FAIL"
    assert "kill switch 1: x1: 5 of 5 rows that meet it are not refused or answered 0, but [0." in str(evidence)


def test_a_kill_switch_that_refuses_holds(repo: Repo, judge: Judge) -> None:
    judge("mlgates_manifest: 1\noutput: {low: 0, high: 1}\nkill_switch:\n  - when: {x1: {missing: true}}\n")
    assert figures(repo)["kill switch holds"][0] == "PASS"


@pytest.mark.parametrize(
    ("manifest", "version", "sentence"),
    [
        (
            EXPLAINED.replace("rows: 200", "method: tree"),
            WORSE,
            "credit v3 could not be explained: challenger credit v3",
        ),
        (EXPLAINED.replace("x2: 0.2", "x9: 0.2"), WORSE, "shares in manifest.yaml names 'x9', which the models do not"),
        (EXPLAINED, RAISES, "challenger credit v6 raised RuntimeError: the feature store is down"),
        ("mlgates_manifest: 3\n", WORSE, "is a manifest of version 3, and this pytest-mlgates reads versions up to 1"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_explained_or_read_is_an_error(
    repo: Repo, judge: Judge, manifest: str, version: str, sentence: str
) -> None:
    run = judge(manifest, version=version)
    assert run.ret in (1, 10)
    assert repo.verdicts()["manifest"] == "ERROR"
    assert sentence in run.text


def test_without_a_manifest_the_error_says_how_to_get_one(repo: Repo) -> None:
    repo.settings(gates=GATES)
    repo.run()
    assert repo.said_of("manifest") == (
        "ERROR",
        "there is no manifest manifest.yaml (default): run `mlgates manifest`, look at what it wrote, and commit it",
    )


@pytest.mark.slow
def test_the_draft_passes_its_own_gate_and_is_not_written_over(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.settings(gates=GATES, sensitive=["x4"])
    monkeypatch.chdir(repo.path)
    assert main(["manifest", WORSE]) == 0
    said = capsys.readouterr().out
    assert "manifest.yaml from credit v3: linear SHAP of 500 of 1500 golden rows, " in said
    assert "(no baseline is kept with its run)\nlook at every line, then commit it" in said
    text = (repo.path / "manifest.yaml").read_text()
    assert "  top: [x1, x3, x2, x4]" in text
    assert "  x4: 0.01  # 0.0% now" in text
    repo.run("--mlgate-challenger", WORSE)
    assert repo.verdicts()["manifest"] == "PASS"
    assert main(["manifest", WORSE]) == 2
    assert "exists already: edit it there, or replace it with --force" in capsys.readouterr().err


OWN = """
import mlflow, numpy as np
from mlflow.pyfunc import PythonModel

class Own(PythonModel):
    def predict(self, context, model_input, params=None):
        return 1 / (1 + np.exp(-2 * model_input["x1"].to_numpy() - model_input["x3"].to_numpy()))

mlflow.models.set_model(Own())
"""


@pytest.fixture(scope="session")
def own_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pyfunc model of a person's own: any function of its inputs. Made before pytester forgets any import."""
    import mlflow.pyfunc

    folder = tmp_path_factory.mktemp("own")
    (folder / "own.py").write_text(OWN)
    mlflow.pyfunc.save_model(str(folder / "own"), python_model=str(folder / "own.py"), pip_requirements=["mlflow"])
    return folder / "own"


@pytest.mark.long
def test_other_models_are_explained_by_permutation(own_model: Path, repo: Repo, judge: Judge) -> None:
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{repo.path / 'mlflow.db'}")
    version = client.create_model_version("credit", str(own_model)).version
    told = EXPLAINED.replace("[x1, x3, x2], rows: 200", "[x1, x3], rows: 30, background: 10")
    judge(told, version=str(version))
    found = figures(repo)
    assert found["top features agree"][0] == "PASS"
    said = found["top features agree"][1]["details"]["explained"]
    assert said.startswith("permutation SHAP of 30 of 1500 golden rows")
    assert found["additivity gap"][0] == "PASS"
    assert found["additivity gap"][1]["details"]["scale"] == "answers"
    assert found["values asked again differ by"][0] == "PASS"
