"""The environment's list, and what DVC's small files say."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import pytest

from pytest_mlgates import fingerprint
from pytest_mlgates.adapters.golden import dvc_origin
from pytest_mlgates.errors import UsageError
from pytest_mlgates.origin import environment


def installed(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / f"{name}.dist-info").mkdir(parents=True)
    return folder


def test_packages_are_canonical_and_the_first_counts(tmp_path: Path) -> None:
    one = installed(tmp_path / "one", "Scikit_Learn-1.5.0", "zope.interface-6.0")
    two = installed(tmp_path / "two", "scikit_learn-1.4.0", "numpy-2.0.0+cpu", "a-1!2.0.post1")
    assert environment.packages([one, tmp_path / "absent", two]) == [
        "a==1!2.0.post1",
        "numpy==2.0.0+cpu",
        "scikit-learn==1.5.0",
        "zope-interface==6.0",
    ]


def test_the_digest_is_of_the_interpreter_and_the_list(tmp_path: Path) -> None:
    folder = installed(tmp_path, "numpy-2.0.0")
    whole = f"{platform.python_implementation()} {platform.python_version()}\0numpy==2.0.0"
    assert environment.digest([folder]) == hashlib.sha256(whole.encode()).hexdigest()
    assert environment.digest([installed(tmp_path, "pandas-2.0")]) != fingerprint.of_text(whole)


def pinned(folder: Path, data: bytes = b"x\n", md5: str = "") -> Path:
    file = folder / "t.csv"
    file.write_bytes(data)
    md5 = md5 or hashlib.md5(data).hexdigest()
    (folder / "t.csv.dvc").write_text(f"outs:\n- md5: {md5}\n  path: t.csv\n")
    return file


def test_the_pin_of_a_file(tmp_path: Path) -> None:
    file = pinned(tmp_path)
    assert dvc_origin.pinned(file) == hashlib.md5(b"x\n").hexdigest()
    file.unlink()
    assert dvc_origin.pinned(file) == hashlib.md5(b"x\n").hexdigest()


def test_a_folder_is_taken_at_its_word(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images.dvc").write_text("outs:\n- md5: abc.dir\n  path: images\n")
    assert dvc_origin.pinned(tmp_path / "images") == "abc.dir"


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    file = pinned(tmp_path, md5="a" * 32)
    with pytest.raises(UsageError) as raised:
        dvc_origin.pinned(file)
    found = hashlib.md5(b"x\n").hexdigest()
    assert str(raised.value) == (
        f"{file} is not the file its pointer pins: its md5 is {found}, the pointer says {'a' * 32}; run `dvc add` and "
        "commit the pointer, then train again"
    )


@pytest.mark.parametrize("text", [None, "", "outs: []", "\0", "outs:\n- path: x"])
def test_no_pointer(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "t.csv.dvc").write_text(text)
    with pytest.raises(UsageError) as raised:
        dvc_origin.pinned(tmp_path / "t.csv")
    assert str(raised.value) == (
        f"{tmp_path}/t.csv.dvc is no DVC pointer with an md5: run `dvc add t.csv` in {tmp_path}"
    )


def dvc(root: Path, config: str, local: str = "") -> Path:
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text(config)
    if local:
        (root / ".dvc" / "config.local").write_text(local)
    return root / "data" / "t.csv"


REMOTE = "[core]\n    remote = r\n['remote \"r\"']\n    url = {}\n"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("../store", "../store"),
        ("s3://bucket/100%/x", "s3://bucket/100%/x"),
        ("https://me:secret@host/x?token=secret", "https://host/x"),
    ],
)
def test_the_remote_without_its_secrets(tmp_path: Path, url: str, said: str) -> None:
    assert dvc_origin.remote(tmp_path, dvc(tmp_path, REMOTE.format(url))) == said


def test_the_local_file_wins(tmp_path: Path) -> None:
    data = dvc(tmp_path, REMOTE.format("a"), "['remote \"r\"']\n    url = b\n")
    assert dvc_origin.remote(tmp_path, data) == "b"


def test_dvc_may_live_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    assert dvc_origin.remote(tmp_path, dvc(tmp_path / "sub", REMOTE.format("a"))) == "a"


@pytest.mark.parametrize("config", ["", "[core]\n", "[core]\n    remote = gone\n", "no config"])
def test_no_remote(tmp_path: Path, config: str) -> None:
    with pytest.raises(UsageError) as raised:
        dvc_origin.remote(tmp_path, dvc(tmp_path, config))
    assert str(raised.value) == (
        f"{tmp_path}/.dvc/config names no default remote, so nobody else can get t.csv: "
        "run `dvc remote add --default NAME URL` and `dvc push`"
    )
