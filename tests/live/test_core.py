"""The pure core of the live phase: what is proven, how long it lasted, whose fault it is, and what nobody can know."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.live.blame import proven_worse
from pytest_mlgates.live.burn import Burn, judge_burn
from pytest_mlgates.live.flow import Flow, Sum, increments
from pytest_mlgates.live.gauge import GaugeLimit, judge_gauge
from pytest_mlgates.live.guard import Past, forbids
from pytest_mlgates.live.reading import Reading, State, Unknown
from pytest_mlgates.live.slo import Limit, Seen, Terms, judge
from pytest_mlgates.tiers import Tier

STEP, NOW = 15.0, 100_000.0
ERRORS, AT_ONCE = Limit(0.02, 300), Limit(0.05, 120)
CONTROLLED = Terms(controlled=True)


def flow(share: float, *, before: float = 0.001, since: float = 600, rate: float = 20, hours: float = 3.5) -> Flow:
    """`rate` requests a second; `share` of them bad in the last `since` seconds, `before` until then."""
    steps = round(hours * 3600 / STEP)
    times = tuple(NOW - STEP * (steps - 1 - place) for place in range(steps))
    total = tuple(rate * STEP for _ in times)
    return Flow(times, total, tuple(rate * STEP * (share if NOW - t < since else before) for t in times))


def said(
    champion: Flow,
    control: Flow | None = None,
    *,
    limit: Limit = ERRORS,
    terms: Terms = CONTROLLED,
    since: float | None = 0.0,
) -> Reading:
    return judge(Seen(champion, control, None, since), limit, terms, NOW)


WELL = flow(0.001)


class TestABreach:
    def test_is_proven_lasting_and_the_champions_own(self) -> None:
        found = said(flow(0.2), WELL)
        assert (found.state, found.tier) == (State.BREACH, Tier.ACT)
        assert found.why == "the control is well (0.10% of 6,000)"

    @given(st.floats(0, 0.02))
    def test_is_never_within_the_limit(self, share: float) -> None:
        assert said(flow(share), WELL).state is State.WELL

    @given(share=st.floats(0.03, 1), since=st.floats(0, 284))
    def test_takes_its_time(self, share: float, since: float) -> None:
        assert said(flow(share, since=since), WELL).state in (State.RISING, State.WELL)

    @given(st.floats(0.0201, 0.03))
    def test_is_proven_not_guessed(self, share: float) -> None:
        """Fifty requests in five minutes prove nothing so near the limit."""
        assert said(flow(share, rate=0.2), flow(0.001, rate=0.2)).state is not State.BREACH

    def test_above_the_limit_all_the_time_is_not_yet_proof(self) -> None:
        found = said(flow(0.03, rate=2), WELL)
        assert found.value == 0.03 and found.state is State.RISING and "not proven" in found.why

    def test_is_not_one_that_is_over(self) -> None:
        bad = flow(0.5)
        over = replace(bad, bad=(*bad.bad[:-1], 0.0))
        assert said(over, WELL).state is State.RISING

    def test_is_not_a_burst_in_the_middle(self) -> None:
        quiet = flow(0.001)
        burst = [0.9 * 300 if 120 <= NOW - t < 180 else b for t, b in zip(quiet.times, quiet.bad, strict=True)]
        found = said(replace(quiet, bad=tuple(burst)), WELL)
        assert found.value > 0.1 and found.state is State.RISING

    @given(st.floats(0, 299))
    def test_waits_for_a_new_champion(self, age: float) -> None:
        """The data before is the former champion's."""
        found = said(flow(0.5), WELL, since=NOW - age)
        assert found.state is State.RISING and "the champion was changed" in found.why

    def test_may_come_at_once_after_the_burn_in(self) -> None:
        assert said(flow(0.5), WELL, since=NOW - 179, limit=AT_ONCE).state is State.RISING
        assert said(flow(0.5), WELL, since=NOW - 181, limit=AT_ONCE).state is State.BREACH


