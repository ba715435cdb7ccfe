"""The gate `behaviour` through an endpoint: 422 refuses; 500, and 200 with what is no answer, do not."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mlrepo import Repo
from tests.serving.servers import better

pytestmark = pytest.mark.slow

MANIFEST = "mlgates_manifest: 1\noutput: {low: 0, high: 1}\ncolumns:\n" + "".join(
    f"  {name}: {{extreme: allowed, reason: a line goes on}}\n" for name in ("x1", "x2", "x3", "x4")
)


@contextlib.contextmanager
def server(status: int, body: bytes) -> Iterator[str]:
    """The challenger behind MLflow's protocol, which says this to rows that it cannot score; its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            frame = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["dataframe_split"]
            try:
                scored = [better(dict(zip(frame["columns"], row, strict=True))) for row in frame["data"]]
                said = 200, json.dumps({"predictions": scored}).encode()
            except (KeyError, TypeError, ValueError, OverflowError):
                said = status, body
            self.send_response(said[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said[1])))
            self.end_headers()
            self.wfile.write(said[1])

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}"
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def judge(repo: Repo, url: str, *args: str) -> Any:
    repo.write("manifest.yaml", MANIFEST)
    behaviour = '[tool.mlgates.behaviour]\nthrough = "endpoint"\nexamples = 3\n'
    repo.settings(f'{behaviour}[tool.mlgates.endpoint]\nchallenger_url = "{url}"', gates=["core", "behaviour"])
    return repo.run(*args)


def test_422_refuses(repo: Repo, spread: list[str]) -> None:
    with server(422, b'{"detail": "no number"}') as url:
        run = judge(repo, url, *spread)
    assert run.ret == 0, run.text
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "behaviour")
    assert gate["verdict"] == "PASS"
    assert {one["evidence"]["details"]["asked"] for one in gate["judgements"]} == {f"challenger credit v2 at {url}"}


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (500, b'{"message": "oops"}', "breaks it: HTTP 500: oops"),
        (200, b'{"predictions": [NaN]}', "breaks it: HTTP 200 with no right answer: row 0 is answered nan"),
        (200, b'{"predictions": [0.5]}', "is answered 0.5, not refused"),
    ],
)
def test_anything_else_fails(repo: Repo, status: int, body: bytes, sentence: str) -> None:
    with server(status, body) as url:
        assert judge(repo, url).ret == 1
    verdict, said = repo.said_of("behaviour")
    assert verdict == "FAIL"
    assert sentence in said


@pytest.mark.services
def test_without_a_url_mlflows_own_server_is_asked(repo: Repo, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The challenger is a model from code, which MLflow serves: 400 for what it raises at, and the same scores."""
    import mlflow.pyfunc
    from coded import SCRIPT, with_codes

    folder = tmp_path_factory.mktemp("coded")
    script = folder / "refuses.py"
    script.write_text(SCRIPT.replace("TROUBLE", 'raise ValueError("unknown code")'))
    mlflow.pyfunc.save_model(str(folder / "refuses"), python_model=str(script), pip_requirements=["mlflow"])
    version = with_codes(repo, folder)["refuses"]
    behaviour = '[tool.mlgates.behaviour]\nthrough = "endpoint"\nexamples = 3\n'
    repo.settings(f"{behaviour}[tool.mlgates.first_promotion]\nroc_auc = 0.6\n", gates=["core", "behaviour"])
    run = repo.run("--mlgate-challenger", version)
    assert run.ret == 0, run.text
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "behaviour")
    assert {one["verdict"] for one in gate["judgements"]} == {"PASS"}
    [asked] = {one["evidence"]["details"]["asked"] for one in gate["judgements"]}
    assert asked.startswith("challenger credit v15 at http://127.0.0.1:")


def test_nobody_there_is_an_error(repo: Repo) -> None:
    repo.write("manifest.yaml", MANIFEST)
    tables = '[tool.mlgates.endpoint]\nchallenger_url = "http://127.0.0.1:9"\nstart_timeout = 0.1\n'
    repo.settings(f'{tables}[tool.mlgates.behaviour]\nthrough = "both"', gates=["core", "behaviour"])
    assert repo.run().ret == 10
    assert repo.said_of("behaviour")[0] == "ERROR"
