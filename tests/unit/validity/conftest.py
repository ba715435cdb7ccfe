"""The demo's survey, once a session."""

from __future__ import annotations

import pandas as pd
import pytest
from by_hand import SURVEY


@pytest.fixture(scope="session")
def survey() -> pd.DataFrame:
    """24,000 real rows, about a fifth of them with an honest twin; features, `employed`, `id` and `year`."""
    return pd.read_parquet(SURVEY)
