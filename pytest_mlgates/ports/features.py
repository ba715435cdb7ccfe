"""Who makes features of raw rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd


class Features(Protocol):
    """Training's transform, or serving."""

    def features(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Feature -> plain value for each of `rows`; a missing value is None. Raises CouldNotEvaluate."""
