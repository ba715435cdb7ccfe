"""SARIF 2.1.0 (OASIS): gates that did not pass as results, for tools that gather findings from many scanners."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pytest_mlgates.report.annotations import where
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.verdict import Verdict

FILE = "results.sarif"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL = {Verdict.FAIL: "error", Verdict.ERROR: "error", Verdict.INCONCLUSIVE: "warning"}
#: Where a shipped gate is asked for, when the document does not say.
_SETTINGS = "pyproject.toml"


def sarif(document: Mapping[str, Any]) -> str:
    """The log as text. A shipped gate is placed at the settings that ask for it."""
    gates = document["gates"]
    rules = [_rule(gate, document) for gate in gates]
    failing = [(place, gate) for place, gate in enumerate(gates) if gate["verdict"] != Verdict.PASS.name]
    version = document.get("environment", {}).get("pytest-mlgates", "")
    run = {
        "tool": {"driver": {"name": "pytest-mlgates", "version": version, "rules": rules}},
        "results": [_result(place, gate, document) for place, gate in failing],
        "properties": {"decision": document["decision"]["action"]},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, sort_keys=True) + "\n"


def _rule(gate: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    rule = {"id": clipped(gate["name"]), "properties": {"stage": gate["stage"]}}
    link = document.get("runbooks", {}).get(gate["name"], "")
    return rule | ({"helpUri": quote(link, safe=":/?#&=%~+,;@")} if link.startswith(("https://", "http://")) else {})


def _result(place: int, gate: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    file, line = where(gate) or (_settings(document), 1)
    location = {"artifactLocation": {"uri": quote(file)}, "region": {"startLine": line}}
    result: dict[str, Any] = {
        "ruleId": clipped(gate["name"]),
        "ruleIndex": place,
        "level": _LEVEL[Verdict[gate["verdict"]]],
        "message": {"text": clipped(gate["sentence"], 1000) or gate["verdict"]},
        "locations": [{"physicalLocation": location}],
        "properties": {"verdict": gate["verdict"]},
    }
    waived = document["waived"].get(gate["name"])
    if waived:
        result["suppressions"] = [{"kind": "external", "justification": clipped(waived, 1000)}]
    return result


def _settings(document: Mapping[str, Any]) -> str:
    """The file that names the gates: "pyproject.toml [tool.mlgates]" begins with it."""
    said = str(document.get("settings_from", {}).get("gates", ""))
    return said.split(" [")[0] if ".toml [" in said or said.endswith(".toml") else _SETTINGS