class TestWhoseFault:
    @given(champion=st.floats(0.03, 1), control=st.floats(0.0201, 1))
    def test_not_the_champions_when_the_control_is_beyond_the_limit_too(self, champion: float, control: float) -> None:
        found = said(flow(champion), flow(control))
        assert found.state is not State.BREACH

    def test_not_when_the_control_has_always_been_beyond_the_limit(self) -> None:
        found = said(flow(0.5), flow(0.03, before=0.03))
        assert found.state is State.ELSEWHERE
        assert found.why == "the control is beyond the limit as well (3.00%): not the model"

    def test_not_when_it_is_little_worse_than_the_control(self) -> None:
        found = said(flow(0.03, rate=400), flow(0.0196, before=0.0196, rate=400))
        assert found.state is State.ELSEWHERE
        assert found.why == "it is not proven 2 times as bad as the control (1.96%)"

    def test_not_when_it_was_as_bad_before_the_champion_came(self) -> None:
        """A lull between the two does not hide it."""
        bad = flow(0.2)
        mixed = [
            t * (0.2 if NOW - at < 600 else 0.001 if NOW - at < 900 else 0.03)
            for at, t in zip(bad.times, bad.total, strict=True)
        ]
        found = said(replace(bad, bad=tuple(mixed)), terms=Terms(), since=NOW - 800)
        assert found.state is State.ELSEWHERE and "before the champion came too" in found.why

    def test_not_when_the_control_became_worse_within_its_limit(self) -> None:
        found = said(flow(0.2), flow(0.018))
        assert (found.state, found.tier) == (State.ELSEWHERE, Tier.ASK)
        assert found.why.startswith("the control has become worse too (18.0 times its usual)")

    def test_not_when_an_outage_has_lasted_for_most_of_an_hour(self) -> None:
        """What is usual ends where the trouble began, or the outage would be the usual."""
        found = said(flow(0.2, since=3000), flow(0.018, since=3000))
        assert found.state is State.ELSEWHERE and "has become worse too" in found.why

    def test_not_when_it_began_too_long_ago_to_know(self) -> None:
        found = said(flow(0.2, since=2 * 3600), WELL)
        assert (
            found.state is State.ELSEWHERE
            and found.why == "it has been so for more than 1 h: nobody knows what is usual"
        )

    def test_not_when_traffic_is_twice_the_usual(self) -> None:
        bad = flow(0.2)
        grown = [t * 2.5 if NOW - at < 600 else t for at, t in zip(bad.times, bad.total, strict=True)]
        found = said(replace(bad, total=tuple(grown)), WELL)
        assert found.state is State.ELSEWHERE and found.why.startswith("traffic is 2.5 times the usual")

    def test_not_when_the_control_says_nothing(self) -> None:
        assert said(flow(0.2), None).why == "the control has no data, so nobody can say whose fault it is"
        few = said(flow(0.2), flow(0.0, rate=0.1))
        assert few.state is State.ELSEWHERE and "too few to say whose fault it is" in few.why

    def test_not_unless_proven_worse_than_the_control(self) -> None:
        found = said(flow(0.022, before=0.015), flow(0.0155, before=0.015, since=1))
        assert found.state is not State.BREACH

    def test_without_a_control_what_came_before_is_the_control(self) -> None:
        alone = Terms()
        recent = said(flow(0.2), terms=alone, since=NOW - 1200)
        assert (recent.state, recent.tier) == (State.BREACH, Tier.ACT)
        assert recent.why == "before the champion came it was well (0.10% of 72,000)"
        for since, why in ((None, "no record of when"), (NOW - 90_000, "has served for 25 h")):
            found = said(flow(0.2), terms=alone, since=since)
            assert (found.state, found.tier) == (State.BREACH, Tier.ASK) and why in found.why
        always = said(flow(0.2, before=0.03, since=900), terms=alone, since=NOW - 800)
        assert always.state is State.ELSEWHERE


