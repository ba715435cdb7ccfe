"""`mlgates doctor`: each thing that is wrong is found, and said with what to do about it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import threading
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ErrorCode

from pytest_mlgates.adapters.kubernetes import rights as kubernetes_rights
from pytest_mlgates.adapters.kubernetes.deployment import Place
from pytest_mlgates.adapters.mlflow import rights as mlflow_rights
from pytest_mlgates.commands import doctor
from pytest_mlgates.doctor import extras
from pytest_mlgates.doctor.check import Check, guarded
from pytest_mlgates.settings import load
from tests.commands.shell import here, mlgates

SETTINGS = """\
[tool.mlgates]
model = "credit"
golden = "golden.csv"
label = "y"
task = "binary"
registry = "sqlite:///mlflow.db"
ignore = ["id"]
group = "site"
"""


@pytest.fixture
def root(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("golden.csv", "golden.csv.dvc", "mlflow.db"):
        shutil.copy(template / name, tmp_path)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def examined(root: Path, *, offline: bool = False, **environ: str) -> list[Check]:
    return list(doctor.examined(root, None, environ, offline=offline))


def of(found: list[Check], state: str) -> list[tuple[str, str, str]]:
    return [(one.what, one.sentence, one.do) for one in found if one.state == state]


def test_a_repository_in_order(root: Path) -> None:
    found = examined(root)
    assert of(found, "fail") == []
    assert {one.what for one in found if one.state == "ok"} == {"settings", "golden set", "registry", "rights", "power"}
    assert ("registry", "the ledger is not made yet", "`mlgates init` or the first promotion makes it") in of(
        found, "warn"
    )


def test_nothing_is_changed_by_looking(root: Path) -> None:
    def dump() -> str:
        with contextlib.closing(sqlite3.connect(root / "mlflow.db")) as database:
            return "\n".join(database.iterdump())

    before, files = dump(), sorted(path.name for path in root.iterdir())
    examined(root)
    assert dump() == before
    assert sorted(path.name for path in root.iterdir()) == files


@pytest.mark.parametrize(
    ("wrong", "what", "sentence"),
    [
        (
            ("label = ", "labl = "),
            "settings",
            "unknown key 'labl' in pyproject.toml [tool.mlgates]: did you mean 'label'?",
        ),
        (('"credit"', '"kredit"'), "registry", "no registered model 'kredit' in sqlite:///{root}/mlflow.db"),
        (("mlflow.db", "absent.db"), "registry", "there is no file {root}/absent.db"),
        (("[tool.mlgates]", '[tool.mlgates]\npaths = ["own"]'), "settings", "paths names own, which does not exist"),
        (
            ("[tool.mlgates]", '[tool.mlgates]\ngates = ["default", "calibration"]'),
            "settings",
            "no gate is called 'calibration'",
        ),
        (
            ("[tool.mlgates]", '[tool.mlgates]\ngates = ["default", "golden_contract"]'),
            "contract",
            "there is no golden contract {root}/golden.contract.json: run `mlgates golden freeze`",
        ),
        (
            ('group = "site"', 'group = "site"\n[tool.mlgates.env_lock]\nserving = "uv.lock"'),
            "lock",
            "there is no file {root}/uv.lock",
        ),
        (
            (
                'group = "site"',
                'group = "site"\n[[tool.mlgates.waivers]]\ngate="is_new"\nreason="r"\nexpires=2020-01-01',
            ),
            "settings",
            "the waiver of is_new has expired",
        ),
        (
            ('group = "site"', 'group = "site"\n[tool.mlgates.notify]\nchat = ["env:CHAT_URL"]'),
            "secrets",
            "the settings take CHAT_URL from the environment, where it is not set",
        ),
        (
            (
                'group = "site"',
                'group = "site"\n[tool.mlgates.prometheus]\nurl = "http://127.0.0.1:9"\nchampion = "a=\'b\'"',
            ),
            "metrics",
            "Prometheus at http://127.0.0.1:9: ",
        ),
    ],
)
def test_what_is_wrong_is_found(root: Path, wrong: tuple[str, str], what: str, sentence: str) -> None:
    (root / "pyproject.toml").write_text(SETTINGS.replace(*wrong))
    said = [text for place, text, _ in of(examined(root), "fail") if place == what]
    assert [text for text in said if sentence.format(root=root) in text], said


def test_a_golden_set_that_is_not_the_pinned_one_fails_offline(root: Path) -> None:
    with (root / "golden.csv").open("a") as file:
        file.write("1,s001,0,0,0,0,1\n")
    ((what, sentence, _),) = of(examined(root, offline=True), "fail")
    assert what == "golden set"
    assert "is not the file its pointer pins" in sentence


def test_offline_asks_no_registry(root: Path) -> None:
    (root / "mlflow.db").unlink()
    assert of(examined(root, offline=True), "fail") == []


def test_too_few_rows_are_said(root: Path) -> None:
    assert any(
        what == "power" and "cannot prove" in sentence and do == "`mlgates power` says how many rows a margin needs"
        for what, sentence, do in of(examined(root), "warn")
    )


def test_the_exit_code_and_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = here(capsys, "doctor", "--offline", "--json")
    assert (code, {one["what"] for one in json.loads(out)}) == (0, {"settings", "golden set"})
    (root / "golden.csv.dvc").unlink()
    code, out, _ = here(capsys, "doctor", "--offline")
    assert code == 1
    assert "fail  golden set  the golden set has no DVC pointer" in out
    assert out.splitlines()[-1].endswith("checks: 1 failed, 0 to look at")


def test_without_settings_there_is_one_finding(tmp_path: Path) -> None:
    done = mlgates(tmp_path, "doctor")
    assert done.returncode == 1
    assert done.stdout.startswith("fail  settings    no settings found in ")


def test_what_breaks_while_looking_is_a_finding() -> None:
    def breaks() -> Iterator[Check]:
        raise ZeroDivisionError("by chance")
        yield

    assert list(guarded("x", breaks)) == [Check("x", "fail", "it could not be looked at: ZeroDivisionError: by chance")]


def test_on_windows_it_says_so_first(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    first = examined(root, offline=True)[0]
    assert (first.what, first.state, first.do) == ("machine", "fail", "use Linux or WSL 2")


# Extras


def test_an_extra_that_is_absent_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "pyproject.toml").write_text(SETTINGS + 'gates = ["core", "latency", "overload"]\n')
    monkeypatch.setattr(extras, "_installed", lambda name: name != "locust")
    (found,) = extras.extras(load(root, {}, {}))
    assert found == Check(
        "extras",
        "fail",
        "the gates latency, overload needs locust, which is not installed",
        'pip install "pytest-mlgates[load]"',
    )


#: Settings that need it -> extra.
NEEDS = {
    'gates = ["core", "memory"]': "load",
    'gates = ["core", "behaviour"]': "behaviour",
    'gates = ["core", "manifest"]': "explain",
    'gates = ["core", "fairness"]\nfairness = {fairlearn = true}': "fairness",
    '[tool.mlgates.cluster]\nkind = "kubernetes"\ncontext = "c"\nnamespace = "n"\ndeployment = "d"\n'
    'container = "m"': "k8s",
    'gates = ["core", "env_lock"]\nenv_lock = {scoring_env = "lock"}': "lock",
    'gates = ["core", "point_in_time"]\npoint_in_time = {feast = "features"}': "feast",
    'gates = ["core", "skew"]\nskew = {sample = "l.csv", engine = "duckdb"}': "skew",
    'gates_live = ["rolling_quality"]\nrolling_quality = {sample = "l.csv", engine = "spark"}': "spark",
    'gates_live = ["score_drift"]\nscore_drift = {sample = "postgres://h/d", table = "t"}': "skew",
    'notify = {chat = ["env:CHAT"]}': "notify",
    'webhook = {token = "env:TOKEN"}': "watch",
}


@pytest.mark.parametrize(("more", "extra"), NEEDS.items(), ids=NEEDS.values())
def test_what_the_settings_need_is_looked_for(
    root: Path, monkeypatch: pytest.MonkeyPatch, more: str, extra: str
) -> None:
    monkeypatch.setattr(extras, "_installed", lambda name: False)
    (root / "pyproject.toml").write_text(f"{SETTINGS}{more}\n")
    found = [one.do for one in extras.extras(load(root, {}, {}))]
    # A cluster asks for a drill, which needs load as well.
    also = ['pip install "pytest-mlgates[load]"'] if extra == "k8s" else []
    assert found == [*also, f'pip install "pytest-mlgates[{extra}]"']


def test_every_extra_is_looked_for_or_needed_by_no_run(root: Path) -> None:
    """An extra that is new has to be added to the table above, and to what doctor looks at."""
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    named = {*NEEDS.values(), "golden", *extras.NOT_FOR_RUNS}
    assert set(declared["optional-dependencies"]) == named
    (root / "golden.csv").unlink()
    assert dict(extras.needed(load(root, {}, {}), set())) == {"golden": "pulling the golden set"}


def test_the_gate_that_another_plugin_times_names_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "pyproject.toml").write_text(SETTINGS + 'gates = ["core", "inprocess_latency"]\n')
    monkeypatch.setattr(extras, "_installed", lambda name: name != "pytest-benchmark")
    assert [one.do for one in extras.extras(load(root, {}, {}))] == ["pip install pytest-benchmark"]


def test_every_extra_named_is_one_that_the_package_has() -> None:
    declared = set(metadata.metadata("pytest-mlgates").get_all("Provides-Extra") or ())
    assert {*extras.GATES, "fairness", "k8s", "golden"} <= declared
    assert extras.distributions("load")[:2] == ["locust", "psutil"]
    assert extras.distributions("no such extra") == []


# Rights


class Client:
    """Says what an MLflow server would say to an alias for a version that does not exist."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.asked: list[tuple[str, str, str]] = []

    def set_registered_model_alias(self, model: str, alias: str, version: str) -> None:
        self.asked.append((model, alias, version))
        if self.code:
            raise MlflowException("no", error_code=ErrorCode.Value(self.code))


