"""Are groups of people treated alike?"""

from __future__ import annotations

from pytest_mlgates.policy.base import Policy, Share


class Fairness(Policy):
    disparate_impact: Share = 0.8
