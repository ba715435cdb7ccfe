"""Is the golden set the frozen one?"""

from __future__ import annotations

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.ports import Pointer
from pytest_mlgates.wording import YES_NO


def golden_bytes(golden: GoldenSet, pointer: Pointer) -> Evidence:
    """1 when the bytes the rows were read from hash to what the DVC pointer pins."""
    matches = golden.version == pointer.md5
    reason = f"{len(golden)} rows whose bytes hash to the pinned md5 {pointer.md5}"
    if pointer.remark:
        reason += f" ({pointer.remark})"
    details = {"reason": reason, "md5": pointer.md5, "commit": pointer.commit, "remark": pointer.remark}
    return Evidence("frozen", float(matches), len(golden), unit=YES_NO, details=details)
