"""What each gate says when it passes and when it fails, as its page in docs/gates shows it: from runs, never by hand.

The gates that are not here are held by their own tests, which have just run them: `grep -r on_page tests/plugin`.
`MLGATES_TEST_WRITE_DOCS=1 pytest tests/plugin/test_gate_pages.py` writes the output of those that are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from gate_page import PAGES, PARTS

from liverepo import LIVE, promote
from mlrepo import BETTER, COPY, WORSE, Repo
from pytest_mlgates import shipped
from pytest_mlgates.adapters.serving.http_endpoint import HttpEndpoint
from pytest_mlgates.cli import main
from tests.docs.pages import blocks
from tests.load.servers import serving as load_server
from tests.load.servers import serving_all
from tests.serving.servers import better, score, serving

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
SHOWN: dict[str, tuple[Prepare, Prepare]] = {
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
    "fairness": (
        with_sex(lambda place, row: "fm"[place % 2]),
        with_sex(lambda place, row: "m" if float(row[2]) > 0 else "f"),
    ),
    "imported": (junit(""), junit('<failure message="expected 3, got 4"/>')),
    "regression_pairs": (
        plain("regression_pairs", "[tool.mlgates.regression_pairs]\nnegative_flips = 0.1\n"),
        plain("regression_pairs"),
    ),
}


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_a_page_shows_what_the_gate_says(name: str, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.path)
    pristine = {file: (repo.path / file).read_bytes() for file in ("golden.csv", "golden.csv.dvc")}
    for mark, prepare in zip(("passing", "failing"), SHOWN[name], strict=True):
        repo.keys.pop("challenger", None)
        for file, data in pristine.items():
            (repo.path / file).write_bytes(data)
        prepare(repo)
        repo.run()
        repo.on_page(name, mark)


#: In which manner the endpoint of each part answers: as the challenger itself, and as another version.
MANNERS = (("passing", better), ("failing", score))


def test_the_page_of_golden_record(repo: Repo) -> None:
    for part, answers in MANNERS:
        with serving(answers=answers) as served:
            plain("golden_record", f'[tool.mlgates.endpoint]\nchallenger_url = "{served.url}"\n')(repo)
            repo.run()
        repo.on_page("golden_record", part)


def test_the_page_of_canary(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(repo, monkeypatch)
    for part, answers in MANNERS:
        with serving(answers=answers) as served:
            url = f'[tool.mlgates.endpoint]\nchampion_url = "{served.url}"\n'
            repo.settings(f"{url}[tool.mlgates.canary]\npause_s = 0\n", gates_live=["golden_integrity", "canary"])
            run = repo.run(*LIVE)
        assert run.ret == (0 if part == "passing" else 1), run.text
        repo.on_page("canary", part)


#: The challenger, two requests at a time of ten milliseconds each: 200 a second.
CHALLENGER = ("--coefficients", 1.0, 1.0, 1.0, 0.0)
SLOW = ("--service", 10, "--spread", 0, "--capacity", 2)
GENTLE = "[tool.mlgates.overload]\nrate = 1600\nburst_s = 2\nwait_s = 0.5\nrefuse_ms = 250\nrecover_s = 30\n"


@pytest.mark.slow
def test_the_page_of_overload(repo: Repo) -> None:
    """Both have the same capacity: one refuses what is too much, the other lets everybody queue."""
    for part, refuses in (("passing", ["--refuses"]), ("failing", [])):
        with serving_all() as serve:
            url = f'[tool.mlgates.endpoint]\nchallenger_url = "{serve(*CHALLENGER, *SLOW, *refuses)}"\n'
            plain("overload", url + GENTLE)(repo)
            repo.run()
        repo.on_page("overload", part, exact=False)


@pytest.mark.long
def test_the_page_of_memory(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of the test's own in the place of MLflow's, which needs minutes for so many requests."""
    for part, leak in (("passing", 0), ("failing", 4096)):
        with load_server(*CHALLENGER, "--leak", leak) as server:
            url, pid = f"http://127.0.0.1:{server['port']:.0f}", int(server["pid"])

            def start(name: str, *_: object, url: str = url, pid: int = pid, **__: object) -> HttpEndpoint:
                endpoint = HttpEndpoint(name, url, "mlflow")
                endpoint.processes = (pid,)
                return endpoint

            monkeypatch.setattr("pytest_mlgates.adapters.serving.mlflow_endpoint.MlflowEndpoint", start)
            plain("memory", "[tool.mlgates.memory]\nrequests = 14000\n")(repo)
            repo.run()
        repo.on_page("memory", part, exact=False)


@pytest.mark.parametrize("name", sorted(shipped.gate_files()))
def test_every_page_shows_both_and_a_test_holds_each(name: str) -> None:
    assert set(blocks((PAGES / f"{name}.md").read_text())) >= set(PARTS)
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    for part in PARTS:
        held = rf'on_page\("{name}", (part|"{part}")'
        assert name in SHOWN or re.search(held, tests), f"no test holds the {part} output of {name}"


def test_the_models_shown_are_what_they_are_called() -> None:
    assert (BETTER, WORSE, COPY) == ("2", "3", "4")