@pytest.mark.parametrize(
    ("code", "may", "sentence"),
    [
        ("RESOURCE_DOES_NOT_EXIST", True, "an alias of 'm' may be moved"),
        ("PERMISSION_DENIED", False, "the registry http://mlflow does not allow moving an alias of 'm'"),
        ("UNAUTHENTICATED", False, "does not accept the login"),
        ("INTERNAL_ERROR", None, "the registry does not say what this user may change"),
        ("", None, "the registry took an alias for a version that does not exist: it checks nothing"),
    ],
)
def test_rights_are_asked_with_a_change_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, code: str, may: bool | None, sentence: str
) -> None:
    client = Client(code)
    monkeypatch.setattr(mlflow_rights, "open_client", lambda uri: client)
    found, why = mlflow_rights.may_change("http://user:secret@mlflow", "m")
    assert (found, sentence in why, "secret" in why) == (may, True, False)
    assert client.asked == [("m", "mlgates-doctor", "0")]


def test_a_database_file_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place).is_dir())
    assert mlflow_rights.may_change(f"sqlite:///{tmp_path}/m.db", "m") == (
        False,
        f"{tmp_path}/m.db cannot be written by this user",
    )
    assert mlflow_rights.may_change("postgresql://db/mlflow", "m")[0] is None


