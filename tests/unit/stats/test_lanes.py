"""The side-by-side generators are numpy's SFC64, and whole numbers below a bound come out even."""

import numpy as np

from pytest_mlgates.stats.lanes import LANES, ROUNDS, new_stream, refill
from pytest_mlgates.stats.resample import _uniform, poisson_table


def test_every_lane_is_numpys_sfc64() -> None:
    stream = new_stream(np.random.default_rng(4))
    for lane in (0, 7, LANES - 1):
        fresh = stream.copy()
        reference = np.random.SFC64(0)
        state = reference.state
        state["state"]["state"] = np.array([*fresh[lane : 3 * LANES : LANES], fresh[-1]], dtype=np.uint64)
        reference.state = state
        mine = np.concatenate([refill(fresh).reshape(ROUNDS, LANES)[:, lane].copy() for _ in range(5)])
        np.testing.assert_array_equal(mine, reference.random_raw(5 * ROUNDS))


def test_whole_numbers_below_a_bound_come_out_even() -> None:
    numbers = _uniform(new_stream(np.random.default_rng(0)), 3, 300_000)
    assert len(numbers) == 300_000
    assert np.abs(np.bincount(numbers) / 300_000 - 1 / 3).max() < 0.004


def test_the_16_bit_law_and_its_correction_are_poisson_together() -> None:
    for size in (10, 500, 1_000_000):
        table = poisson_table(size)
        mean = max(0.0, 1 - 3 / size**0.5)
        edges = np.append(table.edges.astype(float) + 1, 65536)
        quantised = np.diff(edges, prepend=0) / 65536
        residual = np.diff(table.residual, prepend=0)
        law = np.zeros(40)
        law[: len(quantised)] = (1 - table.correction) * quantised
        law += table.correction * residual
        k = np.arange(40)
        poisson = np.exp(-mean) * np.cumprod(np.append(1.0, mean / k[1:]))
        np.testing.assert_allclose(law, poisson, atol=1e-15)
        assert table.correction < 4e-4
