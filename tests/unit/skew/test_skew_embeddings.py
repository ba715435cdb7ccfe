"""Embeddings: the angle of the centroids, the index along random directions, and what makes both void."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from skew_sides import judged, table

from pytest_mlgates.baseline.make import make
from pytest_mlgates.engine.arrow import ArrowTable
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.stats.embedding import cosine_distance, hotelling
from pytest_mlgates.verdict import Verdict

SIZE = 32


def vectors(rows: int, seed: int, *, turn: float = 0.0, sd: float = 0.5) -> Any:
    """Around one axis, or turned by `turn` radians towards another."""
    centre = np.zeros(SIZE)
    centre[0], centre[1] = np.cos(turn), np.sin(turn)
    return centre + np.random.default_rng(seed).normal(0, sd, (rows, SIZE))


def column(values: Any, *, fixed: bool = True) -> ArrowTable:
    type_ = pa.list_(pa.float32(), SIZE) if fixed else pa.list_(pa.float32())
    return table(v=pa.array(list(values.astype("float32")), type_))


def verdicts(before: Any, now: Any, encoder: str = "m", declared: str = "m", **policy: Any) -> Any:
    made = make(column(before), encoders={"v": encoder} if encoder else {})
    sample = now if isinstance(now, ArrowTable) else column(now)
    return judged(made, sample, encoders={"v": declared} if declared else {}, **policy)


def test_the_same_encoder_on_the_same_things_passes() -> None:
    found = verdicts(vectors(3_000, 1), vectors(3_000, 2))
    assert list(found) == ["all"]
    assert found["all"].verdict is Verdict.PASS


def test_a_turn_of_the_centroid_fails() -> None:
    found = verdicts(vectors(3_000, 1), vectors(3_000, 2, turn=0.8), psi=10)
    assert found["v"].verdict is Verdict.FAIL
    assert found["v"].sentence.startswith("cosine distance [v] 0.3")


def test_more_spread_fails_though_the_centroid_stays() -> None:
    found = verdicts(vectors(3_000, 1), vectors(3_000, 2, sd=1.2))
    assert found["v"].verdict is Verdict.FAIL
    assert "psi [v]" in found["v"].sentence


def test_lists_of_any_length_are_vectors_when_they_are_all_alike() -> None:
    found = verdicts(vectors(3_000, 1), column(vectors(3_000, 2), fixed=False))
    assert found["all"].verdict is Verdict.PASS


@pytest.mark.parametrize(("made", "declared"), [("a", "b"), ("a", ""), ("", "b")])
def test_another_encoder_makes_it_void(made: str, declared: str) -> None:
    found = verdicts(vectors(500, 1), vectors(500, 2), made, declared)
    assert found["v"].verdict is Verdict.INCONCLUSIVE
    assert found["v"].sentence.startswith("cosine distance [v]: void: the baseline's vectors were made by ")


def test_another_length_is_another_encoder() -> None:
    short = table(v=pa.array([[1.0, 2.0]] * 50, pa.list_(pa.float32(), 2)))
    found = verdicts(vectors(500, 1), short)
    assert found["v"].verdict is Verdict.INCONCLUSIVE
    assert found["v"].sentence.endswith("the sample's vectors have 2 numbers, the baseline's 32: the encoder changed")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused(bad: float) -> None:
    now = vectors(100, 2)
    now[3, 3] = bad
    with pytest.raises(CouldNotEvaluate, match=r"^column 'v' of a table holds vectors with NaN or infinity$"):
        verdicts(vectors(100, 1), now)


def test_ragged_vectors_are_refused() -> None:
    ragged = table(v=pa.array([[1.0] * SIZE] * 20 + [[1.0] * 3], pa.list_(pa.float32())))
    with pytest.raises(CouldNotEvaluate, match=r"give vectors of one length$"):
        verdicts(vectors(100, 1), ragged)


def test_a_column_of_nulls_instead_of_vectors_proves_nothing() -> None:
    nothing = table(v=pa.array([None] * 50, pa.list_(pa.float32(), SIZE)))
    assert verdicts(vectors(100, 1), nothing)["v"].verdict is Verdict.INCONCLUSIVE


def test_noise_alone_has_no_distance_once_its_bias_is_off() -> None:
    """Forty pairs of small samples of one cloud."""
    values = []
    for seed in range(40):
        a, b = vectors(50, seed), vectors(50, 1_000 + seed)
        noise = SIZE * 0.25 / 50
        values.append(cosine_distance(a.mean(axis=0), b.mean(axis=0), noise, noise).value)
    assert abs(np.mean(values)) < 0.2 * noise
    assert np.mean(values) < np.mean([noise])


def test_a_centroid_that_points_nowhere_has_no_angle() -> None:
    with pytest.raises(ValueError, match="length zero"):
        cosine_distance([0.0, 0.0], [1.0, 0.0], 0.1, 0.1)


def test_hotelling_finds_a_shift_and_is_calm_without_one() -> None:
    rng = np.random.default_rng(0)
    p_values = []
    for _ in range(200):
        a, b = rng.normal(size=(300, 4)), rng.normal(size=(200, 4))
        p_values.append(hotelling(a.mean(0), np.cov(a.T), 300, b.mean(0), np.cov(b.T), 200).p_value)
    assert 0.01 < np.mean(np.array(p_values) < 0.05) < 0.1
    moved = hotelling(a.mean(0), np.cov(a.T), 300, b.mean(0) + 0.5, np.cov(b.T), 200)
    assert moved.p_value < 1e-6
    assert moved.distance == pytest.approx(1.0, abs=0.25)
