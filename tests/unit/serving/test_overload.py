"""Overload: what a burst came to, with samples that are known, and the search for what is too much."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.load import overload
from pytest_mlgates.measure.load.overload_burst import judged, overloaded
from pytest_mlgates.policy import Overload
from pytest_mlgates.ports import Call, LoadPlan, Samples
from pytest_mlgates.rules import at_most
from pytest_mlgates.verdict import Verdict

POLICY = Overload(rate=800, burst_s=2)
CALM = 0.01


def samples(*parts: tuple[int, float, str], late: float = 0.0) -> Samples:
    """So many requests that took so many seconds, with this fault."""
    counts = [count for count, _, _ in parts]
    due = np.linspace(0, 2, sum(counts))
    seconds = np.repeat([seconds for _, seconds, _ in parts], counts)
    return Samples(due, due + late, due + seconds, np.repeat([fault for _, _, fault in parts], counts))


def verdicts(found: Samples, busy: float = 0.1) -> dict[str, Verdict]:
    return {one.measure: at_most(POLICY.errors)(one).verdict for one in judged(found, CALM, busy, POLICY)}


WAITED, FAILED = "requests that waited too long", "requests that failed otherwise than by 429 or 503"
REFUSED = "refusals that took more than 500 ms"


@pytest.mark.parametrize("refusal", ["HTTP 429", "HTTP 503"])
def test_refusing_at_once_is_what_is_asked_for(refusal: str) -> None:
    found = samples((500, 0.02, ""), (500, 0.01, refusal))
    assert verdicts(found) == {WAITED: Verdict.PASS, FAILED: Verdict.PASS, REFUSED: Verdict.PASS}


@pytest.mark.parametrize(
    ("part", "measure"),
    [
        ((500, 3.0, ""), WAITED),
        ((500, 4.0, "no answer within 4 s"), WAITED),
        ((500, 0.01, "HTTP 500"), FAILED),
        ((500, 0.01, "it reset the connection"), FAILED),
        ((500, 0.01, "row 0 is answered nan"), FAILED),
        ((500, 0.6, "HTTP 503"), REFUSED),
    ],
)
def test_everything_else_fails(part: tuple[int, float, str], measure: str) -> None:
    found = verdicts(samples((500, 0.02, ""), part))
    assert found[measure] is Verdict.FAIL
    assert all(verdict is Verdict.PASS for name, verdict in found.items() if name != measure)


@pytest.mark.parametrize(("late", "busy"), [(0.2, 0.1), (0.0, 0.99)])
def test_a_generator_that_is_overloaded_itself_proves_nothing(late: float, busy: float) -> None:
    found = samples((500, 0.3, ""), (500, 0.3, "HTTP 500"), late=late)
    assert set(verdicts(found, busy).values()) == {Verdict.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("parts", "too_much"),
    [
        ([(1000, 0.02, "")], False),
        ([(1000, 1.5, "")], True),
        ([(970, 0.02, ""), (30, 0.01, "HTTP 503")], True),
        ([(995, 0.02, ""), (5, 0.01, "HTTP 503")], False),
    ],
)
def test_when_it_is_too_much(parts: list[tuple[int, float, str]], too_much: bool) -> None:
    assert overloaded(samples(*parts), CALM, POLICY) is too_much


# The whole of it, with a server whose limit is known.


class Fake:
    """Answers right when asked alone; under load it refuses what is beyond `limit` requests a second."""

    name, wire, verify_tls, ca, processes = "it", "mlflow", True, "", ()

    def __init__(self, limit: float, broken_after: bool = False) -> None:
        self.limit, self.broken_after = limit, broken_after
        self.rates: list[float] = []
        self.stopped = 0

    def call(self, rows: pd.DataFrame) -> Call:
        return Call("http://it", b"")

    def exchange(self, call: Call, rows: int) -> list[Any]:
        if self.rates and self.broken_after:
            raise CouldNotEvaluate("it: HTTP 500")
        return [0.5]

    def start(self, plan: LoadPlan) -> Fake:
        self.rates.append(plan.rate)
        return self

    def samples(self, requests: int, within: float) -> dict[str, Samples]:
        share = min(1.0, self.limit / self.rates[-1])
        right = round(requests * share)
        return {"endpoint": samples((right, 0.01, ""), (requests - right, 0.001, "HTTP 503"))}

    def busy(self) -> float:
        return 0.1

    def stop(self) -> None:
        self.stopped += 1


class Golden(SimpleNamespace):
    def __len__(self) -> int:
        return 10


def pushed(fake: Any, policy: Overload = POLICY) -> tuple[list[Any], Any]:
    golden: Any = Golden(X=pd.DataFrame({"x": np.arange(10.0)}))
    return overload.past_capacity(fake, fake, golden, policy, lambda _: None)


def test_the_load_grows_until_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "answered_a_second", lambda *_: 50.0)
    fake = Fake(limit=200)
    burst, recovery = pushed(fake)
    assert fake.rates == [100, 200, 400]
    assert fake.stopped == 3
    assert all(at_most(POLICY.errors)(one).verdict is Verdict.PASS for one in burst)
    assert at_most(POLICY.recover_s)(recovery).verdict is Verdict.PASS


def test_what_is_never_too_much_is_not_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "answered_a_second", lambda *_: 50.0)
    fake = Fake(limit=10_000)
    burst, recovery = pushed(fake)
    assert (burst, fake.rates[-1]) == ([], 800)
    finding = at_most(5)(recovery)
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.sentence == (
        "overload: 800 requests a second are not too much for it: raise rate in [tool.mlgates.overload]"
    )


def test_what_does_not_recover_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "answered_a_second", lambda *_: 50.0)
    policy = POLICY.model_copy(update={"recover_s": 0.05})
    _, recovery = pushed(Fake(limit=20, broken_after=True), policy)
    finding = at_most(policy.recover_s)(recovery)
    assert (finding.verdict, finding.sentence) == (
        Verdict.FAIL,
        "seconds until back to normal 0.1 s: proven not <= 0.05",
    )


def test_an_endpoint_that_answers_nothing_has_no_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "_SECONDS", 0.01)
    fake: Any = Fake(limit=1, broken_after=True)
    fake.rates.append(1)
    with pytest.raises(CouldNotEvaluate, match=r"^it answered nothing right to 16 clients at once"):
        overload.answered_a_second(fake, (fake.call(None),))
