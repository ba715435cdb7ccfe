"""Reading is bounded and never fails in a way of its own: any bytes are either trusted or refused with a sentence."""

from __future__ import annotations

import io
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlgates.artifact import Scan
from pytest_mlgates.artifact.allowed import Allowed
from pytest_mlgates.artifact.archives import Budget
from pytest_mlgates.artifact.calls import plain_formula, plain_parser
from pytest_mlgates.artifact.formats import Reading, read
from pytest_mlgates.artifact.mlmodel import inside
from pytest_mlgates.artifact.problem import Refused

from . import corpus

PACKAGES = [Path(entry) for entry in sys.path if entry]
ALLOWED = Allowed(["sklearn"], (), PACKAGES)


def refusal(content: bytes, name: str = "model.bin", role: Any = "") -> str:
    try:
        read(memoryview(content), name, Reading(ALLOWED, frozenset(["sklearn"]), Budget(), role))
    except Refused as refused:
        return refused.reason
    return ""


HONEST = pickle.dumps({"a": np.arange(5.0), "b": [1, "x", None, (2.5,)], "c": np.float64(1)})


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), st.sampled_from(["model.pkl", "a.bin", "a.json", "a.zip", "a.npy"]))
def test_any_bytes_are_read_to_a_verdict(content: bytes, name: str) -> None:
    refusal(content, name)


@settings(max_examples=300)
@given(st.integers(0, len(HONEST) - 1), st.binary(min_size=1, max_size=4))
def test_a_changed_pickle_is_read_to_a_verdict(at: int, change: bytes) -> None:
    refusal(HONEST[:at] + change + HONEST[at + len(change) :], "model.pkl", "pickle")


@settings(max_examples=100)
@given(st.integers(1, len(HONEST) - 1))
def test_a_cut_pickle_is_refused(at: int) -> None:
    assert refusal(HONEST[:at], "model.pkl", "pickle")


def test_the_honest_pickle_is_not() -> None:
    assert refusal(HONEST, "model.pkl", "pickle") == ""


@settings(max_examples=50)
@given(st.data())
def test_a_changed_archive_never_becomes_trusted_with_other_bytes(data: st.DataObject) -> None:
    """Whatever byte of a zip is changed: refused, or the very same members."""
    whole = corpus.zipped([("m/data.pkl", b"\x80\x02N."), ("m/version", b"3\n")])
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    if refusal(bytes(changed), "model.pt") == "":
        import zipfile

        with zipfile.ZipFile(io.BytesIO(changed)) as archive:
            assert archive.read("m/data.pkl") == b"\x80\x02N."


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"catboost\nnumpy\npandas\n", "requirements.txt"),
        (b"cloudpickle==3.1.2\nscikit-learn==1.9.1\n", "requirements.txt"),
        (b"tree\nversion=v4\nnum_class=1\n", "model.lgb"),
        (b'{"a": [1, 2]}', "model.json"),
        (b"", "empty.txt"),
        (np.arange(3.0).tobytes(), "weights"),
    ],
)
def test_what_is_no_pickle_is_not_taken_for_one(content: bytes, name: str) -> None:
    assert refusal(content, name) in ("", "it is of no known format")
    assert (refusal(content, name) == "") is (name != "weights")


def test_an_array_in_the_middle_of_a_frame(tmp_path: Path, read: Callable[[Path], Scan]) -> None:
    """What follows it is read by joblib's unpickler, and skipped by a reader that does not know of frames."""
    (tmp_path / "model").mkdir()
    corpus.array_in_the_middle_of_a_frame(tmp_path / "model", tmp_path / "marker")
    (problem,) = read(tmp_path / "model").problems
    assert problem.reason.startswith("an array of joblib lies within a frame")


def test_arrays_of_records_and_words() -> None:
    for array in (np.zeros(3, dtype=[("a", "<f8"), ("b", "U4", (2,))]), np.array(["x", "yy"]), np.zeros((0, 4))):
        stream = io.BytesIO()
        np.save(stream, array)
        assert refusal(stream.getvalue(), "a.npy") == ""
        assert refusal(stream.getvalue() + b"x", "a.npy") == "the array is not as long as its header says"


