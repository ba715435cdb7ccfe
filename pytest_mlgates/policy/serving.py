"""Does it answer in time, and is there a proven way back?"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pytest_mlgates.policy.base import Policy, Share


class Latency(Policy):
    p99_ms: Annotated[float, Field(gt=0)] = 200.0
    errors: Share = 0.01


class RollbackDrill(Policy):
    restore_s: Annotated[float, Field(gt=0)] = 180.0
