"""The model card, whole, and with names that would like to be more than names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_mlgates.decision import Action, Decision, GateOutcome
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.markdown import paragraph, table, text
from pytest_mlgates.measure.card import complete
from pytest_mlgates.origin.provenance import Provenance
from pytest_mlgates.policy import Card
from pytest_mlgates.publish.card import Promotion, card, missing
from pytest_mlgates.report import evidence_file
from pytest_mlgates.rules import at_least, is_true
from pytest_mlgates.verdict import Judgement, Verdict

SAID = Provenance("r2", "c" * 40, "clean", "data/t.csv", "m" * 32, "../remote", "e" * 64, "d" * 64)
WRITTEN = {"owner": "credit team", "intended_use": "Scoring of applications.", "limits": "- Not for children"}


def pinned(number: str, run_id: str, tags: dict[str, str]) -> dict[str, Any]:
    version = {"model": "credit", "number": number, "run_id": run_id, "source": "models:/m-1", "tags": tags}
    return {"version": version, "reference": "challenger", "files": "/x", "digest": "d" * 64}


def judged(evidence: Evidence, rule: Any) -> Judgement:
    return Judgement(evidence, rule(evidence))


def document(**changes: Any) -> dict[str, Any]:
    gain = Evidence("auc gain", 0.02, 500, Interval(0.01, 0.03, 0.9, "DeLong"))
    part = {"name": "age<30 & x|y", "n": 40, "champion": 0.8, "challenger": 0.9, "gain": 0.1, "low": "NaN", "high": 0.2}
    unharmed = Evidence("no slice harmed", 1, 500, unit="yes/no", details={"slices": [part], "reason": "none"})
    outcomes = {
        "auc": GateOutcome("auc", Verdict.PASS, (judged(gain, at_least(-0.005)),), "", "quality", "x", 0.1),
        "slices": GateOutcome("slices", Verdict.PASS, (judged(unharmed, is_true("no harm")),), "", "quality", "x", 0.1),
        "own": GateOutcome("own", Verdict.ERROR, (), "no endpoint", "quality", "x", 0.1),
    }
    head = {
        "champion": pinned("1", "r1", {}),
        "challenger": pinned("2", "r2", SAID.tags()),
        "golden_set": {"file": "g.csv", "md5": "a" * 32, "commit": "b" * 40, "remark": ""},
        "thresholds": {"challenger": {"value": 0.5, "from": "default"}},
        "registry": "sqlite:///mlflow.db",
        "settings": {"task": "binary", "label": "y", "card": WRITTEN},
        "waived": {"own": "moving"},
        "not_asked_for": ["skew"],
    }
    decision = Decision(Action.PROMOTE, Verdict.PASS, ("all gates passed",))
    made = evidence_file.document(decision, outcomes, head=head, action=None, times={})
    return {**made, **changes}


WHOLE = f"""\
# Model card: credit v2

Made from evidence abc.

## What it is

| fact | value |
|---|---|
| task | binary |
| label | y |
| registry | sqlite:///mlflow.db |
| run | r2 |
| source | models:/m-1 |
| files | SHA-256 {"d" * 64} |
| threshold of the challenger | 0.5 (default) |

## Promotion

| fact | value |
|---|---|
| replaced | credit v1 |
| decision | PROMOTE |
| because | all gates passed |
| by | ann |
| at | 2026-01-02T03:04:05 |
| ledger entry | 7 |

## Data

| what | file | md5 | commit |
|---|---|---|---|
| golden set | g.csv | {"a" * 32} | {"b" * 40} |
| training | data/t.csv | {"m" * 32} | {"c" * 40} |

## Lineage

| fact | recorded |
|---|---|
| mlgates.run_id | r2 |
| mlgates.git_commit | {"c" * 40} |
| mlgates.git_tree | clean |
| mlgates.data | data/t.csv |
| mlgates.data_md5 | {"m" * 32} |
| mlgates.data_remote | ../remote |
| mlgates.environment | {"e" * 64} |
| mlgates.digest | {"d" * 64} |

## Gates

| gate | measured | interval | limit | n | verdict |
|---|---|---|---|---|---|
| auc | auc gain +0.0200 | \\[+0.0100, +0.0300] | >= -0.005 | 500 | PASS |
| own | - | - | - | - | ERROR (waived): no endpoint |
| slices | no slice harmed yes | - | no harm | 500 | PASS |

## Slices and groups

| gate | slice | rows | champion | challenger | gain | interval | harmed |
|---|---|---|---|---|---|---|---|
| slices | age\\<30 \\& x\\|y | 40 | 0.8 | 0.9 | 0.1 | \\[NaN, 0.2] | no |

