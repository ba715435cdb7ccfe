"""The gates `golden_contract` and `golden_validity` in a whole run: what holds, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sklearn.linear_model  # noqa: F401 - here already, so that pytester keeps it from run to run

from mlrepo import BETTER, Repo, pin
from pytest_mlgates.cli import main

VALIDITY = "[tool.mlgates.golden_validity]\n"


@pytest.fixture
def contracted(repo: Repo) -> Repo:
    """The golden set with its contract frozen, and both gates asked for."""
    repo.settings(gates=["core", "golden_contract", "golden_validity"])
    assert main(["golden", "freeze"]) == 0
    return repo


def edited(repo: Repo, change: Callable[[dict[str, dict[str, object]]], None]) -> None:
    """Change the columns of the contract."""
    file = repo.path / "golden.contract.json"
    contract = json.loads(file.read_text())
    change(contract["columns"])
    file.write_text(json.dumps(contract))


def training(repo: Repo, leaked: int, *, name: str = "train.csv", ids: bool = True) -> Path:
    """Training rows of other people, and `leaked` golden rows among them."""
    head, *golden = (repo.path / "golden.csv").read_text().splitlines()
    others = [f"{10_000 + i},t{i // 10:03d},{i / 7:.4f},{i / 11:.4f},{i / 13:.4f},0,{i % 2}" for i in range(600)]
    lines = [head, *others, *golden[:leaked]]
    if not ids:
        lines = [line.split(",", 2)[2] for line in lines]
    return repo.write(name, "\n".join(lines) + "\n")


def sentences(repo: Repo, name: str) -> list[str]:
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == name)
    return [judgement["sentence"] for judgement in gate["judgements"]]


def test_an_honest_set_passes_and_figures_are_told(contracted: Repo, spread: list[str]) -> None:
    training(contracted, 0)
    contracted.settings(VALIDITY + 'training = "train.csv"')
    run = contracted.run(*spread)
    assert run.ret == 0, run.text
    contract, validity = (sentences(contracted, f"golden_{name}") for name in ("contract", "validity"))
    assert contract == ["all 4 columns keep the contract golden.contract.json"]
    assert validity[0].startswith("rows of the rarest class 7")
    assert validity[1] == "the pointer's present version is not committed to git, so its age is unknown: commit it"
    assert validity[2].startswith("contradicting rows 0 ")
    assert validity[3].startswith("single-feature AUC [x")
    assert validity[4].startswith("linear AUC 0.8")
    assert validity[5].startswith("equal rows beyond chance 0 ")
    assert validity[6].startswith("whole rows beyond chance 0 ")
    assert len(validity) == 7


def test_neither_gate_runs_unless_asked_for(repo: Repo) -> None:
    assert repo.run().ret == 0
    assert {"golden_contract", "golden_validity"}.isdisjoint(repo.verdicts())


class TestContract:
    def test_without_one_it_is_an_error_with_the_fix(self, repo: Repo) -> None:
        repo.settings(gates=["core", "golden_contract"])
        assert repo.run().ret == 10
        assert repo.said_of("golden_contract") == (
            "ERROR",
            f"there is no golden contract {repo.path}/golden.contract.json: run `mlgates golden freeze`, look at what "
            "it wrote, and commit it",
        )

    def test_every_column_that_breaks_it_is_named(self, contracted: Repo) -> None:
        def change(columns: dict[str, dict[str, object]]) -> None:
            columns["x1"]["high"] = 1
            columns["x2"] = {"kind": "text"}
            columns["x9"] = columns.pop("x3")

        edited(contracted, change)
        run = contracted.run()
        assert run.ret == 1
        said = sentences(contracted, "golden_contract")
        assert said[0] == "4 of 4 columns break the contract golden.contract.json"
        assert said[1] == "column 'x3' is not in the contract: known here: x1, x2, x4, x9"
        assert said[2].startswith("'x1' reaches from ")
        assert said[3] == "'x2' holds number values, the contract says text"
        assert said[4] == "column 'x9' of the contract is missing in the golden set"
        assert f"HOLD credit v{BETTER}: golden_contract" in run.text

    def test_a_contract_that_is_wrong_is_an_error(self, contracted: Repo) -> None:
        edited(contracted, lambda columns: columns["x1"].update(hihg=1))
        assert contracted.run().ret == 10
        assert contracted.said_of("golden_contract") == (
            "ERROR",
            f"unknown key 'hihg' in column 'x1' of {contracted.path}/golden.contract.json: did you mean 'high'?",
        )


class TestTraining:
    def asks(self, repo: Repo, more: str = "") -> None:
        repo.settings(f'{VALIDITY}training = "train.csv"\n{more}', gates=["core", "golden_validity"])

    @pytest.mark.parametrize("ids", [True, False])
    def test_golden_rows_in_the_training_data_fail(self, repo: Repo, ids: bool) -> None:
        training(repo, 75, ids=ids)
        self.asks(repo)
        assert repo.run().ret == 1
        verdict, _ = repo.said_of("golden_validity")
        assert verdict == "FAIL"
        said = sentences(repo, "golden_validity")[5:]
        assert said[0] == "equal rows beyond chance 0.05 [0.04089, 0.05894]: proven not <= 0.01"
        assert len(said) == (2 if ids else 1)

    def test_one_shared_identifier_fails(self, repo: Repo) -> None:
        training(repo, 1)
        self.asks(repo, 'identifier = "id"')
        assert repo.run().ret == 1
        assert sentences(repo, "golden_validity")[5:] == ["rows in training 1: proven not <= 0"]

    def test_no_shared_identifier_passes_though_rows_are_equal(self, repo: Repo) -> None:
        file = training(repo, 300)
        head, *rows = file.read_text().splitlines()
        file.write_text("\n".join([head, *(f"90000{row}" for row in rows)]) + "\n")
        self.asks(repo, 'identifier = "id"')
        assert repo.run().ret == 0

    def test_training_data_that_cannot_be_had_is_an_error_beside_what_was_judged(self, repo: Repo) -> None:
        self.asks(repo)
        assert repo.run().ret == 10
        verdict, said = repo.said_of("golden_validity")
        assert verdict == "ERROR"
        assert said == f"the training data {repo.path}/train.csv cannot be read: No such file or directory"
        assert len(sentences(repo, "golden_validity")) == 5

    def test_other_bytes_than_the_pointers_are_an_error(self, repo: Repo) -> None:
        file = training(repo, 0)
        pin(file)
        file.write_text(file.read_text() + "1,s,0,0,0,0,1\n")
        self.asks(repo)
        assert repo.run().ret == 10
        assert "is not the file its pointer pins" in repo.said_of("golden_validity")[1]


class TestAge:
    def asks(self, repo: Repo, more: str) -> int:
        repo.settings(VALIDITY + more, gates=["core", "golden_validity"])
        return repo.run().ret

    def commit(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_COMMITTER_DATE", "2020-02-03T12:00:00Z")
        who = ("-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "commit.gpgSign=false")
        for words in (["init", "--quiet"], ["add", "golden.csv.dvc"], [*who, "commit", "--quiet", "-m", "first"]):
            assert repo.pytester.run("git", *words).ret == 0

    def test_an_old_set_is_said_and_holds_only_where_the_settings_say_so(
        self, repo: Repo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.commit(repo, monkeypatch)
        assert self.asks(repo, "") == 0
        said = sentences(repo, "golden_validity")[1]
        assert said.startswith("pinned on 2020-02-03 in ")
        assert said.endswith(", more than 90 days ago: draw and label new rows, `dvc add` them, and commit the pointer")
        assert self.asks(repo, 'refresh = "block"') == 10
        assert repo.said_of("golden_validity") == ("INCONCLUSIVE", said)
        assert self.asks(repo, 'refresh = "block"\nrefresh_days = 40000') == 0

    def test_unknown_age_holds_where_age_does(self, repo: Repo) -> None:
        assert self.asks(repo, 'refresh = "block"') == 10


def test_a_feature_that_gives_the_label_away_fails(repo: Repo) -> None:
    """x4 is in no model of the truth; here it becomes the label."""
    repo.rewrite_golden(
        lambda lines: [lines[0], *(f"{line.rsplit(',', 2)[0]},{line[-1]},{line[-1]}" for line in lines[1:])]
    )
    repo.settings(gates=["core", "golden_validity"])
    assert repo.run().ret == 1
    said = sentences(repo, "golden_validity")
    assert said[3].startswith("single-feature AUC [x4] 1 [")
    assert said[4].startswith("linear AUC 1 [")
    assert said[3].endswith(": proven not <= 0.95") and said[4].endswith(": proven not <= 0.95")
    flips = repo.evidence()["decision"]["flips"]
    assert flips[0] == (
        "golden_validity: take 'x4' out where it tells the label; where it is honest, say so with a higher "
        "max_feature_auc in [tool.mlgates.golden_validity]"
    )


def test_rows_at_odds_above_the_limit_fail(repo: Repo) -> None:
    def contradict(lines: list[str]) -> list[str]:
        return [*lines, *(line[:-1] + str(1 - int(line[-1])) for line in lines[1:600])]

    repo.rewrite_golden(contradict)
    repo.settings(gates=["core", "golden_validity"])
    assert repo.run().ret == 1
    assert sentences(repo, "golden_validity")[2].startswith("contradicting rows 0.5707 [")
    repo.settings(VALIDITY + "contradictions = 0.6")
    repo.run()
    assert repo.said_of("golden_validity")[0] == "PASS"


def test_a_policy_that_is_wrong_is_a_usage_error(repo: Repo) -> None:
    repo.settings(VALIDITY + 'refresh = "never"')
    run = repo.run()
    assert run.ret == 4
    assert "golden_validity.refresh in pyproject.toml [tool.mlgates] must be one of 'warn' or 'block'" in run.text
