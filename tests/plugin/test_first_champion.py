"""Margins add up over releases, so the golden set's first champion is compared with, too."""

from __future__ import annotations

from typing import Any

import pytest

from mlrepo import BARELY, BETTER, CHAMPION, COPY, RAISES, WORSE, Repo

#: Not worse is enough, so that the rules of the comparison decide; identical models may follow each other.
OF_CREDIT = " and name = 'credit'"  # the ledger's versions live in the same table
LAX = "[tool.mlgates.bootstrap_auc]\nbetter = false\n"


def judgements(repo: Repo) -> list[dict[str, Any]]:
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "golden_regression")
    return gate["judgements"]


def second_champion(repo: Repo) -> None:
    """v2 took over from v1 on this golden set."""
    assert repo.apply().ret == 0
    assert repo.champion() == BETTER


def test_the_first_comparison_on_a_set_has_no_other_champion(repo: Repo) -> None:
    second_champion(repo)
    assert len(judgements(repo)) == 1
    assert repo.evidence()["first_champion"] is None


def test_later_challengers_are_compared_with_both(repo: Repo, spread: list[str]) -> None:
    second_champion(repo)
    run = repo.apply("--mlgate-challenger", WORSE, *spread)
    assert run.ret == 1
    champion, first = judgements(repo)
    assert (champion["evidence"]["where"], first["evidence"]["where"]) == ("", "over first champion v1")
    assert (champion["verdict"], first["verdict"]) == ("FAIL", "FAIL")
    assert first["evidence"]["value"] > champion["evidence"]["value"], "v1 is the weaker of the two"
    assert repo.evidence()["first_champion"]["version"]["number"] == CHAMPION
    assert "golden_regression roc_auc gain [over first champion v1] -0.1" in run.text


def test_a_loss_against_the_first_champion_holds_though_the_present_one_is_no_better(repo: Repo) -> None:
    """v3 was forced in, so a model just like it is not worse than the champion; but it is far below v1."""
    repo.settings(LAX, allow_identical=True)
    assert repo.run("--mlgate-record").ret == 0
    repo.point("champion", WORSE)
    repo.settings(LAX, on_hand_move="adopt")
    held = repo.apply("--mlgate-challenger", WORSE)
    assert held.ret == 1
    champion, first = judgements(repo)
    assert (champion["verdict"], first["verdict"]) == ("PASS", "FAIL")
    assert first["limit"] == ">= -0.005"
    assert repo.said_of("golden_regression")[1].startswith("roc_auc gain [over first champion v1] -0.1")


@pytest.mark.parametrize(("anchor", "verdicts"), [("prove", ["PASS", "INCONCLUSIVE"]), ("watch", ["PASS", "PASS"])])
def test_what_is_not_proven_holds_unless_it_is_only_watched(repo: Repo, anchor: str, verdicts: list[str]) -> None:
    """With a margin of 0 an equal model is proven nothing against v1, whose copy it nearly is."""
    more = f'{LAX}[tool.mlgates.golden_regression]\nanchor = "{anchor}"\nmetrics = {{roc_auc = 0.0}}\n'
    repo.settings(more)
    assert repo.run("--mlgate-record").ret == 0
    repo.point("champion", WORSE)
    repo.settings(more, on_hand_move="adopt")
    run = repo.apply("--mlgate-challenger", BARELY)
    assert [one["verdict"] for one in judgements(repo)] == verdicts
    assert (run.ret, repo.champion()) == ((10, WORSE) if anchor == "prove" else (0, BARELY))
    if anchor == "watch":
        assert judgements(repo)[1]["sentence"].endswith(": not proven below 0")


def test_it_can_be_left_out(repo: Repo) -> None:
    second_champion(repo)
    repo.settings('[tool.mlgates.golden_regression]\nanchor = "off"\n')
    repo.run("--mlgate-challenger", WORSE)
    assert len(judgements(repo)) == 1


