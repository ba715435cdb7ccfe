"""The gate `inference_hygiene` in a run, on torch models where torch is installed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlrepo import RAISES, Repo

with contextlib.suppress(ImportError):
    # Here, because pytester forgets what a test imports, and torch cannot be imported twice.
    import torch  # noqa: F401

pytestmark = pytest.mark.slow

GATES = ["core", "inference_hygiene"]
SCRIPT = """
import mlflow, torch
from mlflow.pyfunc import PythonModel

class Net(PythonModel):
    def __init__(self):
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 1))
        self.net.eval()
        self.past = []

    def predict(self, context, model_input, params=None):
        rows = torch.tensor(model_input.to_numpy("float32"))
        HOW

mlflow.models.set_model(Net())
"""
ANSWERED = "return torch.sigmoid(answer).detach().numpy().ravel()"
needs_torch = pytest.mark.skipif("torch" not in sys.modules, reason="torch is not installed")


NO_GRAD = "with torch.no_grad(): answer = self.net(rows)\n        "
HOW = {
    "clean": f"{NO_GRAD}{ANSWERED}",
    "graph": f"answer = self.net(rows)\n        {ANSWERED}",
    "training": f"self.net.train()\n        {NO_GRAD}{ANSWERED}",
    "backward": f"answer = self.net(rows)\n        answer.sum().backward()\n        {ANSWERED}",
    "keeps": f"{NO_GRAD}self.past.append(answer)\n        {ANSWERED}",
}


@pytest.fixture(scope="session")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model for each of HOW, a folder each; made before pytester forgets any import."""
    import mlflow.pyfunc

    folder = tmp_path_factory.mktemp("nets")
    for name, how in HOW.items():
        script = folder / f"{name}.py"
        script.write_text(SCRIPT.replace("HOW", how))
        mlflow.pyfunc.save_model(str(folder / name), python_model=str(script), pip_requirements=["mlflow"])
    return folder


@pytest.fixture
def judge(nets: Path, repo: Repo) -> Callable[..., dict[str, tuple[str, str]]]:
    """Measure -> (verdict, sentence) for the model that answers so."""

    def run(name: str, *args: str) -> dict[str, tuple[str, str]]:
        import mlflow

        client = mlflow.MlflowClient(f"sqlite:///{repo.path / 'mlflow.db'}")
        version = client.create_model_version("credit", str(nets / name)).version
        repo.settings(gates=GATES)
        repo.run("--mlgate-challenger", str(version), *args)
        rows = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "inference_hygiene")["judgements"]
        return {row["evidence"]["measure"]: (row["verdict"], row["evidence"]["details"]["reason"]) for row in rows}

    return run


Judge = Callable[..., dict[str, tuple[str, str]]]


@needs_torch
def test_a_model_that_answers_cleanly_passes(repo: Repo, judge: Judge, spread: list[str]) -> None:
    found = judge("clean", *spread)
    assert {name: verdict for name, (verdict, _) in found.items()} == dict.fromkeys(
        [
            "eval mode",
            "no gradient graph",
            "no gradients",
            "nothing changes",
            "no growing number of tensors",
            "no growing number of objects",
        ],
        "PASS",
    )
    repo.on_page("inference_hygiene", "passing", exact=False)


@needs_torch
@pytest.mark.parametrize(
    ("how", "measure", "sentence"),
    [
        ("graph", "no gradient graph", "Sequential builds a gradient graph"),
        ("training", "eval mode", "Sequential in training mode while it answers"),
        ("training", "nothing changes", "Sequential[0].1.running_mean"),
        ("backward", "no gradients", "Sequential.0.weight"),
        ("keeps", "no growing number of tensors", "1 tensors are left behind by each answer"),
    ],
)
def test_what_a_careless_model_does_is_named(repo: Repo, judge: Judge, how: str, measure: str, sentence: str) -> None:
    verdict, said = judge(how)[measure]
    assert verdict == "FAIL"
    assert said.startswith(sentence)
    if how == "graph":
        repo.on_page("inference_hygiene", "failing", exact=False)


def test_a_model_without_torch_is_an_error(repo: Repo) -> None:
    repo.settings(gates=GATES)
    repo.run()
    verdict, said = repo.said_of("inference_hygiene")
    assert verdict == "ERROR"
    assert said.startswith("inference_hygiene is about torch models: challenger credit v2 ")
    assert "torch" in said.removeprefix("inference_hygiene is about torch models")


def test_a_model_that_cannot_answer_is_an_error(repo: Repo) -> None:
    repo.settings(gates=GATES)
    repo.run("--mlgate-challenger", RAISES)
    assert repo.verdicts()["inference_hygiene"] == "ERROR"
