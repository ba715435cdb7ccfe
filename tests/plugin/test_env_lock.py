"""The gate `env_lock` and `mlgates lock` in a whole run: the packages that differ are named."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
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
    locked.on_page("env_lock", "passing", exact=False)


@pytest.mark.slow
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
    locked.on_page("env_lock", "failing", exact=False)


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


def test_ranges_on_both_sides_prove_nothing(locked: Repo) -> None:
    relock(locked, "scikit-learn>=1.5\n")
    locked.write("serving.txt", "scikit-learn>=1.5\n")
    settings(locked, 'serving = "serving.txt"\nscoring_env = "ignore"')
    assert locked.run().ret == 1
    said = "the lock of v2 gives scikit-learn as a range (>=1.5), so what is installed there is not known: "
    assert locked.said_of("env_lock") == ("FAIL", f"{said}lock exact versions")


def test_editable_and_git_installs_are_said_and_fail_when_hashes_are_required(locked: Repo) -> None:
    text = "scikit-learn==1.7.2\n-e ./mine\nother @ git+https://h/other@main\n"
    relock(locked, text)
    locked.write("serving.txt", text)
    settings(locked, 'serving = "serving.txt"\nscoring_env = "ignore"')
    assert locked.run().ret == 0
    assert reasons(locked)[0].endswith("; nothing pins the bytes of mine (editable), other (git https://h/other@main)")
    settings(locked, 'serving = "serving.txt"\nscoring_env = "ignore"\nrequire_hashes = true')
    assert locked.run().ret == 1
    said = (
        "the lock of v2 does not pin every byte: mine is installed from elsewhere than an index (editable); other is "
    )
    assert locked.said_of("env_lock")[1].startswith(said)


def test_the_serving_lock_must_pin_every_byte_too(locked: Repo) -> None:
    relock(locked, f"scikit-learn==1.7.2 --hash=sha256:{'a' * 64}\n")
    locked.write("serving.txt", "scikit-learn==1.7.2\n")
    settings(locked, 'serving = "serving.txt"\nscoring_env = "ignore"')
    assert locked.run().ret == 0
    settings(locked, 'serving = "serving.txt"\nscoring_env = "ignore"\nrequire_hashes = true')
    assert locked.run().ret == 1
    said = "serving.txt does not pin every byte: scikit-learn 1.7.2 has no hash"
    assert locked.said_of("env_lock") == ("FAIL", said)


def test_a_model_that_does_not_say_what_it_imports_is_held_to_everything(
    locked: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from pytest_mlgates.measure import env_lock

    files = moved(locked, BETTER, tmp_path / "files")
    (files / "requirements.txt").unlink()
    monkeypatch.setattr(env_lock, "installed", lambda: replace(installed(), packages=(*installed().packages[1:],)))
    assert locked.run().ret == 1
    first = installed().packages[0]
    said = f"between training and the environment that scores it here: {first.name} {first.version} -> absent"
    assert said in locked.said_of("env_lock")[1]


# Each model in the environment of its own lock.

OWN = 'scoring_env = "lock"'


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The environment of the lock is this one, which the test cannot build anew; the names that were asked for."""
    from pytest_mlgates.adapters.scoring import uv_environment

    asked: list[str] = []

    def built(folder: Path, name: str, lines: Sequence[str], interpreter: str, *, hashed: bool) -> Path:
        asked.append(name)
        return Path(sys.prefix)

    monkeypatch.setattr(uv_environment, "built", built)
    return asked


def test_each_model_is_scored_in_the_environment_of_its_own_lock(locked: Repo, here: list[str]) -> None:
    settings(locked, OWN)
    locked.forget()
    run = locked.apply()
    assert (run.ret, locked.champion()) == (0, BETTER)
    assert set(here) == {installed().digest[:32]}
    assert reasons(locked)[0].startswith("scored in an environment of its own with the ")


@pytest.mark.slow
def test_answers_of_another_environment_are_not_taken_for_its_own(locked: Repo, here: list[str]) -> None:
    """What was kept from a run with "inherit" says nothing of the lock."""
    settings(locked, 'scoring_env = "inherit"')
    assert locked.run().ret == 0
    settings(locked, OWN)
    locked.run()
    here.clear()
    kept = list((locked.path / ".mlgates" / "cache" / "answers").glob("*.answer"))
    locked.run()
    assert len(here) == 1  # the gate looks, and no model is started: the answer is kept under the lock
    assert list((locked.path / ".mlgates" / "cache" / "answers").glob("*.answer")) == kept


