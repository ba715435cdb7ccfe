"""How does it behave: against the champion row by row, on rows that nobody has seen, and as a network?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pytest_mlgates.policy.base import Margin, Policy, Share


class RegressionPairs(Policy):
    """Rows that the champion has right and the challenger wrong, as a share of all rows: proven `negative_flips` or
    less. No slice may be proven above `slice_flips`, all slices together at `alpha`.

    `largest_move`: how far any row's score may move; a regression has no flips, so there it must be set. `shown`: how
    many of the largest moves are kept in the evidence.
    """

    negative_flips: Share = 0.05
    slice_flips: Share = 0.1
    largest_move: Annotated[float, Field(gt=0)] | None = None
    shown: Annotated[int, Field(ge=1, le=1000)] = 10
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05


class Behaviour(Policy):
    """What the model must keep on rows that nobody has seen; what is declared of it stands in its manifest.

    `through`: the model itself, its endpoint, or both. `examples` batches of rows are tried a property, `seconds` in
    all; a question may take `timeout` seconds. Two answers are the same within `tolerance`, a share of their size.
    `baseline` widens the contract's ranges by those of the training data: "kept" is the one kept with the run, else a
    file. `counterexamples` is where they are kept, to be tried first next time.
    """

    through: Literal["model", "endpoint", "both"] = "model"
    examples: Annotated[int, Field(ge=1, le=10_000)] = 20
    seconds: Annotated[float, Field(gt=0)] = 120.0
    timeout: Annotated[float, Field(gt=0)] = 10.0
    tolerance: Margin = 1e-6
    baseline: str = ""
    counterexamples: str = ".mlgates/counterexamples.json"
    seed: Annotated[int, Field(ge=0)] = 0


class InferenceHygiene(Policy):
    """A torch model answers `rounds` times: in eval mode, without gradients, and nothing of it grows or changes."""

    rounds: Annotated[int, Field(ge=10, le=10_000)] = 30
    rows: Annotated[int, Field(ge=1, le=1000)] = 8
