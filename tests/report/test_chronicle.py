"""`mlgates history --html`: the decisions on record as a page."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pytest_mlgates.report.chronicle import chronicle
from tests.report.documents import HOSTILE
from tests.report.test_page import TAGS, Page

EVERY = " ".join(HOSTILE.values())


def entry(number: int, kind: str, **more: Any) -> dict[str, Any]:
    told = {"fate": "counts", "why": "", "actor": "ada", "from": "", "to": "", "reason": "because", "waivers": []}
    return {
        "number": number,
        "kind": kind,
        "time": f"2026-11-{number:02d}T10:00:00+00:00",
        "evidence": "",
        **told,
        **more,
    }


def reign(number: int, version: str) -> dict[str, Any]:
    return {"entry": number, "version": version}


def told(*entries: dict[str, Any], reigns: Any = (), problems: Any = None) -> dict[str, Any]:
    champion = reigns[-1]["version"] if reigns else ""
    return {"champion": champion, "problems": problems or {}, "reigns": list(reigns), "entries": list(entries)}


RECORD = told(
    entry(1, "genesis", to="1"),
    entry(2, "hold", **{"from": "1"}, to="2", fate="noted", reason="worse"),
    entry(3, "promote", **{"from": "1"}, to="3", evidence="e" * 64, waivers=["slices"]),
    entry(4, "rollback", **{"from": "3"}, to="1", reason="errors doubled"),
    entry(5, "promote", **{"from": "1"}, to="4", fate="stale", why="v1 was no longer champion"),
    entry(6, "drill", fate="noted"),
    reigns=[reign(1, "1"), reign(3, "3"), reign(4, "1")],
)


def test_the_newest_decision_comes_first_with_who_and_why() -> None:
    seen = Page(chronicle(RECORD, "credit", 30))
    assert seen.after(
        "Decisions on record credit",
        "v1 is champion.",
        "version judged, and the champion after it",
        "2026-11-06 10:00 drill",
        "2026-11-05 10:00 promote v4",
        "! does not count (stale)",
        "2026-11-04 10:00 rollback from v3 to v1",
        "In words",
        "rollback from v3 to v1",
        "errors doubled",
        "entry 4 by ada",
        "promote v3",
        "entry 3 by ada, evidence eeeeeeeeeeeeeeee, with slices waived",
        "hold v2",
        "worse",
    )
    assert "entry 5 by ada; v1 was no longer champion" in seen.text


def test_only_the_last_are_shown_and_that_is_said() -> None:
    seen = Page(chronicle(RECORD, "credit", 2))
    assert "The last 2 of 6 entries." in seen.text
    assert "rollback" not in seen.text.replace("rollback from v3", "")


def test_the_picture_shows_the_champion_after_each_decision() -> None:
    """A mark a decision, on an axis of whole versions."""
    text = chronicle(told(*RECORD["entries"][:4], reigns=RECORD["reigns"]), "credit", 30)
    assert text.count('class="beside"') == 4
    axis = text.split('class="lines"')[1].split("</ul>")[0]
    assert re.findall(r"<text [^>]*>([^<]*)<", axis) == ["1", "2", "3"]


def test_without_a_champion_or_an_entry_there_is_a_page_too() -> None:
    assert "There is no champion." in Page(chronicle(told(), "credit", 30)).text


@pytest.mark.parametrize("last", [1, 100])
def test_hostile_entries_are_text(last: int) -> None:
    bad = told(
        entry(1, EVERY, to=EVERY, reason=EVERY, actor=EVERY, why=EVERY, waivers=[EVERY], evidence=EVERY, time=EVERY),
        reigns=[reign(1, EVERY)],
        problems={"1": EVERY},
    )
    seen = Page(chronicle(bad, EVERY, last))
    assert {tag for tag, _ in seen.tags} <= TAGS
    assert not [key for _, a in seen.tags for key in a if key == "style" or key.startswith("on")]
