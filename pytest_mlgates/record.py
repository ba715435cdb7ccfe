"""Keeps evidence and model card with the run of a version, where MLflow shows why it is champion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_mlgates.card import Promotion, card
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Registry, Version
from pytest_mlgates.report import evidence_file

CARD = "model_card.md"
#: The record that the card was made from; a version promoted twice keeps both under their digests.
EVIDENCE = "evidence.json"


def attach_record(
    registry: Registry, version: Version, document: Mapping[str, Any], promotion: Promotion | None = None
) -> str:
    """Keep `document` and its card with the run of `version`; a sentence of trouble, or "".

    It raises nothing: a promotion stands without its card, and says so.
    """
    digest = evidence_file.digest(document)
    whole = evidence_file.text(document)
    texts = {f"evidence-{digest[:12]}.json": whole, EVIDENCE: whole, CARD: card(document, digest, promotion)}
    try:
        registry.attach(version, texts)
    except CouldNotEvaluate as problem:
        return f"the evidence and the model card could not be kept with the run of {version}: {problem}"
    return ""
