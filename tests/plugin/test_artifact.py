"""The gate `artifact_safety` in a whole run: what is not known is never loaded."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path

import pytest

from mlrepo import BETTER, CHAMPION, LABELS, MODEL, WORSE, Repo

sys.path.insert(0, str(Path(__file__).parents[1]))
from artifact import corpus

GATES = ["core", "artifact_safety"]


def tag(repo: Repo, version: str, key: str, value: str) -> None:
    with contextlib.closing(repo.database()) as db, db:
        db.execute(
            "insert into model_version_tags (key, value, name, version) values (?, ?, ?, ?)",
            (key, value, MODEL, version),
        )


def source(repo: Repo, version: str, files: Path | None = None) -> Path:
    """Where a version's files are; with `files`, they are there from now on."""
    with contextlib.closing(repo.database()) as db, db:
        if files is not None:
            query = "update model_versions set source = ?, storage_location = ? where version = ?"
            db.execute(query, (str(files), str(files), version))
        found = db.execute("select storage_location from model_versions where version = ?", (version,)).fetchone()[0]
    return Path(str(found).removeprefix("file://"))


@pytest.fixture
def asked(repo: Repo) -> Repo:
    repo.settings(gates=GATES)
    return repo


def judgements(repo: Repo) -> list[tuple[str, str]]:
    """(whose files, sentence) of every judgement of the gate."""
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "artifact_safety")
    return [(each["evidence"]["where"], each["evidence"]["details"]["reason"]) for each in gate["judgements"]]


def test_honest_files_are_promoted(asked: Repo, spread: list[str]) -> None:
    run = asked.apply(*spread)
    assert (run.ret, asked.champion()) == (0, BETTER)
    (challenger, said), (champion, _) = judgements(asked)
    assert (challenger, champion) == ("challenger", "champion")
    assert said.startswith("5 files of v2 with SHA-256 ")
    assert "(no digest on record: these are the files as first seen now), nothing in them beyond the list for" in said
    asked.on_page("artifact_safety", "passing")


def test_a_payload_is_refused_before_anything_is_loaded(asked: Repo, spread: list[str], tmp_path: Path) -> None:
    asked.forget()
    corpus.sklearn(tmp_path / "evil", corpus.payload(tmp_path / "marker") + b".")
    source(asked, BETTER, tmp_path / "evil")
    run = asked.apply(*spread)
    assert (run.ret, asked.champion()) == (1, CHAMPION)
    verdict, said = asked.said_of("artifact_safety")
    assert verdict == "FAIL"
    named = "model.pkl: it names os.system, which is not on the list of what its flavour needs"
    assert said.startswith(f"v2 is not loaded. {named}. A class of your own: its whole name in allow; files you have")
    assert asked.said_of("golden_regression") == ("ERROR", "not run: identity is not proven (artifact_safety)")
    assert not (tmp_path / "marker").exists()
    assert not list((asked.path / ".mlgates").rglob("*.npz"))
    asked.on_page("artifact_safety", "failing", exact=False)


def test_a_champion_with_a_payload_is_not_loaded_either(asked: Repo, tmp_path: Path) -> None:
    asked.forget()
    corpus.sklearn(tmp_path / "evil", corpus.payload(tmp_path / "marker") + b".")
    source(asked, CHAMPION, tmp_path / "evil")
    assert asked.run().ret == 1
    assert judgements(asked)[1][1].startswith("v1 is not loaded. model.pkl: it names os.system")
    assert not (tmp_path / "marker").exists()


def test_a_model_from_code_is_refused_until_its_digest_is_trusted(asked: Repo) -> None:
    assert asked.run("--mlgate-challenger", LABELS).ret == 1
    _, said = asked.said_of("artifact_safety")
    assert "v9 is not loaded. MLmodel: it is a model from code; labels.py: it is code. If you have read these" in said
    digest = said.split('trusted = ["')[1].split('"')[0]
    asked.settings(f'[tool.mlgates.artifact_safety]\ntrusted = ["{digest}"]\n')
    asked.run("--mlgate-challenger", LABELS)
    verdict, said = asked.said_of("artifact_safety")
    assert verdict == "PASS"
    assert "trusted by the settings: MLmodel: it is a model from code" in judgements(asked)[0][1]


