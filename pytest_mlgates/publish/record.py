"""Keeps evidence, report and model card with the run of a version, where MLflow shows why it is champion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import from_plain
from pytest_mlgates.ports import Registry, Version
from pytest_mlgates.publish.card import Promotion, card
from pytest_mlgates.report import evidence_file
from pytest_mlgates.report.page import FILE as REPORT
from pytest_mlgates.report.page import page

CARD = "model_card.md"
#: The record that the card was made from; a version promoted twice keeps both under their digests.
EVIDENCE = "evidence.json"
#: Tags on the version that lead to what is kept: the digest of the evidence, and the run it is kept with.
EVIDENCE_TAG, REPORT_TAG = "mlgates.evidence", "mlgates.report_run"
#: Figures that are kept for a trend; the evidence has them all.
MOST = 300


def attach_record(
    registry: Registry, version: Version, document: Mapping[str, Any], promotion: Promotion | None = None
) -> str:
    """Keep `document`, its page, its card and its figures with the run of `version`; a sentence of trouble, or "".

    It raises nothing: a promotion stands without its card, and says so.
    """
    digest = evidence_file.digest(document)
    whole = evidence_file.text(document)
    texts = {
        f"evidence-{digest[:12]}.json": whole,
        EVIDENCE: whole,
        CARD: card(document, digest, promotion),
        **_page(document),
    }
    try:
        registry.attach(version, texts)
    except CouldNotEvaluate as problem:
        return f"the evidence and the model card could not be kept with the run of {version}: {problem}"
    try:
        run = registry.note_figures(version, figures(document))
        registry.tag(version, {EVIDENCE_TAG: digest, REPORT_TAG: run})
    except CouldNotEvaluate as problem:
        return f"the evidence is kept with the run of {version}, but not its figures and the way to it: {problem}"
    return ""


def figures(document: Mapping[str, Any]) -> dict[str, float]:
    """Every finite figure under ``mlgates/GATE/MEASURE``, with its interval's ends under ``/low`` and ``/high``."""
    found: dict[str, float] = {}
    for gate in document["gates"]:
        for judgement in gate["judgements"]:
            one = from_plain(judgement["evidence"])
            ends = {"": one.value}
            if one.interval is not None:
                ends |= {"/low": one.interval.low, "/high": one.interval.high}
            name = f"mlgates/{gate['name']}/{one.title}"
            found |= {name + end: value for end, value in ends.items() if value is not None and math.isfinite(value)}
    return dict(list(found.items())[:MOST])


def _page(document: Mapping[str, Any]) -> dict[str, str]:
    """The page; a record that makes none is kept without it."""
    try:
        return {REPORT: page(document)}
    except Exception:  # noqa: BLE001 - the evidence is what counts; the run itself has said that there is no page
        return {}
