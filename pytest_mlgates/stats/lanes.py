"""Random 64-bit words, many independent generators side by side.

SFC64 (Chris Doty-Humphrey, PractRand; numpy's `SFC64` is one lane of it) needs only additions, shifts and
exclusive or, which processors do for eight lanes in one instruction. The lanes' states are words of numpy's
PCG64. numpy and numba walk the same buffer, so both make the same words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LANES = 512  # generators side by side
ROUNDS = 4  # words each makes at a time: its state then stays in registers
WORDS = LANES * ROUNDS

Words = NDArray[np.uint64]


def new_stream(rng: np.random.Generator) -> Words:
    """A buffer of states a, b, c (LANES each), then WORDS words, then the counter."""
    stream = np.zeros((3 + ROUNDS) * LANES + 1, dtype=np.uint64)
    stream[: 3 * LANES] = rng.integers(0, 2**64 - 1, 3 * LANES, dtype=np.uint64, endpoint=True)
    stream[-1] = 1
    return stream


def refill(stream: Words) -> Words:
    """Advance every lane by ROUNDS and return the words made, (WORDS,), a view that the next call overwrites."""
    a, b, c = (stream[i * LANES : (i + 1) * LANES] for i in range(3))
    words = stream[3 * LANES : -1]
    for start in range(0, WORDS, LANES):
        made = words[start : start + LANES]
        np.add(a, b, out=made)
        made += stream[-1]
        np.right_shift(b, 11, out=a)
        a ^= b
        np.left_shift(c, 3, out=b)
        b += c
        turned = c >> np.uint64(40)
        c <<= np.uint64(24)
        c |= turned
        c += made
        stream[-1] += np.uint64(1)
    return words
