"""`mlgates card`: the model card of a promoted version, made again from the evidence it was promoted on."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pytest_mlgates import fingerprint
from pytest_mlgates.commands.ledger_options import add_model, opened
from pytest_mlgates.doors.outside import Doors
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.ledger import Kind, Ruling
from pytest_mlgates.ports import Version
from pytest_mlgates.promotion.book import read
from pytest_mlgates.promotion.proof import existing
from pytest_mlgates.publish.card import Promotion, card
from pytest_mlgates.publish.record import CARD, EVIDENCE
from pytest_mlgates.report import evidence_file

HELP = "the model card of a promoted version; exit code 1 when it is stale"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", nargs="?", help="version number or alias (default: the champion)")
    parser.add_argument("--out", type=Path, help="write it to this file")
    add_model(parser)


def run(given: argparse.Namespace) -> int:
    settings, doors = opened(given)
    version = existing(doors, settings, given.version or settings.champion)
    document = _document(doors, version)
    ruling = _promoted(doors, version.number)
    promotion = None
    if ruling:
        promotion = Promotion(ruling.entry.actor, ruling.entry.time, ruling.number)
    text = card(document, evidence_file.digest(document), promotion)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    stale = _stale(doors, version, document, ruling)
    for sentence in stale:
        print(f"stale: {sentence}", file=sys.stderr)
    return 1 if stale else 0


def _document(doors: Doors, version: Version) -> dict[str, Any]:
    text = doors.registry.attached(version, EVIDENCE)
    if text is None:
        raise UsageError(
            f"no evidence is kept with the run of {version}: it was not promoted by `pytest --mlgate --mlgate-apply`"
        )
    try:
        document: dict[str, Any] = json.loads(text)
        if document["schema"] != evidence_file.SCHEMA:
            raise UsageError(f"the evidence of {version} is of schema {document['schema']}: update pytest-mlgates")
    except (ValueError, KeyError, TypeError):
        raise CouldNotEvaluate(f"what is kept as evidence with the run of {version} is no evidence") from None
    return document


def _promoted(doors: Doors, number: str) -> Ruling | None:
    """The last entry of the ledger that made this version champion on evidence."""
    book = read(doors.log)
    made = [r for r in book.state.counted if r.entry.kind is Kind.PROMOTE and r.entry.to == number] if book else []
    return made[-1] if made else None


def _stale(doors: Doors, version: Version, document: dict[str, Any], ruling: Ruling | None) -> list[str]:
    """Why the card that is kept with the run does not speak of this version as it was last promoted."""
    found: list[str] = []
    digest = evidence_file.digest(document)
    if f"Made from evidence {digest}." not in (doors.registry.attached(version, CARD) or "").splitlines():
        found.append(f"the card kept with the run of {version} was not made from the evidence beside it")
    if ruling is None:
        found.append(f"the ledger has no promotion of {version}")
    elif ruling.entry.evidence != digest:
        found.append(f"entry {ruling.number} of the ledger rests on other evidence than the card")
    judged = document["challenger"] or document["champion"]
    if fingerprint.of_folder(doors.registry.files(version)) != judged["digest"]:
        found.append(f"the files of {version} changed since they were judged")
    return found
