"""A line a failing gate in the words that GitHub Actions shows beside the code (workflow commands)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlgates.report.plaintext import clipped, visible
from pytest_mlgates.verdict import Verdict

#: GitHub shows ten errors and ten warnings a step.
MOST = 10
_LEVEL = {Verdict.FAIL: "error", Verdict.ERROR: "error", Verdict.INCONCLUSIVE: "warning"}


def workflow_commands(document: Mapping[str, Any], under: str = "") -> Iterator[str]:
    """The worst first; a gate of the user's own with its file and line. Waived gates are notices.

    `under` is the folder, seen from the repository's root, that the files are relative to.
    """
    gates = [gate for gate in document["gates"] if gate["verdict"] != Verdict.PASS.name]
    for gate in sorted(gates, key=lambda one: -Verdict[one["verdict"]])[:MOST]:
        level = "notice" if gate["name"] in document["waived"] else _LEVEL[Verdict[gate["verdict"]]]
        place = where(gate)
        said = {"file": posixpath.join(under, place[0]), "line": str(place[1])} if place else {}
        said["title"] = f"{clipped(gate['name'])}: {gate['verdict']}"
        written = ",".join(f"{key}={_property(value)}" for key, value in said.items())
        yield f"::{level} {written}::{_data(clipped(gate['sentence'], 600))}"


def where(gate: Mapping[str, Any]) -> tuple[str, int] | None:
    """(file, line) of a user's gate; None of a shipped one, whose file is not in the repository."""
    file, _, line = visible(gate.get("place", "")).rpartition(":")
    return (file, int(line)) if file and line.isdigit() else None


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