def test_another_golden_set_begins_anew(repo: Repo) -> None:
    second_champion(repo)
    repo.rewrite_golden(lambda lines: lines[:-10])
    repo.run("--mlgate-challenger", WORSE)
    assert len(judgements(repo)) == 1


def test_the_first_champion_again_is_compared_with_once(repo: Repo) -> None:
    second_champion(repo)
    repo.run("--mlgate-challenger", COPY)
    assert [one["verdict"] for one in judgements(repo)] == ["FAIL", "PASS"]


class TestWhatCannotBeHad:
    """Whatever is missing never passes, and the sentence says what to do."""

    def held(self, repo: Repo, sentence: str) -> None:
        run = repo.apply("--mlgate-challenger", BARELY)
        assert (run.ret, repo.champion()) == (10, WORSE)
        assert repo.said_of("golden_regression")[0] == "ERROR"
        assert judgements(repo)[0]["verdict"] == "PASS", "what could be judged is kept"
        assert sentence in run.text

    @pytest.fixture
    def moved_on(self, repo: Repo) -> Repo:
        repo.settings(LAX)
        assert repo.run("--mlgate-record").ret == 0
        repo.point("champion", WORSE)
        repo.settings(LAX, on_hand_move="adopt")
        return repo

    def test_the_version_was_deleted(self, moved_on: Repo) -> None:
        with moved_on.database() as db:
            db.execute(f"delete from model_versions where version = 1{OF_CREDIT}")
        self.held(
            moved_on,
            "the golden set's first champion, credit v1, cannot be compared with: it is no longer in the registry. "
            'Restore it, refresh the golden set, or set anchor = "off" in [tool.mlgates.golden_regression]',
        )

    def test_its_files_are_gone(self, moved_on: Repo) -> None:
        with moved_on.database() as db:
            db.execute(
                f"update model_versions set source = '/no', storage_location = '/no' where version = 1{OF_CREDIT}"
            )
        self.held(moved_on, "the golden set's first champion, credit v1, cannot be compared with: ")

    def test_it_no_longer_answers(self, moved_on: Repo) -> None:
        with moved_on.database() as db:
            found = db.execute(f"select source from model_versions where version = ?{OF_CREDIT}", (RAISES,)).fetchone()[
                0
            ]
            db.execute(
                f"update model_versions set source = ?, storage_location = ? where version = 1{OF_CREDIT}",
                (found, found),
            )
        self.held(moved_on, "first champion credit v1 raised RuntimeError: the feature store is down")

    def test_its_files_are_not_those_on_record(self, repo: Repo) -> None:
        """The ledger has v2's digest from its promotion; another set makes v2 the first champion there."""
        second_champion(repo)
        repo.settings(LAX)
        repo.rewrite_golden(lambda lines: lines[:-10])
        assert repo.run("--mlgate-record", "--mlgate-challenger", WORSE).ret == 1
        repo.point("champion", WORSE)
        with repo.database() as db:
            found = db.execute(
                f"select source from model_versions where version = ?{OF_CREDIT}", (CHAMPION,)
            ).fetchone()[0]
            db.execute(
                f"update model_versions set source = ?, storage_location = ? where version = 2{OF_CREDIT}",
                (found, found),
            )
        repo.settings(LAX, on_hand_move="adopt")
        self.held(repo, "credit v2, cannot be compared with: its files were changed since the ledger recorded them")


def test_a_conftest_cannot_hide_it(repo: Repo) -> None:
    second_champion(repo)
    repo.write("conftest.py", "import pytest\n@pytest.fixture\ndef first_champion(): return lambda: None\n")
    run = repo.apply("--mlgate-challenger", BARELY)
    assert (run.ret, repo.champion()) == (1, BETTER)
    assert repo.said_of("golden_regression")[0] == "ERROR"
    assert "the fixture `first_champion` is not what this run pinned" in run.text
