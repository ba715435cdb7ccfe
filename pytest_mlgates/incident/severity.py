"""How bad it is, and how soon somebody must look."""

from __future__ import annotations

import enum


class Severity(enum.StrEnum):
    """SEV1: people are served by something known to be bad, or nobody knows by what. SEV2: it was bad and was taken
    back. SEV3: the way back or a promise about it failed. SEV4: to be looked at in working hours."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


#: Minutes until somebody must have taken it on.
RESPOND_MINUTES = {Severity.SEV1: 5, Severity.SEV2: 15, Severity.SEV3: 60, Severity.SEV4: 480}
