"""Drift and decay together, twice in a row: one event, and none otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.adapters.watching.retrain_event import send_event
from pytest_mlgates.aftermath.looked import held
from pytest_mlgates.aftermath.retrain import Checked, checked, event
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.policy import Retrain

from .ears import ears

POLICY = Retrain(to="events.jsonl", apart_s=3600)
BAD = Checked(0.0, "3", 0.3, 0.006)


def run(psi: Any, gain: Any, at: float = 0.0, champion: str = "3", verdict: str = "FAIL") -> dict[str, Any]:
    return {
        "finished_at": at,
        "champion": champion,
        "gates": [
            {"name": "live_skew", "verdict": verdict, "measured": [{"measure": "largest psi", "value": psi}]},
            {"name": "rolling_quality", "verdict": "PASS", "measured": [{"measure": "roc_auc gain", "value": gain}]},
        ],
    }


def told(*looks: Checked, before: tuple[str, ...] = ()) -> bool:
    return event("churn", looks, before, POLICY) is not None


def test_only_both_on_two_looks_in_a_row_of_one_champion() -> None:
    fine, drift = Checked(0, "3", 0.1, 0.0), Checked(0, "3", 0.3, 0.004)
    assert told(BAD, BAD)
    assert told(fine, BAD, BAD)
    for looks in ((BAD,), (BAD, fine), (BAD, drift), (drift, drift), (BAD, fine, BAD), ()):
        assert not told(*looks), looks
    assert not told(Checked(0, "2", 0.3, 0.006), BAD), "another champion"
    assert not told(BAD, BAD, before=("3",)), "it was sent for this champion"
    assert not told(Checked(0, "", 0.3, 0.006), Checked(0, "", 0.3, 0.006)), "nobody serves"


@given(st.lists(st.tuples(st.none() | st.floats(0, 1), st.none() | st.floats(-0.1, 0.1)), max_size=6))
def test_what_is_not_known_ends_the_row(figures: list[tuple[float | None, float | None]]) -> None:
    looks = [Checked(0, "3", drift, loss) for drift, loss in figures]
    expected = len(looks) >= 2 and all(
        look.drift is not None and look.drift > 0.2 and look.loss is not None and look.loss >= 0.005
        for look in looks[-2:]
    )
    assert told(*looks) == expected


@pytest.mark.parametrize(
    ("given_run", "drift", "loss"),
    [
        (run(0.3, -0.006), 0.3, 0.006),
        (run("NaN", -0.006), None, 0.006),
        (run(None, -0.006), None, 0.006),
        (run(0.3, "NaN"), 0.3, None),
        (run("Infinity", 0.0), None, 0.0),
        (run(0.3, -0.006, verdict="ERROR"), None, 0.006),
        ({"finished_at": 0, "champion": "3", "gates": []}, None, None),
    ],
)
def test_figures_that_are_not_known_are_none(given_run: dict[str, Any], drift: Any, loss: Any) -> None:
    found = checked(given_run, POLICY)
    assert (found.drift, found.loss) == (drift, loss)


def test_looks_close_together_are_one_and_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "looks.json"
    for at in (0, 30, 60, 3599):
        with held(file) as book:
            book.add(Checked(at, "3", 0.3, 0.006), POLICY)
    with held(file) as book:
        assert len(book.looks) == 1
        book.add(Checked(3600, "3", 0.3, 0.006), POLICY)
        assert [look.at for look in book.looks] == [0, 3600]
        book.told.append("3")
    with held(file) as book:
        assert book.told == ["3"]
    file.write_text("{")
    with held(file) as book:
        assert (book.looks, book.told) == ([], [])


def test_an_event_goes_to_a_file_a_url_or_github(tmp_path: Path) -> None:
    made = event("churn", [BAD, BAD], (), POLICY)
    assert made is not None
    send_event(POLICY, made, tmp_path, {})
    assert json.loads((tmp_path / "events.jsonl").read_text())["champion"] == "3"
    with ears() as there:
        send_event(Retrain(to="env:HOOK"), made, tmp_path, {"HOOK": f"http://{there.url}/retrain"})
        github = Retrain(to="github:acme/churn", github_token="env:TOKEN")
        send_event(github, made, tmp_path, {"TOKEN": "t0ken"}, github=f"http://{there.url}")
    assert there.paths == ["/retrain", "/repos/acme/churn/dispatches"]
    assert there.bodies[0] == made
    assert there.bodies[1] == {"event_type": "mlgates-retrain", "client_payload": made}
    assert there.headers[1]["Authorization"] == "Bearer t0ken"


def test_an_event_that_does_not_arrive_is_said_without_its_url(tmp_path: Path) -> None:
    made = {"champion": "3"}
    with ears() as there:
        there.status = 403
        with pytest.raises(CouldNotEvaluate) as refused:
            send_event(Retrain(to="env:HOOK"), made, tmp_path, {"HOOK": f"http://{there.url}/SECRET"})
    assert str(refused.value) == "what HOOK names answers HTTP 403"
    for environ, sentence in (({}, "HOOK is not set"), ({"HOOK": "nonsense"}, "what HOOK names is no URL")):
        with pytest.raises(CouldNotEvaluate, match=sentence):
            send_event(Retrain(to="env:HOOK"), made, tmp_path, environ)


@pytest.mark.parametrize(
    ("to", "sentence"),
    [("https://x/SECRET", "is a URL that may hold a secret"), ("github:acme/churn", "needs github_token")],
)
def test_a_place_that_is_written_wrongly_is_refused_and_not_shown(to: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        Retrain(to=to)
    assert "SECRET" not in str(refused.value)
