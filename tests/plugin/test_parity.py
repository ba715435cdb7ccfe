"""The gate `parity` in a whole run: a function beside a function, and beside a real HTTP service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mlrepo import Repo

RAW = "customer,spend,age\n" + "\n".join(f"c{i},{i * 10},{20 + i}" for i in range(8))
BUILD = """
    def transform(rows):
        made = rows[["age"]].copy()
        made["per_year"] = rows.spend / rows.age
        return made
"""
SERVE = """
    def transform(rows):
        made = rows[["age"]].copy()
        made["per_year"] = rows.spend // rows.age
        return made
"""


class Service(BaseHTTPRequestHandler):
    """Answers features as training makes them, but for what `wrong` says."""

    wrong = ""

    def do_POST(self) -> None:
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["rows"]
        made = [{"age": row["age"], "per_year": row["spend"] / row["age"]} for row in rows]
        if self.wrong == "value":
            made[3]["per_year"] = 0
        body = json.dumps({"features": made[1:] if self.wrong == "short" else made}).encode()
        self.send_response(503 if self.wrong == "busy" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[tuple[str, type[Service]]]:
    handler = type("Handler", (Service,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def module(repo: Repo) -> str:
    """Where the test has training's transform: a module of its own, since a process imports a name once."""
    return f"build_{repo.path.name}".replace("-", "_")


@pytest.fixture
def asked(repo: Repo) -> Repo:
    repo.write("raw.csv", RAW)
    repo.write(f"{module(repo)}.py", BUILD)
    repo.write(f"serve_{module(repo)}.py", SERVE)
    return repo


def declare(repo: Repo, serving: str) -> None:
    name = module(repo)
    table = f'[tool.mlgates.parity]\nrows = "raw.csv"\ntransform = "{name}:transform"\nkey = "customer"\n'
    repo.settings(table + serving.format(name=name), gates=["core", "parity"])


def test_the_same_function_on_both_sides_passes(asked: Repo, spread: list[str]) -> None:
    declare(asked, 'serving = "{name}:transform"')
    run = asked.run(*spread)
    assert run.ret == 0, run.text
    asked.on_page("parity", "passing")


def test_the_first_field_that_differs_is_named(asked: Repo, spread: list[str]) -> None:
    declare(asked, 'serving = "serve_{name}:transform"')
    assert asked.run(*spread).ret == 1
    assert asked.said_of("parity") == (
        "FAIL",
        "diverging [per_year: 0.47619047619047616 in training, 0 at serving, customer c1; 6 of 8 rows]",
    )
    asked.on_page("parity", "failing")


def test_a_service_that_answers_the_same_passes(asked: Repo, service: tuple[str, type[Service]]) -> None:
    declare(asked, f'url = "{service[0]}"\nanswer = "features"\nbatch = 4')
    run = asked.run()
    assert run.ret == 0, run.text


def test_a_service_that_answers_another_value_fails(asked: Repo, service: tuple[str, type[Service]]) -> None:
    service[1].wrong = "value"
    declare(asked, f'url = "{service[0]}"\nanswer = "features"\nbatch = 4')
    assert asked.run().ret == 1
    said = "diverging [per_year: 1.3043478260869565 in training, 0 at serving, customer c3; 2 of 8 rows]"
    assert asked.said_of("parity") == ("FAIL", said)


@pytest.mark.parametrize(
    ("wrong", "answer", "sentence"),
    [
        ("short", "features", "rows 0 to 7: 7 answers for 8 rows"),
        ("busy", "features", "rows 0 to 7: HTTP 503"),
        ("", "", "rows 0 to 7: the answer is no list of objects, feature -> value: say with `answer` where in it"),
    ],
    ids=["short", "busy", "elsewhere"],
)
def test_a_service_that_answers_no_features_proves_nothing(
    asked: Repo, service: tuple[str, type[Service]], wrong: str, answer: str, sentence: str
) -> None:
    service[1].wrong = wrong
    declare(asked, f'url = "{service[0]}"\nanswer = "{answer}"')
    assert asked.run().ret == 10
    verdict, said = asked.said_of("parity")
    assert verdict == "ERROR"
    assert sentence in said


def test_a_service_that_is_down_proves_nothing(asked: Repo) -> None:
    declare(asked, 'url = "http://127.0.0.1:9"')
    assert asked.run().ret == 10
    verdict, said = asked.said_of("parity")
    assert verdict == "ERROR"
    assert "the features at http://127.0.0.1:9/features, rows 0 to 7" in said


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def transform(rows): return rows.head(3)", "gave 3 rows for 8"),
        ("def transform(rows): return rows.to_numpy()", "gave ndarray; it must be a function of a DataFrame"),
        ("def transform(rows): return rows.nothing", "raised AttributeError"),
        ("def transform(rows): return rows[[]]", "makes no features"),
        ("other = 1", "has no transform"),
    ],
    ids=["rows lost", "no names", "raises", "nothing", "absent"],
)
def test_a_transform_that_makes_no_features_proves_nothing(asked: Repo, source: str, sentence: str) -> None:
    asked.write(f"{module(asked)}.py", source)
    declare(asked, 'serving = "serve_{name}:transform"')
    assert asked.run().ret == 10
    verdict, said = asked.said_of("parity")
    assert verdict == "ERROR"
    assert sentence in said


@pytest.mark.parametrize(
    ("serving", "sentence"),
    [
        ('serving = "a:b"\nurl = "http://h"', "url and serving are both given"),
        ('url = "ftp://h"', "write a URL such as http://host:8080"),
        ('url = "http://h"\ntemplate = "rows"', "must be JSON with {records}"),
        ('url = "http://h"\nheaders = {Authorization = "secret"}', "which belongs in the environment"),
    ],
)
def test_what_cannot_be_is_a_usage_error(repo: Repo, serving: str, sentence: str) -> None:
    repo.settings("[tool.mlgates.parity]\n" + serving, gates=["core", "parity"])
    run = repo.run()
    assert run.ret == 4
    assert sentence in run.text


def test_undeclared_is_an_error_with_what_to_write(repo: Repo) -> None:
    repo.settings(gates=["core", "parity"])
    assert repo.run().ret == 10
    assert "in [tool.mlgates.parity]" in repo.said_of("parity")[1]
