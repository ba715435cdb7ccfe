"""Evidence survives the wire."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.evidence import Evidence, Interval, from_plain, plain

numbers = st.floats(allow_nan=False)
texts = st.text(max_size=20)
intervals = st.builds(Interval, numbers, numbers, st.floats(0.5, 0.99), texts)
plain_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
evidences = st.builds(
    Evidence,
    texts,
    st.none() | numbers,
    st.integers(0, 10**9),
    st.none() | intervals,
    unit=texts,
    where=texts,
    cannot_say=texts,
    details=st.dictionaries(texts, plain_data, max_size=3),
    subject=texts,
    digests=st.dictionaries(texts, texts, max_size=2),
)


@given(evidences)
def test_what_is_written_is_read_back(evidence: Evidence) -> None:
    line = json.dumps(plain(evidence), allow_nan=False)
    assert from_plain(json.loads(line)) == evidence


def test_numpy_scalars_and_arrays_become_plain() -> None:
    evidence = Evidence("auc", np.float32(0.5), np.int64(7), details={"counts": np.arange(3), "one": np.bool_(True)})
    assert (evidence.value, evidence.n) == (0.5, 7)
    assert type(evidence.value) is float
    assert evidence.details == {"counts": [0, 1, 2], "one": True}


def test_nan_crosses_the_wire_as_a_word() -> None:
    read = from_plain(json.loads(json.dumps(plain(Evidence("auc", math.nan, 1)))))
    assert read.value is not None
    assert math.isnan(read.value)


def test_what_has_no_plain_form_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="not Decimal"):
        Evidence("auc", 0.5, 1, details={"x": Decimal("0.1")})