## Waivers

- own: moving
- not asked for: skew

## Owner

credit team

## Intended use

Scoring of applications.

## Limits

\\- Not for children
"""


def test_the_whole_card() -> None:
    assert card(document(), "abc", Promotion("ann", "2026-01-02T03:04:05", 7)) == WHOLE


def test_the_card_from_the_file_is_the_card_from_the_data() -> None:
    read = json.loads(evidence_file.text(document()))
    assert card(read, "abc") == card(document(), "abc")
    assert evidence_file.digest(read) == evidence_file.digest(document())


def test_what_was_done_and_how_long_it_took_is_no_part_of_the_digest() -> None:
    done = document(action={"done": True}, measured_times={"finished_at": 1.0})
    assert evidence_file.digest(done) == evidence_file.digest(document())
    assert evidence_file.digest(document(registry="other")) != evidence_file.digest(document())


def test_a_first_champion_that_nobody_promoted_yet() -> None:
    said = card(document(champion=None), "abc")
    assert (
        "## Promotion\n\nNobody has promoted it.\n\n| fact | value |\n|---|---|\n"
        "| replaced | nothing: the first champion |\n"
    ) in said


def test_a_bare_version_says_what_is_not_written() -> None:
    bare = document(
        challenger=pinned("3", "", {}), golden_set=None, gates=[], settings={"task": "binary", "label": "y"}
    )
    said = card(bare, "abc")
    assert "## Lineage\n\nNot written.\n" in said
    assert "| golden set | - | - | - |\n| training | - | - | - |\n" in said
    assert "## Slices and groups" not in said
    assert said.endswith("## Owner\n\nNot written.\n\n## Intended use\n\nNot written.\n\n## Limits\n\nNot written.\n")


def test_a_pointer_that_is_not_as_committed_is_said() -> None:
    golden = {"file": "g.csv", "md5": "a", "commit": "b", "remark": "the pointer is not committed"}
    assert "\n\nThe golden set's pointer: the pointer is not committed.\n" in card(document(golden_set=golden), "abc")


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("<script>alert(1)</script>", "\\<script>alert(1)\\</script>"),
        ("a|b\n## Heading", "a\\|b ## Heading"),
        ("![x](http://e) [y](z)", "!\\[x](http://e) \\[y](z)"),
        ("`c` *b* \\ &lt; ~~s~~", "\\`c\\` \\*b\\* \\\\ \\&lt; \\~\\~s\\~\\~"),
        ("\u202eevil\x1b[31m\x00", "evil \\[31m"),
        (" ", ""),
        ("größe 漢字", "größe 漢字"),
    ],
)
def test_hostile_names_stay_names(hostile: str, shown: str) -> None:
    assert text(hostile) == shown
    assert table(("h",), [(hostile,)])[2] == f"| {shown or '-'} |"


@pytest.mark.parametrize(
    ("given", "shown"),
    [("# h", "\\# h"), ("> q", "\\> q"), ("1. one", "1\\. one"), ("-- x", "\\-- x"), ("plain 1. x", "plain 1. x")],
)
def test_a_paragraph_is_neither_heading_nor_list(given: str, shown: str) -> None:
    assert paragraph(given) == shown


def test_every_name_of_the_card_is_escaped() -> None:
    bad = "a|<b>"
    hostile = document(waived={bad: bad}, not_asked_for=[bad], registry=bad)
    hostile["challenger"]["version"] |= {"model": bad, "tags": {"mlgates.data": bad}}
    for gate in hostile["gates"]:
        gate |= {"name": bad, "sentence": bad}
    said = card(hostile, "abc", Promotion(bad, bad))
    assert "a\\|\\<b>" in said
    assert "<b>" not in said.replace("\\<b>", "")
    assert "a|" not in said


class TestComplete:
    def test_nothing_is_missing(self) -> None:
        found = complete(Card(**WRITTEN), SAID.tags())
        assert is_true("x")(found).verdict is Verdict.PASS
        assert found.details == {"reason": "nothing is missing from the model card", "missing": []}

    def test_what_is_missing_is_named(self) -> None:
        found = complete(Card(owner="me", limits=" "), {**SAID.tags(), "mlgates.digest": ""})
        finding = is_true("x")(found)
        assert finding.verdict is Verdict.FAIL
        assert finding.sentence == (
            "the model card would lack [tool.mlgates.card] intended_use, [tool.mlgates.card] limits, "
            "the tag mlgates.digest"
        )

    def test_an_older_record_without_the_settings(self) -> None:
        assert len(missing({}, SAID)) == 3
