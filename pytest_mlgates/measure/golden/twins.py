"""How often rows of one frame have an equal row in another, and how often they would by chance.

Good (1953): a new row equals a training row that occurs exactly once with probability ``2 N2 / n``, where N2 counts
the distinct rows that occur twice among n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_CLASSES = 50


@dataclass(frozen=True, slots=True)
class Twins:
    """How rows of the golden set and of the training data meet. All are counts of rows.

    `once`: golden rows whose equal training row occurs exactly once; `alone`: golden rows without an equal one.
    `good`: how large `once` is by chance after Good, with its `good_variance`, and `bound`: how large it can be at
    most, after Cauchy-Schwarz, each summed over the labels; `repeated`: distinct training rows that occur more than
    once; `pairs`: ordered pairs of equal golden rows that the training data lacks; `disagreeing`: golden rows that
    training has with another label only.
    """

    golden: int
    training: int
    once: int
    alone: int
    good: float
    good_variance: float
    bound: float
    repeated: int
    pairs: int
    disagreeing: int

    @property
    def chance(self) -> float:
        """How many of `once` chance explains: the larger of two figures, so that neither assumption is needed alone.

        Good's needs a golden set drawn like the training data within each class; the bound only needs independent
        rows, whatever the two populations are, but a golden set that was not de-duplicated.
        """
        return max(self.good, self.bound)

    @property
    def error(self) -> float:
        """Standard error of ``once - chance``: the golden rows' own, and that of Good's estimate (as Robbins 1968,
        one occurrence further). That no row was hit is no proof that none could be, hence one row at least.
        """
        return math.sqrt(max(1, self.once) + self.good_variance)

    def share(self, leaked: float) -> float:
        """The share of golden rows in training that shows as `leaked` rows beyond chance.

        A leaked row is seen when it had no twin, and hides when it had one already: of a share s,
        ``s * (alone / (1 - s) - chance)`` rows come to light, solved for s.
        """
        size = abs(leaked)
        half = self.alone - self.chance + size
        root = half * half + 4 * self.chance * size
        if size == 0 or half + math.sqrt(root) == 0:
            return 0.0
        return math.copysign(min(1.0, 2 * size / (half + math.sqrt(root))), leaked)


def twins_of(golden: pd.DataFrame, training: pd.DataFrame, label: str) -> Twins:
    """Rows are equal in all columns; both frames have the same, `label` perhaps among them."""
    import numpy as np
    import pandas as pd

    # Put together first, so that 1 and 1.0 get one type and therefore one key.
    both = pd.concat([training, golden], ignore_index=True)
    n = len(training)
    code, in_training, in_golden = _counts(both, n)
    disagreeing, kind = 0, np.zeros(len(in_training), dtype=np.int64)
    if label in both.columns:
        x_code, x_training, _ = _counts(both.drop(columns=label), n)
        disagreeing = int(np.count_nonzero((x_training[x_code[n:]] > 0) & (in_training[code[n:]] == 0)))
        kind[code] = _label_codes(both[label])

    def by_label(counts: NDArray[Any]) -> NDArray[Any]:
        return np.bincount(kind, weights=counts, minlength=int(kind.max()) + 1)

    # A balanced golden set has more rows for each training row of the rare label, hence label by label.
    ratio = by_label(in_golden) / np.maximum(by_label(in_training), 1)
    twice, thrice = by_label(in_training == 2), by_label(in_training == 3)
    pairs = by_label((in_golden * (in_golden - 1)) * (in_training == 0))
    return Twins(
        golden=len(golden),
        training=n,
        once=int(in_golden[in_training == 1].sum()),
        alone=int(in_golden[in_training == 0].sum()),
        good=float((2 * ratio * twice).sum()),
        good_variance=float((ratio**2 * (4 * twice + 6 * thrice)).sum()),
        bound=float(np.sqrt(2 * twice * pairs).sum()),
        repeated=int(np.count_nonzero(in_training > 1)),
        pairs=int(pairs.sum()),
        disagreeing=disagreeing,
    )


def _counts(rows: pd.DataFrame, n: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(which distinct row each is, how often each distinct row occurs among the first n, and among the rest)."""
    import numpy as np
    import pandas as pd

    keys = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    distinct, code = np.unique(keys, return_inverse=True)
    size = len(distinct)
    return code, np.bincount(code[:n], minlength=size), np.bincount(code[n:], minlength=size)


def _label_codes(labels: pd.Series[Any]) -> NDArray[Any]:
    """A number (n,) for each label; one for all where there are many (a regression), as none has rows enough."""
    import pandas as pd

    code, known = pd.factorize(labels, use_na_sentinel=False)
    codes: NDArray[Any] = code if len(known) <= _CLASSES else code * 0
    return codes