class TestWhenItBegan:
    @given(since=st.floats(300, 3000))
    def test_to_the_step(self, since: float) -> None:
        """A step that it began in counts from its start: never later than it was, nor more than a step earlier."""
        found = said(flow(0.5, since=since), WELL)
        assert found.began is not None and 0 <= (NOW - since) - found.began <= STEP

    def test_what_the_control_shares_began_too(self) -> None:
        found = said(flow(0.5, since=600), flow(0.5, since=600))
        assert found.state is State.ELSEWHERE and found.began == NOW - 600

    def test_what_is_not_proven_has_not_begun(self) -> None:
        assert said(flow(0.001), WELL).began is None
        assert said(flow(0.5, since=100), WELL).began is None

    def test_an_hour_later_nobody_knows(self) -> None:
        assert said(flow(0.5, since=2 * 3600), WELL).began is None

    def test_of_a_gauge_it_is_the_first_point_beyond(self) -> None:
        points = [(NOW - STEP * p, 0.9 if STEP * p < 600 else 0.2) for p in range(270, -1, -1)]
        beside = [(time, 0.2) for time, _ in points]
        found = judge_gauge(points, beside, GaugeLimit(0.5, 300, STEP), CONTROLLED, NOW, 0.0)
        assert found.began == NOW - 600 + STEP
        low = [(time, 0.4 if NOW - time < 600 else float("nan") if NOW - time == 600 else 0.99) for time, _ in points]
        available = judge_gauge(low, beside, GaugeLimit(0.9, 300, STEP, "below"), CONTROLLED, NOW, 0.0)
        assert available.began == NOW - 600 + STEP, "what is no number is not below"
        always = [(time, 0.9) for time, _ in points]
        assert judge_gauge(always, beside, GaugeLimit(0.5, 300, STEP), CONTROLLED, NOW, 0.0).began is None


class TestNobodyKnows:
    """Raised, never read as well."""

    def test_without_data(self) -> None:
        nothing = Flow(WELL.times, (None,) * len(WELL.times), (None,) * len(WELL.times))
        with pytest.raises(Unknown, match="there is no data at all"):
            said(nothing, WELL)

    @given(st.floats(121, 5000))
    def test_with_stale_data(self, age: float) -> None:
        with pytest.raises(Unknown, match="the last data is"):
            judge(Seen(flow(0.5), WELL, None, 0.0), ERRORS, CONTROLLED, NOW + age)

    def test_with_gaps(self) -> None:
        bad = flow(0.5)
        holes = tuple(None if 30 <= NOW - t < 150 else b for t, b in zip(bad.times, bad.bad, strict=True))
        with pytest.raises(Unknown, match="40% of the last 300 s have no data"):
            said(replace(bad, bad=holes), WELL)

    def test_with_too_few_requests(self) -> None:
        found = said(flow(0.9, rate=0.1), WELL)
        assert (found.state, found.tier) == (State.QUIET, None)
        assert found.why == "30 requests in 300 s, 50 are needed to say anything"

    def test_where_the_requests_went(self) -> None:
        busy = flow(0.001)
        gone = replace(
            busy, total=tuple(0.0 if NOW - t < 400 else n for t, n in zip(busy.times, busy.total, strict=True))
        )
        found = said(gone, WELL)
        assert (found.state, found.tier) == (State.QUIET, Tier.ASK) and found.why.startswith("requests have stopped")


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=2, max_size=30), min_size=1, max_size=4))
def test_increments_are_what_counters_grew_by_whatever_restarts(counters: list[list[float]]) -> None:
    times = [STEP * place for place in range(30)]
    found = increments([list(zip(times, values, strict=False)) for values in counters], times)
    assert found[0] is None
    assert all(value is None or value >= 0 for value in found)
    rising = [sum(max(b - a, b if b < a else 0.0) for a, b in itertools.pairwise(v)) for v in counters]
    assert sum(value or 0.0 for value in found) == pytest.approx(sum(rising), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_what_no_counter_has_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="is no value of a counter"):
        increments([[(0.0, 1.0), (15.0, value)]], [0.0, 15.0])


def test_a_gap_is_unknown_and_what_grew_in_it_is_not_lost() -> None:
    times = [0.0, 15.0, 30.0, 45.0]
    assert increments([[(0.0, 5.0), (45.0, 25.0)]], times) == (None, None, None, 20.0)


