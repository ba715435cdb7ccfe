"""Lock files of every form say the same of the same environment; what cannot be held to is said in a sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import UsageError
from pytest_mlgates.lock import Lock, Package, differences, read_lock
from pytest_mlgates.lock.compare import unsaid
from pytest_mlgates.lock.installed import closure, installed
from pytest_mlgates.lock.lock import made

A, B = "a" * 64, "b" * 64
REQUIREMENTS = f"""\
# made by a tool
--index-url https://pypi.org/simple
NumPy==1.26.4 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
scikit_learn[all]==1.4.2 ; python_version >= "3.9" --hash=sha256:{B}  # via -r in
"""
UV = f"""\
version = 1
requires-python = ">=3.11"
[[package]]
name = "mine"
version = "0.1"
source = {{ editable = "." }}
[[package]]
name = "numpy"
version = "1.26.4"
source = {{ registry = "https://pypi.org/simple" }}
sdist = {{ url = "x", hash = "sha256:{A}" }}
wheels = [{{ url = "y", hash = "sha256:{B}" }}]
[[package]]
name = "scikit-learn"
version = "1.4.2"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [{{ url = "y", hash = "sha256:{B}" }}]
"""
FILES = f"""\
[[package]]
name = "numpy"
version = "1.26.4"
files = [{{file = "x", hash = "sha256:{A}"}}, {{file = "y", hash = "sha256:{B}"}}]
[[package]]
name = "scikit-learn"
version = "1.4.2"
files = [{{file = "y", hash = "sha256:{B}"}}]
[metadata]
"""
PYLOCK = f"""\
lock-version = "1.0"
created-by = "x"
[[packages]]
name = "numpy"
version = "1.26.4"
sdist = {{name = "n", hashes = {{sha256 = "{A}"}}}}
wheels = [{{name = "m", hashes = {{sha256 = "{B}"}}}}]
[[packages]]
name = "scikit-learn"
version = "1.4.2"
wheels = [{{name = "m", hashes = {{sha256 = "{B}"}}}}]
"""
CONDA = f"""\
metadata:
  channels: []
