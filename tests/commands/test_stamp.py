"""`mlgates stamp` and `stamp()`: what they record, what they refuse; and `mlgates card`."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_mlgates import fingerprint, stamp
from pytest_mlgates.errors import MlgatesError, UsageError
from pytest_mlgates.origin import environment
from tests.commands.shell import here as mlgates

BETTER, WORSE = "2", "3"
DATA = b"x,y\n1,0\n"
MD5 = hashlib.md5(DATA).hexdigest()
CAVEAT = "the environment is that of this command: true only where the model was trained"
IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "-c", "commit.gpgSign=false"]
SETTINGS = """\
[tool.mlgates]
model = "credit"
golden = "golden.csv"
label = "y"
task = "binary"
registry = "sqlite:///mlflow.db"
"""


@dataclass
class Code:
    """A repository with pinned training data, and the registry of build_template.py."""

    root: Path

    def git(self, *words: str) -> str:
        command = ["git", *IDENTITY, *words]
        done = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True, timeout=20)
        return done.stdout.strip()

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def rows(self, query: str, *given: str) -> list[Any]:
        with sqlite3.connect(self.root / "mlflow.db") as db:
            return db.execute(query, given).fetchall()

    def tags(self, version: str) -> dict[str, str]:
        found = dict(self.rows("select key, value from model_version_tags where version = ?", version))
        return {key: value for key, value in found.items() if key.startswith("mlgates.")}

    def run_id(self) -> str:
        return str(self.rows("select run_id from model_versions where version = 2")[0][0])

    def run_says(self, commit: str) -> None:
        self.rows(
            "insert into tags (key, value, run_uuid) values ('mlflow.source.git.commit', ?, ?)", commit, self.run_id()
        )

    def expected(self, **changes: str) -> dict[str, str]:
        (place,) = self.rows("select storage_location from model_versions where version = 2")[0]
        said = {
            "run_id": self.run_id(),
            "git_commit": self.head,
            "git_tree": "clean",
            "data": "data/t.csv",
            "data_md5": MD5,
            "data_remote": "../store",
            "environment": environment.digest(),
            "digest": fingerprint.of_folder(Path(place.removeprefix("file://"))),
        }
        return {f"mlgates.{name}": value for name, value in (said | changes).items()}


@pytest.fixture
def code(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Code:
    shutil.copy(template / "mlflow.db", tmp_path)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "t.csv").write_bytes(DATA)
    (tmp_path / "data" / "t.csv.dvc").write_text(f"outs:\n- md5: {MD5}\n  path: t.csv\n")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    remote = r\n['remote \"r\"']\n    url = ../store\n")
    made = Code(tmp_path)
    # It was built from inside this repository, which MLflow notices.
    made.rows("delete from tags where key = 'mlflow.source.git.commit'")
    made.git("init", "-q")
    made.git("add", "pyproject.toml", ".dvc", "data/t.csv.dvc")
    made.git("commit", "-qm", "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return made


def returned(number: str) -> Any:
    """What MLflow's `create_model_version` gives, as far as it matters."""
    return SimpleNamespace(name="credit", version=int(number))


class TestInATrainingScript:
    @pytest.mark.parametrize("version", [returned(BETTER), "credit/2", "models:/credit/2"])
    def test_everything_is_recorded(self, code: Code, version: Any) -> None:
        made = stamp(version, data="data/t.csv")
        assert code.tags(BETTER) == made.tags() == code.expected()

    def test_twice_is_once(self, code: Code) -> None:
        assert stamp("credit/2", data=code.root / "data" / "t.csv") == stamp("credit/2", data="data/t.csv.dvc")

    def test_the_working_directory_does_not_matter(self, code: Code, tmp_path_factory: Any, monkeypatch: Any) -> None:
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        stamp("credit/2", data=code.root / "data" / "t.csv")
        assert code.tags(BETTER) == code.expected()

    def test_uncommitted_changes_are_recorded_as_such(self, code: Code) -> None:
        (code.root / "pyproject.toml").write_text(SETTINGS + "\n")
        stamp("credit/2", data="data/t.csv")
        assert code.tags(BETTER) == code.expected(git_tree="changed: pyproject.toml")

    def test_the_script_s_own_environment_is_left_alone(self, code: Code) -> None:
        before = dict(os.environ)
        stamp("credit/2", data="data/t.csv")
        assert dict(os.environ) == before

    def test_the_door_imports_neither_mlflow_nor_pytest(self) -> None:
        source = "import sys; from pytest_mlgates import stamp; print({'mlflow', 'pytest', 'yaml'} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == "set()\n"

    def test_the_name_stays_the_function_when_its_module_is_imported(self) -> None:
        import pytest_mlgates
        import pytest_mlgates.origin.stamping

        assert pytest_mlgates.stamp is pytest_mlgates.origin.stamping.stamp

    def test_other_data_than_the_pinned_is_refused_and_nothing_is_recorded(self, code: Code) -> None:
        (code.root / "data" / "t.csv").write_bytes(b"other")
        with pytest.raises(UsageError, match="is not the file its pointer pins"):
            stamp("credit/2", data="data/t.csv")
        assert code.tags(BETTER) == {}

    @pytest.mark.parametrize(
        ("version", "sentence"),
        [
            ("credit", "stamp('credit'): give what MLflow returned when it was registered, or \"NAME/NUMBER\""),
            ("credit/3", "v3 was registered without a run: log the model in a run and register that"),
            ("debit/2", "no registered model 'debit' in sqlite:///{root}/mlflow.db: known here: credit"),
        ],
    )
    def test_what_cannot_be_stamped(self, code: Code, version: str, sentence: str) -> None:
        with pytest.raises(MlgatesError) as raised:
            stamp(version, data="data/t.csv")
        assert str(raised.value) == sentence.format(root=code.root)


