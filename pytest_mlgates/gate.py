"""The `gate` fixture's object: takes evidence and rules, keeps what they gave, and never raises."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from pytest_mlgates import extensions
from pytest_mlgates.evidence import Evidence, plain
from pytest_mlgates.pins import Pins
from pytest_mlgates.policy import Policy
from pytest_mlgates.rules import Rule
from pytest_mlgates.settings import Settings
from pytest_mlgates.spec import GateSpec
from pytest_mlgates.verdict import Finding, Judgement, Verdict, worst

SUBJECT = {"promotion": "challenger", "live": "champion", "drill": "staging"}


class Gate:
    """`name`, `policy`, `settings` and `pins` are this gate's; `judgements` is what it has judged so far."""

    def __init__(
        self,
        spec: GateSpec,
        settings: Settings,
        pins: Pins,
        record: Callable[[Mapping[str, Any]], None],
        progress: Callable[[str], None],
    ) -> None:
        self.spec, self.settings, self.pins = spec, settings, pins
        self.judgements: list[Judgement] = []
        self._record, self._progress = record, progress

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def policy(self) -> Policy:
        return self.spec.policy

    def judge(self, evidence: Evidence, rule: Rule) -> Verdict:
        """Hold `evidence` against `rule` and keep the verdict, which is also returned.

        It never raises, so that a gate may judge many slices or columns; the test ends with the worst verdict.
        """
        evidence = dataclasses.replace(evidence, subject=SUBJECT[self.spec.phase], digests=self._digests())
        finding = _found(rule, evidence)
        self.judgements.append(Judgement(evidence, finding))
        self._record({"evidence": plain(evidence), "finding": _plain(finding)})
        return finding.verdict

    def rule(self, name: str) -> Callable[..., Rule]:
        """The shipped or added rule called `name`, to be given its limits. Raises UsageError."""
        return extensions.rule(name)

    def progress(self, message: str) -> None:
        """Tell whoever watches how far a long measurement is: "40 of 200 rows" also tells what time is left."""
        self._progress(message)

    def verdict(self) -> Verdict:
        return worst(judgement.verdict for judgement in self.judgements)

    def _digests(self) -> dict[str, str]:
        parts = {"champion": self.pins.champion, "challenger": self.pins.challenger, "first_champion": self.pins.first}
        found = {role: pinned.digest for role, pinned in parts.items() if pinned}
        return found | ({"golden_set": self.pins.golden.md5} if self.pins.golden else {})


def _found(rule: Rule, evidence: Evidence) -> Finding:
    try:
        finding = rule(evidence)
    except Exception as problem:  # noqa: BLE001 - a user's rule may raise anything; that is no verdict, so ERROR
        return Finding(Verdict.ERROR, f"{evidence.title}: the rule raised {type(problem).__name__}: {problem}")
    if isinstance(finding, Finding) and not isinstance(finding.verdict, Verdict):
        said = f"the rule gave the verdict {finding.verdict!r}: write Verdict.PASS, .INCONCLUSIVE, .ERROR or .FAIL"
        return Finding(Verdict.ERROR, f"{evidence.title}: {said}")
    if not isinstance(finding, Finding):
        return Finding(Verdict.ERROR, f"{evidence.title}: the rule returned {finding!r} instead of a Finding")
    return finding


def _plain(finding: Finding) -> dict[str, str]:
    return {"verdict": finding.verdict.name, "sentence": finding.sentence, "limit": finding.limit}
