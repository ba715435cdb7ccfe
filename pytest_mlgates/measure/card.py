"""Would the model card that a promotion makes have everything a reader needs?"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.origin.provenance import Provenance, names
from pytest_mlgates.policy import Card
from pytest_mlgates.publish.card import WRITTEN, missing
from pytest_mlgates.wording import YES_NO


def complete(written: Card, tags: Mapping[str, str]) -> Evidence:
    """1 when people wrote what only they know, and the version records where it came from."""
    lacks = missing(written.model_dump(), Provenance.from_tags(tags))
    reason = f"the model card would lack {', '.join(lacks)}" if lacks else "nothing is missing from the model card"
    details = {"reason": reason, "missing": lacks}
    return Evidence("complete", not lacks, len(WRITTEN) + len(names()), unit=YES_NO, details=details)