package:
- {{name: numpy, version: 1.26.4, platform: linux-64, hash: {{sha256: {A}}}}}
- {{name: scikit-learn, version: 1.4.2, platform: linux-64, hash: {{sha256: {B}}}}}
"""
FORMS = {
    "requirements.txt": REQUIREMENTS,
    "uv.lock": UV,
    "poetry.lock": FILES + 'lock-version = "2.0"\ncontent-hash = "x"\n',
    "pdm.lock": FILES + 'strategy = []\nlock_version = "4.5"\ncontent_hash = "x"\n',
    "pylock.toml": PYLOCK,
    "conda-lock.yml": CONDA,
}


def lock(text: str, place: str = "lock") -> Lock:
    found = read_lock(text, place)
    assert isinstance(found, Lock)
    return found


@pytest.mark.parametrize("name", FORMS)
def test_every_form_names_the_same_packages(name: str) -> None:
    found = lock(FORMS[name], name)
    assert [(one.name, one.version) for one in found.packages] == [("numpy", "1.26.4"), ("scikit-learn", "1.4.2")]
    assert found.loose() == ()
    assert differences(found, lock(REQUIREMENTS)) == ()


@pytest.mark.parametrize("name", ["requirements.txt", "uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"])
def test_forms_with_the_same_hashes_have_one_digest(name: str) -> None:
    assert lock(FORMS[name]).digest == lock(REQUIREMENTS).digest


@given(st.permutations(REQUIREMENTS.replace("\\\n", " ").splitlines()))
def test_the_order_of_lines_does_not_matter(lines: list[str]) -> None:
    assert lock("\n".join(lines)).digest == lock(REQUIREMENTS).digest


@pytest.mark.parametrize(
    "changed",
    [
        REQUIREMENTS.replace("1.26.4", "1.26.5"),
        REQUIREMENTS.replace(A, "c" * 64),
        REQUIREMENTS + "six==1.0\n",
    ],
)
def test_any_other_fact_is_another_digest(changed: str) -> None:
    assert lock(changed).digest != lock(REQUIREMENTS).digest


def test_what_it_writes_it_reads() -> None:
    before = made(
        [Package("A_b", "1", (f"sha256:{A}",))], "x", python="CPython 3.11.7", platform="linux x86_64", image="sha256:1"
    )
    assert lock(before.text()) == before


def test_the_other_side_may_give_only_a_digest() -> None:
    digest = lock(REQUIREMENTS).digest
    assert read_lock(digest + "\n", "x") == digest
    inspected = json.dumps([{"Config": {"Labels": {"mlgates.lock": digest}}}])
    assert read_lock(inspected, "x") == digest
    assert read_lock(json.dumps({"run": "1", "lock_digest": digest}), "x") == digest
    assert read_lock(json.dumps({"lock": json.loads(lock(REQUIREMENTS).text())}), "x") == lock(REQUIREMENTS)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "lock is empty: give requirements.txt, uv.lock"),
        ("<html></html>", "lock is of an unknown form"),
        ("numpy==1\nnumpy==2\n", "lock pins numpy twice, 1 and 2: export what one platform installs"),
        ("-r other.txt\n", "lock includes another file (-r other.txt): give one that holds every package"),
        ("# nothing\n", "lock names no packages"),
        ("numpy 1.2\n", "lock: 'numpy 1.2' is no requirement; write NAME==VERSION"),
        ("git+https://x/y\n", "lock: 'git+https://x/y' names no package; write NAME==VERSION"),
        ('[[package]]\nname = "x"\n', "lock is no uv.lock, poetry.lock, pdm.lock or pylock.toml: its form is unknown"),
        ("[[package]]\nname = \n", "lock is not valid TOML"),
        (
            'version = 1\n[[package]]\nversion = "1"\n',
            "lock looks like a lock file but cannot be read: KeyError('name')",
        ),
        ("package:\n- {name: x}\n", "lock looks like a conda-lock file but an entry has no name or version"),
        ("package: \n  a: 1\n", "lock is no conda-lock file: its form is unknown"),
        (CONDA + "- {name: six, version: 1, platform: osx-64}\n", "lock locks several platforms (linux-64, osx-64)"),
        ('{"a": 1}', "lock says nothing of its lock"),
        ("[1]", "lock is JSON of an unknown form"),
        ('{"mlgates_lock": 2, "packages": []}', "lock was written by a newer pytest-mlgates: update it here"),
        ('{"mlgates_lock": 1, "packages": [{}]}', "lock is no lock of `mlgates lock`: a fact is missing"),
    ],
)
def test_what_cannot_be_read(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match="^" + re.escape(sentence)):
        read_lock(text, "lock")


UV_FROM_GIT = 'version = 1\n[[package]]\nname = "x"\nsource = { git = "u" }\n'
PYLOCK_EDITABLE = 'lock-version = "1.0"\n[[packages]]\nname = "x"\ndirectory = {path = ".", editable = true}\n'
POETRY_FROM_GIT = """\
[[package]]
name = "x"
version = "1"
[package.source]
type = "git"
url = "u"
[metadata]
content-hash = "x"
"""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("numpy>=1.2\n", "numpy is given as a range (>=1.2)"),
        ("numpy\n", "numpy is given as a range (any version)"),
        ("numpy==1.*\n", "numpy is given as a range (==1.*)"),
        ("numpy==1.2\n", "numpy 1.2 has no hash"),
        ("-e ./mine\n", "mine is installed from elsewhere than an index (editable)"),
        ("x @ git+https://h/x@main\n", "x is installed from elsewhere than an index (git https://h/x@main)"),
        (UV_FROM_GIT, "x is installed from elsewhere than an index (git u)"),
        (PYLOCK_EDITABLE, "x is installed from elsewhere than an index (editable)"),
        (POETRY_FROM_GIT, "x is installed from elsewhere than an index (git u)"),
    ],
)
def test_what_does_not_pin_its_bytes(text: str, sentence: str) -> None:
    assert lock(text).loose() == (sentence,)


def test_differences_name_what_the_model_imports_first() -> None:
    old = made([Package("aaa", "1"), Package("numpy", "1"), Package("gone", "1")], "x", python="CPython 3.11.7")
    new = made([Package("aaa", "2"), Package("numpy", "2"), Package("new", "1")], "x", python="CPython 3.12.1")
    found = list(map(str, differences(old, new, {"numpy"})))
    assert found == [
        "python CPython 3.11.7 -> CPython 3.12.1",
        "numpy 1 -> 2",
        "aaa 1 -> 2",
        "gone 1 -> absent",
        "new absent -> 1",
    ]
    assert unsaid(old, new) == ("platform",)


def test_hashes_differ_only_when_none_is_common() -> None:
    one = made([Package("x", "1", ("sha256:1", "sha256:2"))], "x")
    assert differences(one, made([Package("x", "1", ("sha256:2",))], "x")) == ()
    assert differences(one, made([Package("x", "1")], "x")) == ()
    assert len(differences(one, made([Package("x", "1", ("sha256:3",))], "x"))) == 1


def metadata(folder: Path, name: str, version: str, *requires: str, url: str = "") -> None:
    place = folder / f"{name}-{version}.dist-info"
    place.mkdir(parents=True)
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {one}" for one in requires)]
    (place / "METADATA").write_text("\n".join(lines) + "\n")
    if url:
        (place / "direct_url.json").write_text(url)


def test_what_is_installed(tmp_path: Path) -> None:
    metadata(tmp_path, "Scikit_Learn", "1.4", "numpy>=1", 'pytest ; extra == "test"', "joblib (>=1)")
    metadata(tmp_path, "numpy", "1.26")
    metadata(tmp_path, "joblib", "1.3")
    metadata(tmp_path, "mine", "0.1", url='{"url": "file:///x", "dir_info": {"editable": true}}')
    metadata(tmp_path, "other", "0.2", url='{"url": "https://h/x", "vcs_info": {"vcs": "git"}}')
    found = installed([tmp_path])
    assert {one.name: one.version for one in found.packages} == {
        "joblib": "1.3",
        "mine": "0.1",
        "numpy": "1.26",
        "other": "0.2",
        "scikit-learn": "1.4",
    }
    assert [one.origin for one in found.packages if one.origin] == ["editable", "git https://h/x"]
    assert found.python.startswith("CPython 3.")
    assert closure(["scikit-learn"], [tmp_path]) == {"scikit-learn", "numpy", "joblib"}
