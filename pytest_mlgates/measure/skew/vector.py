"""A column of embeddings against its baseline: the angle of the centroids, and the index along random directions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_mlgates.baseline.describe import directions
from pytest_mlgates.baseline.document import Column, Vector
from pytest_mlgates.engine import port
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.measure.skew.column import by_decile
from pytest_mlgates.measure.skew.feature import interval
from pytest_mlgates.policy import Skew

if TYPE_CHECKING:
    from pytest_mlgates.stats.checks import Floats


def vectors(name: str, base: Column, column: port.Column, policy: Skew) -> list[Evidence]:
    """The cosine distance of the centroids, and the largest index of the random directions."""
    known = base.vector
    assert known is not None
    declared = policy.encoders.get(name, "")
    if declared != known.encoder:
        return [_void(name, known.encoder, declared)]
    size = column.size()
    if size and size != known.size:
        why = f"the sample's vectors have {size} numbers, the baseline's {known.size}: the encoder changed"
        return [Evidence("cosine distance", None, where=name, cannot_say=why)]
    along = directions(known.size, known.seed)
    seen = column.vectors(along)
    if seen.rows < 2:
        why = f"{seen.rows} vectors: nothing can be compared"
        return [Evidence("cosine distance", None, seen.rows, where=name, cannot_say=why)]
    return [_angle(name, base, known, column, seen, policy.alpha), _index(name, base, known, seen, policy)]


def _void(name: str, was: str, declared: str) -> Evidence:
    a, b = (f"by {one!r}" if one else "by nobody knows what" for one in (was, declared))
    why = (
        f"void: the baseline's vectors were made {a}, the sample's {b} ([tool.mlgates.skew] encoders); "
        "other encoders have other axes, so make a new baseline"
    )
    return Evidence("cosine distance", None, where=name, cannot_say=why)


def _angle(name: str, base: Column, known: Vector, column: port.Column, seen: port.Vectors, alpha: float) -> Evidence:
    import numpy as np

    from pytest_mlgates.stats.embedding import cosine_distance
    from pytest_mlgates.stats.special import normal_quantile

    n, m = base.present, seen.rows
    try:
        found = cosine_distance(np.array(known.centroid), seen.mean, known.spread / n, seen.spread / m)
    except ValueError as problem:
        return Evidence("cosine distance", None, m, where=name, cannot_say=str(problem))
    # The sample's own spread along both slopes stands in for the baseline's, of which no rows are kept.
    along = column.vectors(np.stack((found.slope_a, found.slope_b), axis=1)).images
    a, b = along.var(axis=0, ddof=1)
    noise = 2 * found.bias**2  # as if all spread lay along one axis, which is the worst case
    half = normal_quantile(1 - alpha) * math.sqrt(float(a) / n + float(b) / m + noise)
    between = Interval(found.value - half, found.value + half, 1 - 2 * alpha, "delta method, bias taken off")
    return Evidence("cosine distance", max(found.value, 0.0), m, between, where=name, details={"bias": found.bias})


def _index(name: str, base: Column, known: Vector, seen: port.Vectors, policy: Skew) -> Evidence:
    import numpy as np

    from pytest_mlgates.stats.drift import psi
    from pytest_mlgates.stats.embedding import hotelling

    images = zip(known.images, seen.images.T, strict=True)
    counts = [(by_decile(one), _counted(one.deciles, values)) for one, values in images]
    found = [psi(*both) for both in counts]
    most = max(range(len(found)), key=lambda at: found[at].value)
    mean, covariance = seen.images.mean(axis=0), np.cov(seen.images, rowvar=False)
    test = hotelling(known.mean, known.covariance, base.present, mean, covariance, seen.rows)
    details = {
        "direction": most,
        "directions": len(found),
        "hotelling_p": test.p_value,
        "mean_shift_sd": test.distance,
        "psi": [one.value for one in found],
    }
    n, between = len(seen.images), interval(found[most], *counts[most], policy)
    return Evidence("psi", max(found[most].value, 0.0), n, between, where=name, details=details)


def _counted(edges: tuple[float, ...], values: Floats) -> list[int]:
    import numpy as np

    place = np.searchsorted(np.array(edges), values, side="right")
    return [int(rows) for rows in np.bincount(place, minlength=len(edges) + 1)]
