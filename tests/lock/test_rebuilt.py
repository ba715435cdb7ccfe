"""Environments built by the real uv from a lock, offline: the index is a folder with one wheel made here."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from pathlib import Path

import pytest

from pytest_mlgates.doors.rebuilt import rebuilt
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.lock import Lock, Package
from pytest_mlgates.lock.installed import python, system
from pytest_mlgates.lock.lock import made
from pytest_mlgates.lock.requested import requested

PLACE = "the lock of v2"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("uv")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "index"


def wheel(index: Path, name: str, version: str) -> str:
    """The hash of a wheel whose one module says its version."""
    index.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: numpy\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items())
    file = index / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def lock(*packages: Package) -> Lock:
    return made(packages, PLACE, python=python(), platform=system())


def test_exactly_the_packages_of_the_lock_and_none_that_they_would_bring(index: Path, tmp_path: Path) -> None:
    digest = wheel(index, "tiny", "1.0")
    wheel(index, "tiny", "1.1")
    built = rebuilt(lock(Package("tiny", "1.0", (digest,))), tmp_path / "environments", PLACE)
    assert built.has == {"tiny"}
    assert [file.name for file in built.folder.glob("lib/*/site-packages/tiny.py")] == ["tiny.py"]
    assert built.python.exists()


def test_it_is_built_once(index: Path, tmp_path: Path) -> None:
    digest = wheel(index, "tiny", "1.0")
    wanted = lock(Package("tiny", "1.0", (digest,)))
    first = rebuilt(wanted, tmp_path / "environments", PLACE)
    (index / "tiny-1.0-py3-none-any.whl").unlink()
    assert rebuilt(wanted, tmp_path / "environments", PLACE) == first


def test_a_file_with_another_hash_is_not_installed(index: Path, tmp_path: Path) -> None:
    wheel(index, "tiny", "1.0")
    with pytest.raises(CouldNotEvaluate, match=r"uv could not build the environment of the lock: .*[Hh]ash"):
        rebuilt(lock(Package("tiny", "1.0", ("sha256:" + "a" * 64,))), tmp_path / "environments", PLACE)


def test_what_was_left_half_done_is_built_anew(index: Path, tmp_path: Path) -> None:
    wanted = lock(Package("tiny", "1.0"))
    with pytest.raises(CouldNotEvaluate, match="uv could not build the environment of the lock"):
        rebuilt(wanted, tmp_path / "environments", PLACE)
    wheel(index, "tiny", "1.0")
    assert rebuilt(wanted, tmp_path / "environments", PLACE).has == {"tiny"}


def test_an_environment_that_was_changed_afterwards_is_not_used(index: Path, tmp_path: Path) -> None:
    wheel(index, "tiny", "1.0")
    wanted = lock(Package("tiny", "1.0"))
    built = rebuilt(wanted, tmp_path / "environments", PLACE)
    (info,) = built.folder.glob("lib/*/site-packages/tiny-1.0.dist-info")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 9.0\n")
    said = f"the environment built from {PLACE} is another one: tiny 1.0 -> 9.0; delete {built.folder} to build it anew"
    with pytest.raises(CouldNotEvaluate, match=re.escape(said)):
        rebuilt(wanted, tmp_path / "environments", PLACE)


def test_a_package_that_has_no_wheel_is_not_built_here(index: Path, tmp_path: Path) -> None:
    """Building would run its setup.py."""
    import tarfile

    index.mkdir()
    (tmp_path / "setup.py").write_text(f"open({str(tmp_path / 'marker')!r}, 'w').close()\n")
    with tarfile.open(index / "tiny-1.0.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "setup.py", "tiny-1.0/setup.py")
    with pytest.raises(CouldNotEvaluate, match="uv could not build the environment of the lock"):
        rebuilt(lock(Package("tiny", "1.0")), tmp_path / "environments", PLACE)
    assert not (tmp_path / "marker").exists()


def test_what_no_index_has_is_left_out_and_said(index: Path, tmp_path: Path) -> None:
    wheel(index, "tiny", "1.0")
    wanted = lock(Package("tiny", "1.0"), Package("mine", "0.1", origin="editable"))
    assert rebuilt(wanted, tmp_path / "environments", PLACE).left_out == ("mine (editable)",)


@pytest.mark.parametrize(
    ("packages", "facts", "sentence"),
    [
        ([Package("x", ">=1")], {}, f"{PLACE} gives x as a range (>=1): lock it"),
        ([Package("x", "")], {}, f"{PLACE} gives x as a range (any version): lock it"),
        ([Package("x", "0", origin="editable")], {}, f"{PLACE} names no package that an index has"),
        ([Package("x", "1")], {"platform": "plan9 mips"}, f"{PLACE} is of plan9 mips, and this is {system()}"),
    ],
)
def test_a_lock_that_cannot_be_built(packages: list[Package], facts: dict[str, str], sentence: str) -> None:
    with pytest.raises(UsageError, match="^" + re.escape(sentence)):
        requested(made(packages, PLACE, **facts), PLACE)


@pytest.mark.parametrize(
    ("said", "interpreter"), [("", ""), (python(), ""), ("CPython 3.9.1", "cpython@3.9.1"), ("PyPy 3.10", "pypy@3.10")]
)
def test_the_interpreter_of_training(said: str, interpreter: str) -> None:
    assert requested(made([Package("x", "1")], PLACE, python=said), PLACE).interpreter == interpreter
