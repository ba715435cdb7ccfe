"""Feast's own registry, where Feast is installed."""

from __future__ import annotations

import datetime
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlgates.adapters.serving.feast_registry import times_to_live
from pytest_mlgates.errors import CouldNotEvaluate

HERE = importlib.util.find_spec("feast") is not None
STORE = """
project: shop
provider: local
registry: registry.db
online_store: {type: sqlite, path: online.db}
"""
DEFINITIONS = """
import datetime
from feast import Entity, FeatureView, Field, FileSource
from feast.types import Float32

customer = Entity(name="customer")
source = FileSource(path="spend.parquet", timestamp_field="at")
for name, ttl in (("spend", datetime.timedelta(hours=10)), ("country", datetime.timedelta(0))):
    globals()[name] = FeatureView(
        name=name, entities=[customer], ttl=ttl, schema=[Field(name="value_" + name, dtype=Float32)], source=source
    )
"""


@pytest.mark.skipif(HERE, reason="Feast is installed")
def test_without_feast_the_extra_is_named(tmp_path: Path) -> None:
    with pytest.raises(CouldNotEvaluate, match=r'pip install "pytest-mlgates\[feast\]"'):
        times_to_live(tmp_path)


@pytest.mark.skipif(not HERE, reason="Feast is not installed")
class TestARealRepository:
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        config = (
            "project: shop\nprovider: local\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\n"
        )
        (tmp_path / "feature_store.yaml").write_text(config)
        import pandas as pd

        row = {"at": pd.Timestamp("2026-01-01", tz="UTC"), "customer": "a", "value_spend": 1.0, "value_country": 1.0}
        pd.DataFrame([row]).to_parquet(tmp_path / "spend.parquet")
        (tmp_path / "views.py").write_text(DEFINITIONS)
        feast = Path(sys.executable).with_name("feast")
        quiet = os.environ | {"FEAST_USAGE": "False"}
        subprocess.run([feast, "apply"], cwd=tmp_path, env=quiet, check=True, capture_output=True, timeout=120)
        return tmp_path

    def test_its_views_say_how_long_values_live(self, repository: Path) -> None:
        assert times_to_live(repository) == {"spend": datetime.timedelta(hours=10)}

    def test_a_folder_that_is_none_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CouldNotEvaluate, match=r"the Feast repository .* cannot be read"):
            times_to_live(tmp_path)