@given(st.integers(0, 500), st.integers(0, 500), st.floats(1, 5))
def test_worse_is_proven_in_one_direction_only(mine: int, theirs: int, times: float) -> None:
    a, b = Sum(1000, mine, 1, 1), Sum(1000, theirs, 1, 1)
    assert not (proven_worse(a, b, times, 0.001) and proven_worse(b, a, times, 0.001))
    if mine <= theirs * times:
        assert not proven_worse(a, b, times, 0.001)


class TestGauges:
    """A p99 without counts: beyond at every point, and beside a control."""

    LIMIT = GaugeLimit(0.5, 300, STEP)

    def points(self, value: float, before: float = 0.2, since: float = 600) -> list[tuple[float, float]]:
        return [(NOW - STEP * p, value if STEP * p < since else before) for p in range(270, -1, -1)]

    def read(self, value: float, control: float | None = 0.2, **more: float) -> Reading:
        beside = self.points(control) if control is not None else None
        return judge_gauge(self.points(value, **more), beside, self.LIMIT, CONTROLLED, NOW, 0.0)

    def test_states(self) -> None:
        assert self.read(0.4).state is State.WELL
        assert self.read(0.9, since=200).state is State.RISING
        assert (self.read(0.9).state, self.read(0.9).tier) == (State.BREACH, Tier.ACT)
        assert self.read(0.9, control=0.8).state is State.ELSEWHERE
        assert self.read(0.9, control=0.45).state is State.ELSEWHERE, "the control is twice as slow as usual"
        assert self.read(0.9, control=None).state is State.ELSEWHERE

    @given(st.floats(121, 1000))
    def test_stale_is_unknown(self, age: float) -> None:
        with pytest.raises(Unknown):
            judge_gauge(self.points(0.9), None, self.LIMIT, CONTROLLED, NOW + age, 0.0)

    def test_gaps_and_nothing_are_unknown(self) -> None:
        for points in ([], self.points(0.9)[-1:], [(NOW, float("nan"))] * 20):
            with pytest.raises(Unknown):
                judge_gauge(points, None, self.LIMIT, CONTROLLED, NOW, 0.0)


class TestBurnRates:
    def test_long_and_short_window_must_both_burn(self) -> None:
        burn = Burn(10, 3600)
        read = {
            name: judge_burn(Seen(flow(*args, since=since), WELL, None, 0.0), burn, 0.01, CONTROLLED, NOW)
            for name, args, since in (("burns", (0.2,), 3500), ("fine", (0.001,), 1), ("short only", (0.2,), 600))
        }
        assert read["fine"].state is State.WELL
        assert read["short only"].state is State.WELL, "ten minutes do not use up an hour's share"
        assert read["burns"].state is State.BREACH and read["burns"].value == pytest.approx(19.4, rel=0.01)

    def test_what_is_over_is_no_alarm(self) -> None:
        bad = flow(0.5, since=3500)
        over = tuple(0.0 if NOW - t < 400 else b for t, b in zip(bad.times, bad.bad, strict=True))
        found = judge_burn(Seen(replace(bad, bad=over), WELL, None, 0.0), Burn(10, 3600), 0.01, CONTROLLED, NOW)
        assert found.state is State.RISING and found.why.startswith("it is over")


class TestNoFlapping:
    @given(st.floats(0, 3599))
    def test_after_a_rollback_a_person_decides_for_a_while(self, ago: float) -> None:
        assert "a person decides" in forbids(Past(last_rollback=NOW - ago), 3600, NOW)

    def test_and_whenever_the_version_was_rolled_back_from_before(self) -> None:
        assert forbids(Past(last_rollback=0.0, rolled_back_before=7), 3600, NOW).startswith(
            "ledger entry 7 rolled back"
        )

    def test_else_the_machine_may(self) -> None:
        assert forbids(Past(last_rollback=NOW - 3601), 3600, NOW) == forbids(Past(), 3600, NOW) == ""

    def test_a_clock_that_is_ahead_does_not_shorten_it(self) -> None:
        assert forbids(Past(last_rollback=NOW + 500), 3600, NOW)
