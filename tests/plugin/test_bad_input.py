"""Bad input ends in one clear sentence and the right exit code, and nothing is changed."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlrepo import CHAMPION, DIES, EXITS, HANGS, LABELS, N2, NAN, RAISES, SHORT, Repo, Run


@pytest.fixture(autouse=True)
def nothing_changed(repo: Repo, request: pytest.FixtureRequest) -> Iterator[None]:
    before = repo.aliases()
    yield
    assert repo.aliases() == before


def assert_refused(run: Run, code: int, sentence: str) -> None:
    assert sentence in run.text
    assert run.ret == code
    assert "Traceback" not in run.text
    assert "INTERNALERROR" not in run.text


class TestSettings:
    def test_none(self, repo: Repo) -> None:
        (repo.path / "pyproject.toml").unlink()
        assert_refused(repo.apply(), 4, "no settings found in REPO or above: write [tool.mlgates] in pyproject.toml")

    @pytest.mark.parametrize(
        ("keys", "sentence"),
        [
            ({"golde": "x"}, "unknown key 'golde' in pyproject.toml [tool.mlgates]: did you mean 'golden'?"),
            ({"label": None}, "'label' is missing in pyproject.toml [tool.mlgates]: write label = \"COLUMN\""),
            ({"label": 3}, "label in pyproject.toml [tool.mlgates] must be text in quotes, not 3 (int)"),
            ({"allow_identical": "no"}, "must be true or false, not 'no' (str)"),
            ({"task": "ranking"}, "task in pyproject.toml [tool.mlgates] must be one of 'binary', 'multiclass'"),
            ({"scoring_timeout": -1}, "scoring_timeout in pyproject.toml [tool.mlgates] cannot be -1"),
            ({"paths": ["nowhere"]}, "paths in pyproject.toml [tool.mlgates] names REPO/nowhere, which does not exist"),
            ({"model": "credits"}, "no registered model 'credits' in sqlite:///REPO/mlflow.db: did you mean 'credit'?"),
            ({"challenger": "blue"}, "no challenger: credit has no version 'blue'"),
            ({"challenger": "99"}, "it has: challenger, champion, 1, 2, 3"),
            ({"challenger": "models:/other/1"}, "names the model 'other', but the settings judge 'credit'"),
            ({"challenger": "runs:/0123/model"}, "no challenger: credit has no version 'runs:/0123/model'"),
            ({"champion": "1"}, "is a fixed version: give an alias, or stage:NAME"),
            ({"registry": None}, 'no registry: write registry = "sqlite:///mlflow.db" or set MLFLOW_TRACKING_URI'),
            (
                {"registry": "sqlite:///no.db"},
                "there is no file REPO/no.db; give the path of an existing MLflow database",
            ),
        ],
        ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
    )
    def test_wrong(self, repo: Repo, keys: dict[str, object], sentence: str) -> None:
        repo.settings(**keys)
        assert_refused(repo.apply(), 4, sentence)
        assert not (repo.path / "no.db").exists()

    def test_a_wrong_pair_does_not_print_the_whole_settings(self, repo: Repo) -> None:
        repo.settings(former="champion")
        run = repo.apply()
        assert_refused(run, 4, "former and champion are the same alias, 'champion'")
        assert "'golden'" not in run.text, "only what is wrong is shown; the rest may hold an address with a password"

    def test_a_wrong_policy(self, repo: Repo) -> None:
        repo.settings("[tool.mlgates.bootstrap_auc]\ngian = 0.1\n")
        assert_refused(
            repo.apply(), 4, "unknown key 'bootstrap_auc.gian' in pyproject.toml [tool.mlgates]: did you mean"
        )

    def test_an_infinite_margin_would_pass_anything(self, repo: Repo) -> None:
        repo.settings("[tool.mlgates.golden_regression]\nmetrics = {roc_auc = inf}\n")
        assert_refused(repo.apply("--mlgate-challenger", "3"), 4, "golden_regression.metrics.roc_auc")

    def test_broken_toml(self, repo: Repo) -> None:
        (repo.path / "pyproject.toml").unlink()
        repo.write("mlgates.toml", "model =\n")
        assert_refused(repo.apply(), 4, "REPO/mlgates.toml is not valid TOML")

    def test_an_unknown_environment_variable(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLGATES_GOLDEM", "x")
        assert_refused(repo.apply(), 4, "unknown setting MLGATES_GOLDEM in the environment: did you mean 'golden'?")

    @pytest.mark.parametrize(
        ("mark", "sentence"),
        [
            ("mlgate", "gives no name: write e.g."),
            ('mlgate("a", "b")', "must give one name"),
            ('mlgate("a", stgae="data")', "unknown keyword 'stgae': did you mean 'stage'?"),
            ('mlgate("a", stage="early")', "stage 'early' is none of identity, data"),
            ("bootstrap_auc(gain=-1)", "cannot be -1"),
            ("bootstrap_auc(0.1)", "takes keywords only, not (0.1,)"),
            ("slices()\n@pytest.mark.latency()", "a gate is of one kind, not latency and slices"),
            ('mlgate("a", phase="live", tier="pager")', "tier 'pager' is none of act, ask, review"),
            ('mlgate("a", phase="canary")', "phase 'canary' is none of promotion, live, drill"),
        ],
    )
    def test_a_wrong_marker(self, repo: Repo, mark: str, sentence: str) -> None:
        repo.gates(f"@pytest.mark.{mark}\ndef test_mine(gate):\n    gate.judge(*good())\n")
        run = repo.apply()
        assert_refused(run, 4, sentence)
        assert "checks/test_own.py::test_mine" in run.text

    def test_workers_are_told_too(self, repo: Repo) -> None:
        repo.gates('@pytest.mark.mlgate("a", stage="early")\ndef test_mine(gate):\n    gate.judge(*good())\n')
        assert_refused(repo.apply(*N2), 4, "stage 'early' is none of identity, data")


class TestOptions:
    NARROWING = ("-k x", "--lf", "--co", "--deselect x")

    @pytest.mark.parametrize("narrowing", NARROWING)
    def test_apply_together_with_what_leaves_gates_out(self, repo: Repo, narrowing: str) -> None:
        run = repo.apply(*narrowing.split())
        assert_refused(
            run, 4, "gates that are left out are not judged, so nothing can be promoted; drop one of the two"
        )
        assert not (repo.path / ".mlgates" / "report").exists()

    def test_a_mark_expression_is_a_habit_but_promotes_nothing(self, repo: Repo) -> None:
        run = repo.apply("-m", "not bootstrap_auc")
        assert_refused(run, 10, "bootstrap_auc: deselected by -m, so it was not judged")

    def test_from_the_users_ini(self, repo: Repo) -> None:
        repo.write("pytest.ini", "[pytest]\naddopts = -k x\n")
        assert_refused(repo.apply(), 4, "--mlgate-apply together with -k")

    @pytest.mark.parametrize("option", ["--mlgate-apply", "--mlgate-challenger=3"])
    def test_without_mlgate(self, repo: Repo, option: str) -> None:
        run = repo.run_apart(option, mlgate=False)
        assert_refused(run, 4, f"{option.split('=')[0]} does nothing without --mlgate: add --mlgate")


class TestGoldenSet:
    """Each makes the integrity gate ERROR, so that no model is even loaded."""

    def refused(self, repo: Repo, sentence: str) -> None:
        run = repo.apply()
        assert_refused(run, 10, sentence)
        assert repo.said_of("golden_regression") == ("ERROR", "not run: identity is not proven (golden_integrity)")

    def test_the_pointer_is_missing(self, repo: Repo) -> None:
        (repo.path / "golden.csv.dvc").unlink()
        self.refused(repo, "the golden set has no DVC pointer REPO/golden.csv.dvc: run `dvc add golden.csv` in REPO")

    @pytest.mark.parametrize("text", ["", "outs: []", "outs:\n- path: golden.csv", "\x00", "- a", "outs: [{md5: }]"])
    def test_the_pointer_is_no_pointer(self, repo: Repo, text: str) -> None:
        (repo.path / "golden.csv.dvc").write_text(text)
        self.refused(repo, "REPO/golden.csv.dvc is not a DVC pointer with an md5")

    def test_a_folder_is_pinned(self, repo: Repo) -> None:
        (repo.path / "golden.csv.dvc").write_text("outs:\n- md5: 0123.dir\n  path: golden.csv\n")
        self.refused(repo, "REPO/golden.csv.dvc pins a folder; a golden set is one Parquet or CSV file")

    def test_one_byte_was_altered(self, repo: Repo) -> None:
        text = (repo.path / "golden.csv").read_text()
        (repo.path / "golden.csv").write_text(text[:-2] + ("1" if text[-2] == "0" else "0") + "\n")
        self.refused(repo, "the golden set REPO/golden.csv is not the file its pointer pins: its md5 is ")

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (
                lambda lines: [lines[0].replace(",y", ",z"), *lines[1:]],
                "REPO/golden.csv has no column 'y'; it has: id,",
            ),
            (lambda lines: lines[:1], "the golden set REPO/golden.csv has no rows"),
            (
                lambda lines: [lines[0], *(line[:-1] + "1" for line in lines[1:])],
                "has one class only, 1: nothing can be",
            ),
            (lambda lines: [*lines[:-2], lines[-2][:-1], lines[-1][:-1]], "2 of 1500 labels in column 'y' of REPO"),
            (lambda lines: [*lines[:-1], lines[-1][:-1] + "2"], "but the golden set has 3 classes: (0, 1, 2)"),
            (lambda lines: [lines[0], '"'], "the golden set REPO/golden.csv cannot be read as csv"),
        ],
        ids=["no-label-column", "empty", "one-class", "nan-labels", "three-classes", "torn"],
    )
    def test_pinned_but_useless(self, repo: Repo, change: object, sentence: str) -> None:
        repo.rewrite_golden(change)
        self.refused(repo, sentence)

    def test_the_positive_class_is_no_label(self, repo: Repo) -> None:
        repo.settings(positive_class="yes")
        self.refused(repo, "positive_class = 'yes' (pyproject.toml [tool.mlgates]) is no label of the golden set")


class TestDvc:
    """The golden set is absent and DVC has to bring it: with the real DVC, in a repository with a local remote."""

    @pytest.fixture(autouse=True)
    def pushed(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        from dvc.repo import Repo as Dvc

        monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(repo.path / "nobody"))
        monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(repo.path / "nobody"))
        monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(repo.path / "site"))
        (repo.path / "remote").mkdir()
        with Dvc.init(str(repo.path), no_scm=True) as dvc, dvc.config.edit() as config:
            config["core"]["remote"] = "here"
            config["remote"]["here"] = {"url": str(repo.path / "remote")}
        with Dvc(str(repo.path)) as dvc:
            dvc.add(str(repo.path / "golden.csv"))
            dvc.push()
        (repo.path / "golden.csv").unlink()

    def test_it_is_pulled(self, repo: Repo) -> None:
        for file in cached(repo.path / ".dvc" / "cache"):
            file.unlink()
        assert repo.run().ret == 0

    def test_the_remote_is_gone(self, repo: Repo) -> None:
        for file in [*cached(repo.path / ".dvc" / "cache"), *cached(repo.path / "remote")]:
            file.unlink()
        run = repo.apply()
        assert_refused(run, 10, "REPO/golden.csv is not here and could not be pulled by DVC")
        assert "the remote is gone, lacks it, or refuses access; try `dvc pull` by hand" in run.text

    @pytest.mark.parametrize("place", [".dvc/cache", "remote"])
    def test_what_is_pulled_was_corrupted(self, repo: Repo, place: str) -> None:
        """DVC verifies nothing on read: the bytes are hashed here, wherever they came from."""
        damaged = cached(repo.path / place)
        assert damaged
        for file in damaged:
            file.chmod(0o644)
            file.write_bytes(file.read_bytes().replace(b"s001", b"s002"))
            file.chmod(0o444)  # as DVC leaves it, which is why it trusts it
        if place == "remote":
            for file in cached(repo.path / ".dvc" / "cache"):
                file.unlink()
        run = repo.apply()
        assert run.ret == 10
        assert "is not the file its pointer pins" in run.text or "could not be pulled by DVC" in run.text

    def test_no_dvc_repository(self, repo: Repo) -> None:
        (repo.path / ".dvc").rename(repo.path / "away")
        assert_refused(repo.apply(), 10, "REPO/golden.csv is not here and lies in no DVC repository that could pull it")


def cached(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and "files" in file.parts]


class TestModels:
    """What a challenger does wrong is said of the challenger, and kills nothing but its own process."""

    @pytest.mark.parametrize(
        ("version", "sentence"),
        [
            (RAISES, "challenger credit v6 raised RuntimeError: the feature store is down"),
            (NAN, "credit v7 answered NaN or infinity for 3 of 1500 rows"),
            (SHORT, "credit v8 answered 1499 rows for the 1500 it was given"),
            (LABELS, "credit v9 answers class labels, not scores: log it with"),
            (DIES, "challenger credit v10: its process was killed by SIGKILL; its last words: allocating 64 GiB"),
            (EXITS, "challenger credit v11: its process ended with exit code 3; its last words: licence expired"),
        ],
    )
    def test_a_bad_challenger(self, repo: Repo, version: str, sentence: str) -> None:
        run = repo.apply("--mlgate-challenger", version)
        assert_refused(run, 10, sentence)
        assert f"HOLD credit v{version}" in run.text
        assert repo.said_of("golden_integrity")[0] == "PASS"

    @pytest.mark.slow
    def test_one_that_hangs(self, repo: Repo) -> None:
        repo.settings(scoring_timeout=2.0)
        sentence = "credit v12 did not answer within 2 s: raise scoring_timeout, or make it faster"
        assert_refused(repo.apply("--mlgate-challenger", HANGS), 10, sentence)

    def test_a_bad_champion_is_no_reason_to_promote(self, repo: Repo) -> None:
        repo.settings("[tool.mlgates.first_promotion]\nroc_auc = 0.5\n")
        repo.point("champion", RAISES)
        run = repo.apply()
        repo.point("champion", CHAMPION)
        assert_refused(run, 10, "champion credit v6 raised RuntimeError: the feature store is down")

    def test_files_that_are_no_model(self, repo: Repo) -> None:
        with repo.database() as db:
            db.execute(
                f"update model_versions set source = '{repo.path}', storage_location = '{repo.path}' where version = 2"
            )
        assert_refused(repo.apply(), 10, "it is not a logged model")


class TestRegistry:
    def test_unreachable(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        repo.settings(registry=None)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://someone:secret@127.0.0.1:{port}")
        started = time.monotonic()
        run = repo.apply()
        assert_refused(run, 10, f"the registry http://127.0.0.1:{port} did not answer while looking up")
        assert time.monotonic() - started < 60
        assert "secret" not in run.text
        assert "secret" not in json.dumps(repo.evidence())

    def test_a_champion_to_watch_that_is_not_there(self, repo: Repo) -> None:
        repo.gates('@pytest.mark.mlgate("mine", phase="live")\ndef test_mine(gate):\n    gate.judge(*good())\n')
        repo.settings(gates_live=["mine"], champion="nobody")
        run = repo.apply("--mlgate-phase", "live")
        assert_refused(run, 4, "credit has no champion ('nobody') that could be watched")

    def test_a_password_in_a_file_that_is_committed(self, repo: Repo) -> None:
        repo.settings(registry="http://someone:secret@127.0.0.1:9")
        run = repo.apply()
        assert_refused(run, 4, "holds a password: set MLFLOW_TRACKING_URI in the environment instead")
        assert "secret" not in run.text

    def test_answering_500(self, repo: Repo) -> None:
        with failing_server() as port:
            repo.settings(registry=f"http://127.0.0.1:{port}")
            assert_refused(repo.apply(), 10, f"the registry http://127.0.0.1:{port} did not answer while looking up")

    def test_not_a_database(self, repo: Repo) -> None:
        repo.write("broken.db", "these are no tables" * 100)
        repo.settings(registry="sqlite:///broken.db")
        assert_refused(repo.apply(), 10, "the registry sqlite:///REPO/broken.db")

    def test_locked_while_looking_up(self, repo: Repo) -> None:
        started = time.monotonic()
        with contextlib.closing(repo.database()) as db:
            db.execute("begin exclusive")
            run = repo.apply()
            db.rollback()
        assert_refused(run, 10, "database is locked")
        assert time.monotonic() - started < 60, "whoever waits for a lock must be told, not kept"

    @pytest.mark.long
    def test_locked_while_acting(self, repo: Repo) -> None:
        repo.gates(
            """
            import sqlite3
            held = []
            @pytest.mark.mlgate("mine")
            def test_mine(gate):
                held.append(sqlite3.connect("mlflow.db", check_same_thread=False))
                held[0].execute("begin exclusive")
                gate.judge(*good())
            """,
            "mine",
        )
        repo.write(
            "conftest.py", "import sys\ndef pytest_unconfigure():\n    sys.modules['test_own'].held[0].rollback()\n"
        )
        run = repo.apply()
        assert_refused(run, 11, "ACTION FAILED: ")
        assert "database is locked" in run.text


@contextlib.contextmanager
def failing_server() -> Iterator[int]:
    class Fails(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(500, "the disk is on fire")

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fails) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class TestEvidence:
    """What cannot be recorded is not done."""

    def test_the_folder_is_a_file(self, repo: Repo) -> None:
        repo.write("taken", "")
        repo.settings(report="taken")
        run = repo.apply()
        assert_refused(run, 10, "the evidence could not be written to REPO/taken (")
        assert "what cannot be recorded is not done" in run.text

    @pytest.mark.skipif(os.geteuid() != 0, reason="mounts a full disk: needs root")
    def test_the_disk_is_full(self, repo: Repo) -> None:
        disk = repo.path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(disk)], check=False)
        if mounted.returncode:
            pytest.skip("this machine does not let root mount a tmpfs")
        try:
            (disk / "filler").write_bytes(b"x" * 4096)
            repo.settings(report="disk")
            run = repo.apply()
            left = sorted(file.name for file in disk.iterdir())
        finally:
            subprocess.run(["umount", str(disk)], check=True)
        assert_refused(run, 10, "the evidence could not be written to REPO/disk (No space left on device)")
        assert left == ["filler"], "no half-written evidence stays"

    def test_the_cache_cannot_be_written(self, repo: Repo) -> None:
        """That only costs time."""
        repo.forget()
        repo.write(".mlgates/cache", "a file where the folder should be")
        assert repo.run().ret == 0