class TestAfterwards:
    def test_the_commit_is_the_run_s(self, code: Code, capsys: pytest.CaptureFixture[str]) -> None:
        code.run_says(code.head)
        code.git("commit", "-q", "--allow-empty", "-m", "later")
        then = code.git("rev-parse", "HEAD~1")
        expected = code.expected(git_commit=then, git_tree="unknown: stamped after training")
        lines = "".join(f"  {tag:19}  {value}  (new)\n" for tag, value in expected.items())
        assert mlgates(capsys, "stamp", BETTER, "--data", "data/t.csv") == (
            0,
            f"credit v2 records:\n{lines}{CAVEAT}\n",
            "",
        )
        assert code.tags(BETTER) == expected

    def test_the_pin_is_that_of_the_commit_whatever_is_checked_out(self, code: Code, capsys: Any) -> None:
        (code.root / "data" / "t.csv.dvc").write_text("outs:\n- md5: abc\n  path: t.csv\n")
        code.git("commit", "-qam", "new data")
        assert mlgates(capsys, "stamp", "challenger", "--commit", "HEAD~1", "--data", "data/t.csv")[0] == 0
        assert code.tags(BETTER)["mlgates.data_md5"] == MD5

    def test_only_what_is_missing_is_added(self, code: Code, capsys: Any) -> None:
        stamp("credit/2", data="data/t.csv")
        code.rows("delete from model_version_tags where key = 'mlgates.digest'")
        done, out, _ = mlgates(capsys, "stamp", BETTER)
        assert (done, code.tags(BETTER)) == (0, code.expected())
        assert [line.split()[0] for line in out.splitlines() if line.endswith("(new)")] == ["mlgates.digest"]

    def test_the_settings_may_name_the_training_data(self, code: Code, capsys: Any) -> None:
        (code.root / "pyproject.toml").write_text(
            SETTINGS + '[tool.mlgates.golden_validity]\ntraining = "data/t.csv"\n'
        )
        assert mlgates(capsys, "stamp", BETTER, "--commit", "HEAD")[0] == 0
        assert code.tags(BETTER)["mlgates.data"] == "data/t.csv"

    def test_changed_files_cannot_be_stamped_away(self, code: Code, capsys: Any) -> None:
        stamp("credit/2", data="data/t.csv")
        code.rows("update model_version_tags set value = 'before' where key = 'mlgates.digest'")
        before = code.tags(BETTER)
        done, out, err = mlgates(capsys, "stamp", BETTER)
        assert (done, out, code.tags(BETTER)) == (2, "", before)
        assert err == (
            f"mlgates stamp: v2 says mlgates.digest = before, not {code.expected()['mlgates.digest']}: its files are "
            "not what they were when it was stamped; register a new version\n"
        )

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["2"], "neither v2 nor its run says which commit it was trained from: give --commit"),
            (["2", "--commit", "HEAD"], "v2 does not say what it was trained on: give --data FILE"),
            (
                ["2", "--commit", "nope", "--data", "data/t.csv"],
                "{root} has no commit 'nope': give the --commit that it was trained from",
            ),
            (
                ["2", "--commit", "HEAD", "--data", "golden.csv"],
                "at commit {head} there is no DVC pointer golden.csv.dvc: give the --data it was trained on",
            ),
            (
                ["2", "--commit", "HEAD", "--data", "/etc/passwd"],
                "the training data /etc/passwd lies outside the git repository {root}, so no commit pins it",
            ),
            (
                ["3", "--commit", "HEAD", "--data", "data/t.csv"],
                "v3 was registered without a run: log the model in a run and register that",
            ),
        ],
    )
    def test_nothing_is_guessed(self, code: Code, capsys: Any, words: list[str], sentence: str) -> None:
        done, out, err = mlgates(capsys, "stamp", *words)
        assert (done, out) == (2, "")
        assert err == f"mlgates stamp: {sentence.format(root=code.root, head=code.head[:12])}\n"
        assert code.tags(words[0]) == {}

    def test_an_unknown_version(self, code: Code, capsys: Any) -> None:
        assert mlgates(capsys, "stamp", "99")[::2] == (
            2,
            "mlgates stamp: credit has no version '99'; it has: challenger, champion, "
            + ", ".join(map(str, range(1, 13)))
            + "\n",
        )