def test_files_that_changed_since_they_were_stamped(asked: Repo) -> None:
    tag(asked, BETTER, "mlgates.digest", "d" * 64)
    assert asked.run().ret == 1
    _, said = asked.said_of("artifact_safety")
    assert said.startswith("the files of v2 changed since it was stamped (SHA-256 dddddddddddd then, ")


def test_files_that_are_as_stamped(asked: Repo) -> None:
    from pytest_mlgates import fingerprint

    tag(asked, BETTER, "mlgates.digest", fingerprint.of_folder(source(asked, BETTER)))
    assert asked.run().ret == 0
    assert "(as stamped)" in judgements(asked)[0][1]


def test_files_that_nobody_stamped_are_held_to_what_the_ledger_first_saw(asked: Repo, tmp_path: Path) -> None:
    assert asked.apply().ret == 0
    assert asked.run("--mlgate-challenger", WORSE).ret == 1
    assert "(as first seen in ledger entry 2; nobody stamped them)" in judgements(asked)[1][1]
    files = Path(shutil.copytree(source(asked, BETTER), tmp_path / "files"))
    (files / "requirements.txt").write_text("scikit-learn\n")
    source(asked, BETTER, files)
    assert asked.run("--mlgate-challenger", WORSE).ret == 1
    said = judgements(asked)[1][1]
    assert said.startswith("the files of v2 changed since they were first seen (SHA-256 ")
    assert " in ledger entry 2, " in said


def test_files_that_change_while_they_are_judged(asked: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_mlgates import fingerprint

    monkeypatch.setattr(fingerprint, "of_folder", lambda folder: "e" * 64)
    assert asked.run().ret == 1
    assert "changed while this run was judging them" in asked.said_of("artifact_safety")[1]


def test_a_link_is_trusted_by_no_digest(asked: Repo, tmp_path: Path) -> None:
    from pytest_mlgates import fingerprint

    files = Path(shutil.copytree(source(asked, BETTER), tmp_path / "files"))
    (files / "passwords").symlink_to("/etc/passwd")
    source(asked, BETTER, files)
    digest = fingerprint.of_folder(files)
    asked.settings(f'[tool.mlgates.artifact_safety]\ntrusted = ["{digest}"]\n')
    assert asked.run().ret == 1
    said = asked.said_of("artifact_safety")[1]
    assert "v2" in said


def test_isolation_that_is_required_and_missing(asked: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_mlgates.adapters.scoring import confinement

    monkeypatch.setattr(confinement, "missing_protections", lambda: {"network": "no filter of system calls"})
    assert asked.run().ret == 0
    gate = next(gate for gate in asked.evidence()["gates"] if gate["name"] == "artifact_safety")
    assert gate["judgements"][0]["evidence"]["details"]["not_isolated_from"] == {"network": "no filter of system calls"}
    asked.settings("[tool.mlgates.artifact_safety]\nrequire_isolation = true\n")
    assert asked.run().ret == 1
    said = "models cannot be kept here from: network (no filter of system calls). Run on Linux 5.13 or later, or drop"
    assert asked.said_of("artifact_safety")[1].startswith(said)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('trusted = ["abc"]', "'abc' is no SHA-256 of a version's files: write the 64 digits the gate printed"),
        ('allow = ["Clip"]', "'Clip' is no class: write its whole name, such as \"mypackage.features.Clip\""),
        ('allow_network = ["store"]', "'store' names no service: write host:port"),
        ('allow_network = ["store:99999"]', "'store:99999' names no service: write host:port"),
    ],
)
def test_settings_that_are_written_wrongly(asked: Repo, line: str, sentence: str) -> None:
    asked.settings(f"[tool.mlgates.artifact_safety]\n{line}\n")
    run = asked.run()
    assert run.ret == 4
    assert sentence in run.text