class Reviews(BaseHTTPRequestHandler):
    """An API server that answers reviews only: everything is allowed but what is in `denied`."""

    denied: ClassVar[set[tuple[str, str]]] = set()
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        about = body["spec"]["resourceAttributes"]
        self.asked.append(about)
        allowed = (about["verb"], about["resource"]) not in self.denied
        reply = json.dumps({**body, "status": {"allowed": allowed}}).encode()
        known = self.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        self.send_response(201 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def reviews(tmp_path: Path) -> Iterator[Callable[[set[tuple[str, str]]], Place]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Reviews)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    Reviews.asked = []

    def place(denied: set[tuple[str, str]]) -> Place:
        Reviews.denied = denied
        config = {
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        }
        file = tmp_path / "kubeconfig"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}))
        return Place("x", "shop", "scorer", "model", kubeconfig=str(file))

    yield place
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_cluster_says_what_we_may_not_do(reviews: Callable[[set[tuple[str, str]]], Place]) -> None:
    assert kubernetes_rights.refused(reviews(set())) == []
    assert Reviews.asked[1] == {
        "namespace": "shop",
        "verb": "patch",
        "group": "apps",
        "resource": "deployments",
        "name": "scorer",
    }
    denied = {("patch", "deployments"), ("get", "pods")}
    assert kubernetes_rights.refused(reviews(denied)) == ["patch deployments.apps", "get pods/log"]


def test_the_rights_asked_for_are_those_of_the_role_in_ci() -> None:
    file = Path(__file__).parents[2] / "ci" / "kubernetes" / "drill.yaml"
    role = next(one for one in yaml.safe_load_all(file.read_text()) if one["kind"] == "Role")
    granted = {
        (verb, group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {
        (verb, group, f"{resource}/{sub}" if sub else resource)
        for verb, group, resource, sub in kubernetes_rights.NEEDED
    }