def test_a_version_without_a_lock_cannot_be_scored_in_it(repo: Repo) -> None:
    repo.settings('[tool.mlgates.env_lock]\nscoring_env = "lock"\n')
    repo.forget()
    assert repo.run("--mlgate-challenger", WORSE).ret == 10
    said = 'v1 records no lock: run `mlgates lock 1` where it is trained; scoring_env = "lock" needs it'
    verdict, sentence = repo.said_of("golden_regression")
    assert verdict == "ERROR"
    assert sentence in (said, said.replace("1", "3"))


def test_without_uv_the_extra_is_named(locked: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    settings(locked, OWN)
    assert locked.run().ret == 10
    said = 'scoring_env = "lock" needs uv: pip install "pytest-mlgates[lock]"'
    assert locked.said_of("env_lock") == ("ERROR", said)


def relock(repo: Repo, text: str) -> None:
    """The challenger was trained with this lock and never with another."""
    with contextlib.closing(repo.database()) as db, db:
        db.execute("delete from model_version_tags where version = ? and key = 'mlgates.lock'", (BETTER,))
    assert cli.main(["lock", BETTER, "--from", str(repo.write("training.txt", text))]) == 0


def reasons(repo: Repo) -> list[str]:
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "env_lock")
    return [each["evidence"]["details"]["reason"] for each in gate["judgements"]]


def moved(repo: Repo, version: str, to: Path) -> Path:
    """A version's files copied elsewhere, where they are from now on."""
    with contextlib.closing(repo.database()) as db, db:
        found = db.execute("select storage_location from model_versions where version = ?", (version,)).fetchone()[0]
        shutil.copytree(str(found).removeprefix("file://"), to)
        query = "update model_versions set source = ?, storage_location = ? where version = ?"
        db.execute(query, (str(to), str(to), version))
    return to


#: Trains the challenger in an environment that has scikit-learn and nothing else.
TRAINS = """
import pickle, sys
import numpy as np, sklearn
from sklearn.linear_model import LogisticRegression
rows = np.random.default_rng(0).normal(size=(500, 4))
model = LogisticRegression().fit(rows, rows[:, :3].sum(axis=1) > 0)
with open(sys.argv[1], "wb") as file:
    pickle.dump(model, file)
"""


@pytest.mark.services
def test_two_real_environments(locked: Repo, tmp_path: Path) -> None:
    """scikit-learn two minor versions apart, built by uv: one trains, the other serves, and each can score."""
    uv = pytest.importorskip("uv").find_uv_bin()
    pythons = {}
    for name, version in (("training", "1.7.2"), ("serving", "1.5.2")):
        pythons[name] = tmp_path / name / "bin" / "python"
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(tmp_path / name)], check=True, timeout=300)
        wanted = [f"scikit-learn=={version}", "numpy<2.3"]
        install = [uv, "pip", "install", "-q", "--python", str(pythons[name]), *wanted]
        subprocess.run(install, check=True, timeout=900, env=dict(os.environ))
        site = list((tmp_path / name).glob("lib/python*/site-packages"))
        locked.write(f"{name}.lock.json", installed(site).text())
    files = moved(locked, BETTER, tmp_path / "files")
    subprocess.run([pythons["training"], "-c", TRAINS, files / "model.pkl"], check=True, timeout=120)
    conf = {"pickled_model": "model.pkl", "serialization_format": "pickle"}
    (files / "MLmodel").write_text(json.dumps({"flavors": {"sklearn": conf}}))
    (files / "requirements.txt").write_text("scikit-learn==1.7.2\n")
    relock(locked, (locked.path / "training.lock.json").read_text())
    settings(locked, f'serving = "serving.lock.json"\n{OWN}')
    assert locked.apply().ret == 1
    said = locked.said_of("env_lock")[1]
    first = "between training and serving.lock.json: scikit-learn 1.7.2 -> 1.5.2. Build one from the other's lock"
    assert said.endswith(first)
    settings(locked, f'serving = "training.lock.json"\n{OWN}')
    run = locked.apply("-n", "2")
    assert (run.ret, locked.champion()) == (0, BETTER)
    count = len(json.loads((locked.path / "training.lock.json").read_text())["packages"])
    assert reasons(locked)[1] == f"scored in an environment of its own with the {count} packages of its lock"
    settings(locked, 'serving = "training.lock.json"')  # this environment is neither of them
    assert locked.run("--mlgate-challenger", BETTER).ret == 1
    assert "scikit-learn 1.7.2 -> " in locked.said_of("env_lock")[1]
