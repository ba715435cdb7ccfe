"""What each gate says when it passes and when it fails, as its page in docs/gates shows it: from runs, never by hand.

`MLGATES_TEST_WRITE_DOCS=1 pytest tests/plugin/test_gate_pages.py` writes the pages' output afresh. Gates whose figures
are times, or that need a cluster, a metrics server or a run of several versions, are shown without output.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mlrepo import BETTER, COPY, WORSE, Repo
from pytest_mlgates.cli import main
from pytest_mlgates.decision import GateOutcome
from pytest_mlgates.report.terminal import table
from pytest_mlgates.report.view import judgements
from pytest_mlgates.verdict import Verdict
from tests.docs.pages import blocks
from tests.serving.servers import better, score, serving

PAGES = Path(__file__).parents[2] / "docs" / "gates"
Prepare = Callable[[Repo], None]
JUNIT = '[[tool.mlgates.imported]]\nname = "unit tests"\nkind = "junit"\nfile = "junit.xml"\n'


def plain(gate: str, more: str = "", **keys: object) -> Prepare:
    """The core and this gate, with these settings."""
    return lambda repo: repo.settings(more, gates=["core", *([] if gate in CORE else [gate])], **keys)


CORE = ("golden_integrity", "is_new", "golden_regression", "bootstrap_auc")


def another_row(repo: Repo) -> None:
    plain("golden_integrity")(repo)
    with (repo.path / "golden.csv").open("a") as file:
        file.write("1500,s150,0,0,0,0,1\n")


def with_contract(repo: Repo) -> None:
    plain("golden_contract")(repo)
    assert main(["golden", "freeze", "--force"]) == 0


def contract_broken(repo: Repo) -> None:
    with_contract(repo)
    file = repo.path / "golden.contract.json"
    file.write_text(file.read_text().replace('"x1": {"kind": "number"', '"x1": {"kind": "integer"'))


def with_sex(of: Callable[[int, list[str]], str]) -> Prepare:
    """A column that the models do not receive, by row number and the row's fields."""

    def prepare(repo: Repo) -> None:
        def change(lines: list[str]) -> list[str]:
            head, *rows = lines
            return [f"{head},sex", *(f"{row},{of(place, row.split(','))}" for place, row in enumerate(rows))]

        repo.rewrite_golden(change)
        plain("fairness", ignore=["id", "sex"], sensitive=["sex"])(repo)

    return prepare


def junit(inside: str) -> Prepare:
    def prepare(repo: Repo) -> None:
        plain("imported", JUNIT)(repo)
        repo.write("junit.xml", f'<testsuite tests="1"><testcase name="test_price">{inside}</testcase></testsuite>')

    return prepare


#: Gate -> (settings in which it passes, in which it does not), and the challenger of the second where it is another.
SHOWN: dict[str, tuple[Prepare | None, Prepare | None]] = {
    "golden_integrity": (plain("golden_integrity"), another_row),
    "is_new": (plain("is_new"), plain("is_new", challenger=COPY)),
    "golden_regression": (plain("golden_regression"), plain("golden_regression", challenger=WORSE)),
    "bootstrap_auc": (plain("bootstrap_auc"), plain("bootstrap_auc", challenger=WORSE)),
    "slices": (
        plain("slices", "[tool.mlgates.slices]\nbins = {x1 = [0.0]}\nfound = 0\n"),
        plain("slices", "[tool.mlgates.slices]\nbins = {x1 = [0.0]}\nfound = 0\n", challenger=WORSE),
    ),
    "golden_validity": (
        plain("golden_validity"),
        plain("golden_validity", "[tool.mlgates.golden_validity]\nmax_feature_auc = 0.6\n"),
    ),
    "golden_contract": (with_contract, contract_broken),
    "card": (None, plain("card")),
    "fairness": (
        with_sex(lambda place, row: "fm"[place % 2]),
        with_sex(lambda place, row: "m" if float(row[2]) > 0 else "f"),
    ),
    "imported": (junit(""), junit('<failure message="expected 3, got 4"/>')),
    "regression_pairs": (
        plain("regression_pairs", "[tool.mlgates.regression_pairs]\nnegative_flips = 0.1\n"),
        plain("regression_pairs"),
    ),
    "lineage": (None, plain("lineage")),
}


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_a_page_shows_what_the_gate_says(name: str, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.path)
    page = PAGES / f"{name}.md"
    said = {}
    pristine = {file: (repo.path / file).read_bytes() for file in ("golden.csv", "golden.csv.dvc")}
    for mark, prepare in zip(("passing", "failing"), SHOWN[name], strict=True):
        if prepare is not None:
            repo.keys.pop("challenger", None)
            for file, data in pristine.items():
                (repo.path / file).write_bytes(data)
            prepare(repo)
            repo.run()
            said[mark] = shown(repo, name)
    assert "PASS" in said.get("passing", "PASS")
    assert any(verdict in said["failing"] for verdict in ("FAIL", "ERROR"))
    held(page, said)


@pytest.mark.parametrize("name", ["golden_record"])
def test_a_page_of_a_gate_that_asks_an_endpoint(name: str, repo: Repo) -> None:
    said = {}
    for mark, answers in (("passing", better), ("failing", score)):
        with serving(answers=answers) as served:
            plain(name, f'[tool.mlgates.endpoint]\nchallenger_url = "{served.url}"\n')(repo)
            repo.run()
        said[mark] = shown(repo, name)
    held(PAGES / f"{name}.md", said)


def shown(repo: Repo, name: str) -> str:
    """The lines of the table about one gate, as the terminal has them at 120 columns, and why it does not pass."""
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == name)
    outcome = GateOutcome(
        name=name,
        verdict=Verdict[gate["verdict"]],
        judgements=tuple(judgements(gate)),
        trouble=gate["trouble"],
        stage=gate["stage"],
        place="",
        seconds=0.0,
    )
    lines = [line.rstrip() for line, _ in table([outcome], {}, 120)]
    lines += ["", gate["sentence"]] if outcome.verdict is not Verdict.PASS else []
    return "\n".join(lines).replace(f"{repo.path}/", "") + "\n"


def held(page: Path, said: dict[str, str]) -> None:
    titles = {"passing": "It passes:", "failing": "It does not:"}
    if os.environ.get("MLGATES_TEST_WRITE_DOCS"):
        parts = [f"{titles[mark]}\n\n<!-- {mark} -->\n```text\n{text}```\n" for mark, text in said.items()]
        head = re.split(r"^## What it says\n", page.read_text(), flags=re.M)[0].rstrip()
        page.write_text(f"{head}\n\n## What it says\n\n" + "\n".join(parts))
    assert blocks(page.read_text()) == said


def test_the_models_shown_are_what_they_are_called() -> None:
    assert (BETTER, WORSE, COPY) == ("2", "3", "4")
