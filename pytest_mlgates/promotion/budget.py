"""How often a golden set has been used to choose: each use makes the next verdict on it a little less honest.

With `advise` the level stays and people are told; with `enforce` every gate is judged at alpha / K (Bonferroni over
the K challengers a set is meant for; Dwork et al. 2015 say why reuse needs a price).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mlgates.settings import Settings

#: From this share of the budget on people are told to prepare a new set.
_WARN = 0.8


@dataclass(frozen=True, slots=True)
class Budget:
    """`spent` names the distinct challengers judged on the set so far, `size` how many it is meant for."""

    spent: tuple[str, ...]
    size: int
    enforced: bool

    def line(self) -> str:
        """The state of the budget in a sentence."""
        return f"golden set budget: {self.state()}"

    def state(self) -> str:
        """How much is spent, and what follows."""
        said = f"{len(self.spent)} of {self.size} challengers judged on it"
        if len(self.spent) >= self.size:
            return f"{said}: it is used up, refresh the golden set"
        return f"{said}: prepare a new golden set" if len(self.spent) >= _WARN * self.size else said

    def forbids(self, challenger: str) -> str:
        """Why this challenger may not be judged any more, or "". One that was judged before costs nothing."""
        if not self.enforced or challenger in self.spent or len(self.spent) < self.size:
            return ""
        return (
            f"the golden set's budget of {self.size} challengers is used up: refresh the golden set "
            '(or set budget = "advise", and read the verdicts with care)'
        )


def budget_of(settings: Settings, spent: Sequence[str]) -> Budget:
    return Budget(tuple(spent), settings.budget_size, settings.budget == "enforce")


def at_enforced_level(settings: Settings) -> Settings:
    """The settings with alpha / K in every statistical policy, where the budget is enforced."""
    if settings.budget != "enforce":
        return settings
    kinds = ("golden_regression", "bootstrap_auc", "slices", "fairness", "regression_pairs", "manifest")
    policies = {kind: getattr(settings, kind) for kind in kinds}
    lower = {
        kind: policy.model_copy(update={"alpha": policy.alpha / settings.budget_size})
        for kind, policy in policies.items()
    }
    return settings.model_copy(update=lower)
