"""The gate `env_lock` and `mlgates lock` in a whole run: the packages that differ are named."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mlrepo import BETTER, CHAMPION, WORSE, Repo
from pytest_mlgates import cli
from pytest_mlgates.lock import Lock, Package
from pytest_mlgates.lock.installed import installed

GATES = ["core", "env_lock"]


@pytest.fixture
def locked(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """The challenger records the environment of this test, which it was trained in; the champion has no run."""
    monkeypatch.chdir(repo.path)
    assert cli.main(["lock", BETTER]) == 0
    repo.point("champion", None)
    repo.settings("[tool.mlgates.first_promotion]\nroc_auc = 0.6\n", gates=GATES)
    return repo


def settings(repo: Repo, lines: str) -> None:
    repo.settings(f"[tool.mlgates.env_lock]\n{lines}\n[tool.mlgates.first_promotion]\nroc_auc = 0.6\n", gates=GATES)


def other(change: str = "1.3.0") -> Lock:
    """This environment with another scikit-learn and another package that no model imports."""
    here = installed()
    packages = [replace(one, version=change) if one.name == "scikit-learn" else one for one in here.packages]
    return replace(here, packages=(*packages, Package("zzz", "1")))


def test_the_same_environment_is_promoted(locked: Repo, spread: list[str]) -> None:
    run = locked.apply(*spread)
    assert (run.ret, locked.champion()) == (0, BETTER)
    assert "env_lock scored as trained [challenger] yes" in run.text


def test_another_environment_that_serves_is_named_package_by_package(locked: Repo, spread: list[str]) -> None:
    locked.write("serving.json", other().text())
    settings(locked, 'serving = "serving.json"')
    run = locked.apply(*spread)
    assert (run.ret, locked.champion()) == (1, "none")
    here = installed().versions()["scikit-learn"].version
    assert locked.said_of("env_lock") == (
        "FAIL",
        f"v2: 2 things differ between training and serving.json: scikit-learn {here} -> 1.3.0, zzz absent -> 1. "
        "Build one from the other's lock",
    )
    assert locked.said_of("is_new") == ("ERROR", "not run: identity is not proven (env_lock)")


def test_a_label_with_the_digest_is_enough(locked: Repo) -> None:
    settings(locked, 'serving = "image.json"')
    locked.write("image.json", json.dumps([{"Config": {"Labels": {"mlgates.lock": installed().digest}}}]))
    assert locked.run().ret == 0
    locked.write("image.json", json.dumps([{"Config": {"Labels": {"mlgates.lock": "d" * 64}}}]))
    assert locked.run().ret == 1
    assert locked.said_of("env_lock")[1].endswith("image.json has dddddddddddd")


def test_an_endpoint_may_say_it(locked: Repo) -> None:
    class Info(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"mlgates_lock": json.loads(other().text())}).encode()
            self.send_response(200 if self.path == "/info" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Info) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_port}"
        settings(locked, f'serving = "{place}/info"')
        assert locked.run().ret == 1
        assert "scikit-learn" in locked.said_of("env_lock")[1]
        settings(locked, f'serving = "{place}/elsewhere"')
        assert locked.run().ret == 10
        assert locked.said_of("env_lock") == ("ERROR", f"the serving side's lock {place}/elsewhere answered 404")
        server.shutdown()


def test_a_serving_lock_that_is_not_there_or_unreadable(locked: Repo) -> None:
    settings(locked, 'serving = "absent.txt"')
    assert locked.run().ret == 10
    assert "absent.txt cannot be read: No such file or directory" in locked.said_of("env_lock")[1]
    locked.write("absent.txt", "numpy==1\nnumpy==2\n")
    assert locked.run().ret == 10
    assert locked.said_of("env_lock")[1].startswith("absent.txt pins numpy twice, 1 and 2")


def test_a_version_without_a_lock(repo: Repo) -> None:
    repo.settings(gates=GATES)
    assert repo.run("--mlgate-challenger", WORSE).ret == 1
    said = "v3 records no lock: run `mlgates lock 3` where it is trained"
    assert repo.said_of("env_lock") == ("FAIL", said)


def test_a_champion_without_a_lock_is_inconclusive(locked: Repo) -> None:
    locked.point("champion", CHAMPION)
    assert locked.run().ret == 10
    verdict, said = locked.said_of("env_lock")
    assert verdict == "INCONCLUSIVE"
    assert said.endswith("v1 records no lock: run `mlgates lock 1` where it is trained")


def test_an_environment_that_scores_otherwise(locked: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_mlgates.measure import env_lock

    monkeypatch.setattr(env_lock, "installed", lambda: other("1.0"))
    assert locked.run().ret == 1
    said = locked.said_of("env_lock")[1]
    assert said.startswith("v2: 1 thing differs between training and the environment that scores it here: scikit-learn")
    settings(locked, 'scoring_env = "ignore"')
    assert locked.run().ret == 10
    assert 'nothing to compare with: write serving = "FILE or URL"' in locked.said_of("env_lock")[1]


def test_hashes_that_are_required(locked: Repo) -> None:
    settings(locked, "require_hashes = true")
    assert locked.run().ret == 1
    said = locked.said_of("env_lock")[1]
    assert said.startswith("the lock of v2 does not pin every byte: ")
    assert " has no hash; " in said


def test_a_lock_that_was_changed(locked: Repo) -> None:
    tag(locked, "d" * 64)
    assert locked.run().ret == 1
    said = "the lock of v2 was changed since it was recorded: its digest is not dddddddddddd"
    assert locked.said_of("env_lock")[1] == said


def tag(repo: Repo, digest: str) -> None:
    with contextlib.closing(repo.database()) as db, db:
        db.execute("update model_version_tags set value = ? where key = 'mlgates.lock'", (digest,))


def test_a_second_lock_is_never_written_over_the_first(locked: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lock", BETTER]) == 0
    locked.write("other.txt", "numpy==1.0\n")
    assert cli.main(["lock", BETTER, "--from", "other.txt"]) == 2
    assert "a fact that was recorded is never written over; register a new version" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("d" * 64, "holds only a digest: give the lock itself"),
        ("<x>", "is of an unknown form"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_lock(
    locked: Repo, content: str | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        locked.write("file", content)
    assert cli.main(["lock", "--from", "file"]) == 2
    assert sentence in capsys.readouterr().err


def test_a_lock_for_the_image_that_serves(locked: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lock", "--image", "sha256:1"]) == 0
    written = json.loads((locked.path / "environment.lock.json").read_text())
    assert written["image"] == "sha256:1"
    assert len(written["packages"]) == len(installed().packages)


@pytest.mark.long
def test_two_real_environments(locked: Repo, tmp_path: Path) -> None:
    """scikit-learn two minor versions apart, built by uv: one trains, the other would serve."""
    uv = pytest.importorskip("uv").find_uv_bin()
    locks = {}
    for name, version in (("training", "1.7.2"), ("serving", "1.5.2")):
        python = tmp_path / name / "bin" / "python"
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(tmp_path / name)], check=True, timeout=300)
        wanted = [f"scikit-learn=={version}", "numpy<2.3", "PyYAML", "pydantic"]
        install = [uv, "pip", "install", "-q", "--python", str(python), *wanted]
        subprocess.run(install, check=True, timeout=900, env=dict(os.environ))
        source = "from pytest_mlgates.lock.installed import installed; print(installed().text())"
        environ = {"PYTHONPATH": str(Path(cli.__file__).parents[1]), "PATH": os.environ["PATH"]}
        command = [str(python), "-c", source]
        done = subprocess.run(command, check=True, timeout=120, capture_output=True, text=True, env=environ)
        locks[name] = locked.write(f"{name}.lock.json", done.stdout)
    assert cli.main(["lock", WORSE, "--from", "training.lock.json"]) == 2  # it has no run to keep it with
    with contextlib.closing(locked.database()) as db, db:
        db.execute("delete from model_version_tags where version = ? and key = 'mlgates.lock'", (BETTER,))
    assert cli.main(["lock", BETTER, "--from", "training.lock.json"]) == 0
    settings(locked, 'serving = "serving.lock.json"\nscoring_env = "ignore"')
    assert locked.apply().ret == 1
    said = locked.said_of("env_lock")[1]
    assert "scikit-learn 1.7.2 -> 1.5.2" in said
    settings(locked, 'serving = "training.lock.json"\nscoring_env = "ignore"')
    assert locked.apply().ret == 0
