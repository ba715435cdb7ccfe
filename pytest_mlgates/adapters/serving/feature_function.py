"""A function of the user's own that makes features of raw rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlgates.adapters.serving.http_endpoint import plain_rows
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.importing import imported

if TYPE_CHECKING:
    import pandas as pd

_SHAPE = "a function of a DataFrame of rows that gives a DataFrame of features"


@dataclass(frozen=True, slots=True)
class FeatureFunction:
    """The function at `path`, imported with `base` first on the path; `what` names it to people."""

    what: str
    path: str
    base: Path

    def features(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Feature -> value for each of `rows`; a missing value is None.

        Raises CouldNotEvaluate when the function cannot be had, raises, or gives no DataFrame of a row a row.
        """
        import pandas as pd

        function = imported(self.path, self.base, self.what, _SHAPE)
        try:
            made = function(rows.copy())
        except Exception as problem:
            raised = f"{type(problem).__name__}: {problem}"
            raise CouldNotEvaluate(f"{self.what} {self.path!r} raised {raised}") from problem
        if not isinstance(made, pd.DataFrame):
            raise CouldNotEvaluate(f"{self.what} {self.path!r} gave {type(made).__name__}; it must be {_SHAPE}")
        if len(made) != len(rows):
            raise CouldNotEvaluate(f"{self.what} {self.path!r} gave {len(made)} rows for {len(rows)}")
        columns, values = plain_rows(made)
        return [dict(zip(columns, row, strict=True)) for row in values]
