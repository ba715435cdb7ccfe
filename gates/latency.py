"""The challenger answers in time and rightly under load: p99 is proven to be 200 ms or less, errors 1 % or less.

Requests are sent when planned, whether or not answers come, and timed from then, so that a server that stalls cannot
hide what queues up. The champion is asked beside it: where both are too slow, machine or limit are to blame.

In the phase live it makes the same load on the champion's own endpoint: not for a look every 30 seconds.
"""

import pytest

from pytest_mlgates import CouldNotEvaluate, Finding, Verdict, at_most
from pytest_mlgates.measure.load.latency import under_load


@pytest.mark.latency
def test_latency(gate, golden_set, load, endpoint, champion_beside):
    if endpoint is None:
        raise CouldNotEvaluate("there is no endpoint to ask")
    with under_load(load, golden_set, endpoint, champion_beside, gate.policy, gate.progress) as looks:
        seen = next(seen for seen in looks if seen.final or decided(seen, gate.policy))
    for mine, champion, limit in figures(seen, gate.policy):
        gate.judge(mine, unless_both_fail(champion, limit))
    for _, champion, limit in figures(seen, gate.policy):
        if champion is not None:
            gate.judge(champion, shown(limit))


def figures(seen, policy):
    """(the challenger's evidence, the champion's or None, limit) of each figure that is judged."""
    champion = seen.champion
    yield seen.challenger.p99, champion and champion.p99, policy.p99_ms
    yield seen.challenger.errors, champion and champion.errors, policy.errors


def decided(seen, policy):
    """Nothing that follows could change it: all passes, or a failure whose like in the champion is settled too."""
    verdicts = [
        (at_most(limit)(mine).verdict, verdict_of(champion, limit)) for mine, champion, limit in figures(seen, policy)
    ]
    failed = any(mine is Verdict.FAIL and theirs is not Verdict.INCONCLUSIVE for mine, theirs in verdicts)
    return failed or seen.challenger.p99.cannot_say or all(mine is Verdict.PASS for mine, _ in verdicts)


def verdict_of(champion, limit):
    return Verdict.PASS if champion is None else at_most(limit)(champion).verdict


def unless_both_fail(champion, limit):
    """A failure that the champion shares, at the same time on the same machine, says nothing of the challenger."""

    def rule(evidence):
        finding = at_most(limit)(evidence)
        if finding.verdict is Verdict.FAIL and verdict_of(champion, limit) is Verdict.FAIL:
            theirs = at_most(limit)(champion).sentence
            why = f"{finding.sentence}, and so is the champion's ({theirs}): the machine or the limit is to blame"
            return Finding(Verdict.INCONCLUSIVE, why, finding.limit)
        return finding

    return rule


def shown(limit):
    return lambda evidence: Finding(Verdict.PASS, at_most(limit)(evidence).sentence, "shown beside, not judged")