#: As a person would write them, and as an attacker would.
FORMULAS = {
    "y ~ a + b": True,
    "y ~ C(region) * np.log(income) - 1": True,
    "np.log(y) ~ a:b + I(a**2)": True,
    "y ~ __import__('os').system('true')": False,
    "y ~ a.__class__": False,
    "y ~ np.load('x')": False,
    "y ~ eval('1')": False,
    "y ~ [x for x in a]": False,
    "y ~ (lambda: 1)()": False,
    "y ~ a +": False,
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas(formula: str) -> None:
    assert plain_formula(formula) is FORMULAS[formula]


def test_a_parser_of_scipy_is_told_from_any_other() -> None:
    from scipy import stats

    texts = {getattr(stats, name)._parse_arg_template for name in ("norm", "beta", "gamma", "randint", "loguniform")}
    assert all(map(plain_parser, texts))
    for text in ("import os", "def f(): import os", "def f(a=open('x')): return a", "def f(): return eval('1')", "f("):
        assert not plain_parser(text)


@pytest.mark.parametrize("path", ["model.pkl", "a/b/c", "a..b/c", "...x"])
def test_paths_inside(path: str) -> None:
    assert inside(path)


@pytest.mark.parametrize("path", ["/a", "../a", "a/../../b", "a\\..\\b", "C:\\a", "~/a", "file:///a", "a\0b"])
def test_paths_that_leave(path: str) -> None:
    assert not inside(path)


LARGE = """
import resource, sys
from pathlib import Path
from pytest_mlgates.artifact import scan
resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 300 << 20))
found = scan(Path(sys.argv[1]), packages=[Path(entry) for entry in sys.path if entry])
assert not found.problems, found.problems
print(found.size)
"""


def test_a_large_artifact_takes_little_memory(tmp_path: Path) -> None:
    """1 GB in a sparse file, read by a process that may hold 300 MB."""
    size = 1 << 30
    folder = tmp_path / "model"
    corpus.harmless(folder)
    with (folder / "model.pkl").open("wb") as stream:
        stream.write(b"\x80\x04\x8e" + size.to_bytes(8, "little"))
        stream.seek(size, 1)
        stream.write(b".")
    done = subprocess.run([sys.executable, "-c", LARGE, str(folder)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > size
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # measured in the child by its limit


def test_a_class_of_ones_own_is_allowed_by_its_whole_name(tmp_path: Path) -> None:
    content = b"\x80\x04" + corpus.named("mypackage.features", "Clip") + b")\x81."
    assert "it names mypackage.features.Clip" in refusal(content, "model.pkl", "pickle")
    own = Allowed(["sklearn"], ["mypackage.features.Clip"], PACKAGES)
    read(memoryview(content), "model.pkl", Reading(own, frozenset(["sklearn"]), Budget(), "pickle"))


def test_a_package_that_is_not_installed_is_said(tmp_path: Path, read: Callable[[Path], Scan]) -> None:
    content = b"\x80\x04" + corpus.named("feature_engine.absent", "Clip") + b")\x81."
    corpus.sklearn(tmp_path / "model", content)
    (problem,) = read(tmp_path / "model").problems
    said = "feature_engine.absent is not installed here, so what Clip is cannot be known"
    assert problem.reason == f"it names feature_engine.absent.Clip, {said}"


def test_what_downloading_writes_is_no_part_of_the_digest(tmp_path: Path, read: Callable[[Path], Scan]) -> None:
    corpus.harmless(tmp_path / "model")
    before = read(tmp_path / "model")
    (tmp_path / "model" / "registered_model_meta").write_text("model_name: credit\nmodel_version: '1'\n")
    after = read(tmp_path / "model")
    assert (after.digest, after.problems) == (before.digest, ())
    assert after.files == before.files + 1
