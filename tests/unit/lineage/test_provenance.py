"""Tags in and out, and that what was recorded first is never written over."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_mlgates.errors import UsageError
from pytest_mlgates.origin.provenance import CLEAN, Provenance, completed, names, tree

WHOLE = Provenance("r", "c" * 40, CLEAN, "data/t.csv", "m" * 32, "s3://b/x", "e" * 64, "d" * 64)


def test_the_tags_are_those_that_training_scripts_already_write() -> None:
    assert WHOLE.tags() == {
        "mlgates.run_id": "r",
        "mlgates.git_commit": "c" * 40,
        "mlgates.git_tree": "clean",
        "mlgates.data": "data/t.csv",
        "mlgates.data_md5": "m" * 32,
        "mlgates.data_remote": "s3://b/x",
        "mlgates.environment": "e" * 64,
        "mlgates.digest": "d" * 64,
    }


def test_tags_come_back_and_others_are_ignored() -> None:
    assert Provenance.from_tags(WHOLE.tags() | {"mlgates.decision": "promoted", "run_id": "no"}) == WHOLE


@pytest.mark.parametrize("name", [name for name in names() if name != "git_tree"])
def test_every_fact_is_missed(name: str) -> None:
    assert dataclasses.replace(WHOLE, **{name: "  "}).tags() != WHOLE.tags()
    assert Provenance.from_tags(dataclasses.replace(WHOLE, **{name: "  "}).tags()).missing() == (f"mlgates.{name}",)


def test_a_version_stamped_before_the_tree_was_recorded_is_whole() -> None:
    assert dataclasses.replace(WHOLE, git_tree="").missing() == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ((), "clean"),
        (("a.py", "b c.py"), "changed: a.py, b c.py"),
        (tuple(f"{n}.py" for n in range(8)), "changed: 0.py, 1.py, 2.py, 3.py, 4.py and 3 more"),
    ],
)
def test_a_tree_in_words(changed: tuple[str, ...], said: str) -> None:
    assert tree(changed) == said
    assert Provenance(git_tree=said).changed == said.removeprefix("changed: ").replace("clean", "")


def test_what_is_missing_is_completed() -> None:
    part = Provenance(run_id="r", data="data/t.csv")
    assert completed(part, WHOLE, "v2") == WHOLE


def test_a_second_stamp_keeps_what_the_first_said_of_the_tree() -> None:
    first = dataclasses.replace(WHOLE, git_tree="changed: a.py")
    assert completed(first, WHOLE, "v2") == first


def test_changed_files_are_never_stamped_again() -> None:
    with pytest.raises(UsageError) as raised:
        completed(WHOLE, dataclasses.replace(WHOLE, digest="f" * 64), "v2")
    assert str(raised.value) == (
        f"v2 says mlgates.digest = {'d' * 64}, not {'f' * 64}: its files are not what they were when it was stamped; "
        "register a new version"
    )


@pytest.mark.parametrize("name", ["run_id", "git_commit", "data", "data_md5", "data_remote", "environment"])
def test_no_other_fact_is_written_over(name: str) -> None:
    with pytest.raises(UsageError, match=rf"^v2 says mlgates\.{name} = .+, not new: a fact that was recorded is never"):
        completed(WHOLE, dataclasses.replace(WHOLE, **{name: "new"}), "v2")
