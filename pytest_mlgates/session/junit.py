"""A gate's figures as properties of its JUnit test case, for readers that do not unpack the records."""

from __future__ import annotations

import pytest

from pytest_mlgates.evidence import from_plain
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.session.collected import PROPERTY, records, said_verdicts
from pytest_mlgates.verdict import worst
from pytest_mlgates.wording import interval, shown

#: Judgements that become properties; the record holds them all.
MOST = 20


def properties(report: pytest.TestReport) -> list[tuple[str, str]]:
    """(name, value) of what this gate said, one a judgement; nothing of a test that is no gate."""
    said = records(report)
    name = next((one["gate"]["name"] for one in said if "gate" in one), None)
    if name is None:
        return []
    verdicts = said_verdicts(report)
    found = [(f"{PROPERTY}.gate", clipped(name))]
    found += [(f"{PROPERTY}.verdict", worst(verdicts).name)] if verdicts else []
    found += [(f"{PROPERTY}.trouble", clipped(one["trouble"], 600)) for one in said if "trouble" in one]
    judged = [one for one in said if "finding" in one]
    return found + [(f"{PROPERTY}.measured", _measured(one["evidence"], one["finding"])) for one in judged[:MOST]]


def _measured(evidence: dict[str, object], finding: dict[str, str]) -> str:
    one = from_plain(evidence)
    value = "not measured" if one.value is None else f"{shown(one, one.value)} {interval(one)}".strip()
    rows = f", n {one.n:,}" if one.n else ""
    return f"{clipped(one.title)} {clipped(value)} (limit {clipped(finding['limit'])}{rows}): {finding['verdict']}"
