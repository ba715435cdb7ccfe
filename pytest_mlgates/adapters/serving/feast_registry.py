"""A Feast repository's feature views, read through Feast itself."""

from __future__ import annotations

import datetime
from pathlib import Path

from pytest_mlgates.errors import CouldNotEvaluate


def times_to_live(repository: Path) -> dict[str, datetime.timedelta]:
    """Feature view -> how long the online store keeps its values; a view that keeps them for ever is left out.

    Raises CouldNotEvaluate when Feast is not installed, or the repository is none or has no views.
    """
    try:
        from feast import FeatureStore
    except ImportError:
        raise CouldNotEvaluate(
            f"feast = {repository.name!r} is to be read, and Feast is not installed: "
            'pip install "pytest-mlgates[feast]"'
        ) from None
    try:
        views = FeatureStore(repo_path=str(repository)).list_feature_views()
    except Exception as problem:  # noqa: BLE001 - the adapter's edge
        raise CouldNotEvaluate(f"the Feast repository {repository} cannot be read: {problem}") from None
    if not views:
        raise CouldNotEvaluate(f"the Feast repository {repository} has no feature views: run `feast apply` there")
    return {view.name: view.ttl for view in views if view.ttl}
