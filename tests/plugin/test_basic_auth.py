"""A registry that asks for a password (MLflow's own basic-auth app): what it refuses, and what it must never leak."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mlrepo import BETTER, CHAMPION, MODEL, Repo
from pytest_mlgates.cli import main
from tests.ledger import services

pytestmark = pytest.mark.services

ADMIN, LEDGER = "admin", f"{MODEL}.mlgates-ledger"
#: Checking a password costs as much as it should, so the server does it once a user and not once a request.
CONFIG = """\
[mlflow]
default_permission = READ
database_uri = sqlite:///{database}
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 600
"""
_TABLES = (
    "registered_models",
    "registered_model_tags",
    "registered_model_aliases",
    "model_versions",
    "model_version_tags",
)


def password(user: str) -> str:
    return f"only {user} may know this"


@dataclass(frozen=True)
class Guarded:
    """A server with users: `maker` has every right that promoting needs, `bound` may not create the ledger, `reader`
    may only read the model.
    """

    uri: str
    database: Path

    def dump(self) -> str:
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            return "\n".join(db.iterdump())


@pytest.fixture(scope="module")
def guarded(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    if importlib.util.find_spec("flask_wtf") is None:
        pytest.skip('MLflow\'s basic auth is not installed: pip install "mlflow[auth]"')
    from mlflow.server.auth.client import AuthServiceClient

    if not hasattr(AuthServiceClient, "grant_user_permission"):
        pytest.skip("this MLflow cannot deny one user the creation of one model: it is older than 3.17")
    folder = tmp_path_factory.mktemp("guarded")
    database = Path(shutil.copy(template / "mlflow.db", folder))
    config = folder / "auth.ini"
    config.write_text(CONFIG.format(database=folder / "users.db"))
    environ = {
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "k",
        "MLFLOW_AUTH_ADMIN_PASSWORD": password(ADMIN),
        "MLFLOW_AUTH_CONFIG_PATH": str(config),
    }
    more = ("--workers", "1", "--app-name", "basic-auth")
    with services.mlflow_server(f"sqlite:///{database}", folder, *more, environ=environ) as uri:
        with pytest.MonkeyPatch.context() as patch:
            login(patch, ADMIN)
            add_users(uri)
        yield Guarded(uri, database)


def login(patch: pytest.MonkeyPatch, user: str, word: str = "") -> None:
    patch.setenv("MLFLOW_TRACKING_USERNAME", user)
    patch.setenv("MLFLOW_TRACKING_PASSWORD", word or password(user))


def add_users(uri: str) -> None:
    from mlflow.server.auth.client import AuthServiceClient
    from mlflow.tracking import MlflowClient

    client = AuthServiceClient(uri)
    experiment = MlflowClient(uri, uri).get_experiment_by_name("e").experiment_id
    for user in ("maker", "bound", "reader"):
        client.create_user(user, password(user))
    for user in ("maker", "bound"):
        client.grant_user_permission(user, "registered_model", MODEL, "EDIT")
        client.grant_user_permission(user, "experiment", experiment, "EDIT")
    client.grant_user_permission("bound", "registered_model", LEDGER, "DENY")


@pytest.fixture
def as_user(repo: Repo, guarded: Guarded, template: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Repo]:
    """`as_user(NAME)` logs in and gives the repository, whose registry is that server, as it was built."""
    with contextlib.closing(sqlite3.connect(guarded.database)) as db:
        db.execute("attach ? as built", (str(template / "mlflow.db"),))
        for table in _TABLES:
            db.execute(f"delete from main.{table}")
            db.execute(f"insert into main.{table} select * from built.{table}")
        db.commit()
    (repo.path / "mlflow.db").unlink()
    (repo.path / "mlflow.db").symlink_to(guarded.database)
    repo.settings(registry=None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", guarded.uri)

    def logged_in(user: str, word: str = "") -> Repo:
        login(monkeypatch, user, word)
        return repo

    return logged_in


def test_a_promotion_with_the_password_from_the_environment_leaks_it_nowhere(
    as_user: Callable[..., Repo], guarded: Guarded, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = as_user("maker")
    run = repo.apply()
    assert (run.ret, repo.champion()) == (0, BETTER)
    assert main(["history", "--json"]) == 0
    said = capsys.readouterr()
    told = {path: path.read_bytes() for path in repo.path.rglob("*") if path.is_file() and path.suffix != ".db"}
    assert any(path.name == "evidence.json" for path in told)
    assert any(path.name == "audit.log" for path in told)
    secret = password("maker")
    assert not [path for path, text in told.items() if secret.encode() in text]
    assert secret not in run.lines + said.out + said.err + guarded.dump()


def test_a_password_in_the_uri_is_cut_out_of_everything_that_is_said(
    as_user: Callable[..., Repo], guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = as_user("nobody", "wrong")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://nobody:hunter2@{urlsplit(guarded.uri).netloc}")
    run = repo.apply()
    assert run.ret == 10
    assert "does not accept the login" in run.text
    assert "hunter2" not in run.lines + (repo.path / ".mlgates" / "report" / "evidence.json").read_text()


def test_without_the_right_to_create_the_ledger_nothing_is_promoted_and_the_right_is_named(
    as_user: Callable[..., Repo], guarded: Guarded
) -> None:
    repo = as_user("bound")
    run = repo.apply()
    assert (run.ret, repo.champion()) == (11, CHAMPION)
    assert f"the registry {guarded.uri} does not allow creating the ledger: " in run.text
    assert (
        f"Whoever promotes needs EDIT on '{MODEL}' and on '{LEDGER}'; creating the ledger needs the right to create "
        "registered models" in run.text
    )
    assert LEDGER not in guarded.dump()


def test_init_makes_the_ledger_or_names_the_right_that_is_missing(
    as_user: Callable[..., Repo], guarded: Guarded, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = as_user("bound")
    words = ["init", "--model", MODEL, "--golden", "golden.csv", "--label", "y", "--task", "binary"]
    (repo.path / "pyproject.toml").unlink()
    assert main(words) == 1
    assert "creating the ledger needs the right to create registered models\n" in capsys.readouterr().out
    assert (repo.path / "pyproject.toml").is_file()
    (repo.path / "pyproject.toml").unlink()
    as_user("maker")
    assert main(words) == 0
    assert f"made the ledger '{LEDGER}' in {guarded.uri}; whoever promotes needs EDIT" in capsys.readouterr().out


def test_who_may_only_read_can_judge_but_not_promote(as_user: Callable[..., Repo], guarded: Guarded) -> None:
    repo = as_user("reader")
    assert repo.run().ret == 0
    run = repo.apply()
    assert (run.ret, repo.champion()) == (11, CHAMPION)
    assert "does not allow marking the model: " in run.text
    assert f"needs EDIT on '{MODEL}'" in run.text
    assert "'promote'" not in guarded.dump(), "no entry of that kind"


def test_a_login_that_is_not_accepted_is_one_sentence_with_the_fix(as_user: Callable[..., Repo]) -> None:
    repo = as_user("maker", "expired")
    run = repo.apply()
    assert (run.ret, repo.champion()) == (10, CHAMPION)
    assert "does not accept the login while looking up 'champion'" in run.text
    assert "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN" in run.text
    assert "expired" not in run.lines


def test_a_login_that_expires_between_judging_and_acting_changes_nothing(as_user: Callable[..., Repo]) -> None:
    repo = as_user("maker")
    repo.gates(
        """
        @pytest.mark.mlgate("expires")
        def test_expires(gate):
            os.environ["MLFLOW_TRACKING_PASSWORD"] = "expired"
            gate.judge(*good())
        """,
        "expires",
    )
    run = repo.apply()
    assert (run.ret, repo.champion()) == (11, CHAMPION)
    assert "ACTION FAILED: the registry" in run.text
    assert "does not accept the login while" in run.text
