"""A model behind a URL: the protocols against servers that speak them, and everything that can be wrong there."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.adapters.serving.http_endpoint import HttpEndpoint, plain_rows, secret_headers
from pytest_mlgates.errors import CouldNotEvaluate
from tests.serving.servers import COLUMNS, raw, score, serving

ROWS = pd.DataFrame([[0.5, -1.0, 0.25, 2.0], [1.5, 0.0, -3.0, 0.5], [-2.0, 1.0, 1.0, 1.0]], columns=list(COLUMNS))
EXPECTED = [score(dict(zip(COLUMNS, row, strict=True))) for row in ROWS.to_numpy().tolist()]
MATRIX = 'kserve {"model": "credit", "input": "features"}'
SPECS = {"mlflow": ["mlflow"], "kserve": ['kserve {"model": "credit"}', MATRIX], "json": ["json"], "sse": ["sse"]}


def ask(url: str, wire: str = "mlflow", timeout: float = 5.0, **more: object) -> list[object]:
    endpoint = HttpEndpoint("credit v1", url, wire, timeout=timeout, **more)
    try:
        return endpoint.answer(ROWS).tolist()
    finally:
        endpoint.close()


def trouble_of(url: str, wire: str = "mlflow", timeout: float = 5.0, **more: object) -> str:
    with pytest.raises(CouldNotEvaluate) as raised:
        ask(url, wire, timeout, **more)
    return str(raised.value).replace(url, "URL")


@pytest.mark.parametrize(("protocol", "spec"), [(name, spec) for name, specs in SPECS.items() for spec in specs])
def test_each_protocol_against_a_server_that_speaks_it(protocol: str, spec: str) -> None:
    with serving(protocol) as served:
        found = ask(served.url, spec)
    np.testing.assert_allclose([float(value) for value in found], EXPECTED, rtol=1e-9)


def test_many_questions_go_over_one_connection_even_when_the_server_hangs_up_in_between() -> None:
    with serving(trouble="idle close") as served:
        endpoint = HttpEndpoint("credit v1", served.url, "mlflow")
        for _ in range(5):
            np.testing.assert_allclose(endpoint.answer(ROWS), EXPECTED)
        endpoint.close()
    assert len(served.asked) == 5


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ("busy", "credit v1 at URL: HTTP 503: too many requests, come back later"),
        ("forbidden", "credit v1 at URL: HTTP 403: no token given"),
        ("error as 200", "credit v1 at URL: HTTP 200 with an error in it: column x9 is missing"),
        ("html", "credit v1 at URL: the content type is text/html, not application/json: Welcome to nginx!"),
        (
            "redirect",
            "credit v1 at URL: HTTP 307, a redirect to http://elsewhere/invocations: give the URL that answers itself",
        ),
        ("no json", "credit v1 at URL: the answer is no JSON: predictions: 1"),
        (
            "other protocol",
            'credit v1 at URL: the answer has no "predictions", which MLflow\'s scoring server gives',
        ),
        ("short", "credit v1 at URL: 1 answers for 3 rows"),
        ("null", "credit v1 at URL: row 0 is answered null"),
        ("nan", "credit v1 at URL: row 0 is answered nan"),
        ("half", "credit v1 at URL: it closed the connection in the middle of its answer, after 38 bytes"),
        ("half chunk", "credit v1 at URL: it closed the connection in the middle of its answer, after 76 bytes"),
        ("mute", "credit v1 at URL: it closed the connection without an answer"),
    ],
)
def test_what_is_no_right_answer_is_said_in_one_sentence(trouble: str, sentence: str) -> None:
    with serving(trouble=trouble) as served:
        assert trouble_of(served.url) == sentence


def test_zeros_are_refused_once_it_is_known_that_no_golden_row_is_answered_so() -> None:
    with serving(trouble="zeros") as served:
        endpoint = HttpEndpoint("credit v1", served.url, "mlflow")
        assert endpoint.answer(ROWS).tolist() == [0, 0, 0]
        endpoint.refuse_zeros()
        with pytest.raises(CouldNotEvaluate, match="all 3 values are 0, as no golden row is answered: filled in"):
            endpoint.answer(ROWS)
        endpoint.close()


@pytest.mark.parametrize("trouble", ["drip", "drip to the end"])
def test_a_byte_now_and_then_does_not_stretch_the_time_limit(trouble: str) -> None:
    began = time.monotonic()
    with serving(trouble=trouble) as served:
        assert trouble_of(served.url, timeout=0.3) == "credit v1 at URL: no answer within 0.3 s"
    assert time.monotonic() - began < 5


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert trouble_of(url) == "credit v1 at URL: nothing answers there (connection refused)"


def test_a_host_that_does_not_exist() -> None:
    assert trouble_of("http://no-such-host.invalid") == "credit v1 at URL: the host 'no-such-host.invalid' is not known"


def test_another_process_on_the_port() -> None:
    with raw(b"220 mail.example.com ESMTP\r\n") as url:
        assert trouble_of(url) == (
            "credit v1 at URL: what answers does not speak HTTP (BadStatusLine): is this the right port, and no "
            "https://?"
        )


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with serving() as served:
        np.testing.assert_allclose(ask(served.url), EXPECTED)


def test_headers_come_from_the_environment_and_reach_the_server() -> None:
    told = {"Authorization": "Bearer env:TOKEN", "X-Tenant": "bank"}
    headers = secret_headers(told, {"TOKEN": "hush"})
    with serving() as served:
        ask(served.url, headers=headers)
    _, seen, _ = served.asked[0]
    assert (seen["Authorization"], seen["X-Tenant"]) == ("Bearer hush", "bank")


def test_a_header_whose_secret_is_not_there() -> None:
    with pytest.raises(CouldNotEvaluate) as raised:
        secret_headers({"Authorization": "Bearer env:TOKEN"}, {})
    assert str(raised.value) == "the header Authorization takes TOKEN from the environment, where it is not set"


# Waiting for somebody who is just starting.


def until_answering(url: str, within: float) -> list[object]:
    endpoint = HttpEndpoint("credit v1", url, "mlflow", timeout=1)
    try:
        return endpoint.until_answering(ROWS, within)
    finally:
        endpoint.close()


def test_a_slow_start_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(trouble="busy") as served:
        # The pause between two questions is when the server becomes ready.
        monkeypatch.setattr("time.sleep", lambda _: setattr(served, "trouble", ""))
        np.testing.assert_allclose(until_answering(served.url, 30), EXPECTED)
    assert len(served.asked) == 2


def test_a_start_that_never_ends_is_said() -> None:
    with serving(trouble="busy") as served, pytest.raises(CouldNotEvaluate, match="HTTP 503: too many requests"):
        until_answering(served.url, 0.3)
    with serving(trouble="mute") as served, pytest.raises(CouldNotEvaluate, match=r"without an answer, tried for 0\.3"):
        until_answering(served.url, 0.3)


@pytest.mark.parametrize("trouble", ["redirect", "html", "error as 200", "forbidden", "nan", "short"])
def test_what_is_plainly_wrong_is_not_waited_for(trouble: str) -> None:
    with serving(trouble=trouble) as served:
        with pytest.raises(CouldNotEvaluate):
            until_answering(served.url, 30)
        assert len(served.asked) == 1


# HTTPS.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of its own for localhost, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*command, *subject, "-keyout", file, "-out", f"{file}.crt"], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.fixture
def https(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(tls=context) as served:
        yield served.url


def test_https_with_its_authority_named_or_not_verified(https: str, certificate: Path) -> None:
    np.testing.assert_allclose(ask(https, ca=f"{certificate}.crt"), EXPECTED)
    np.testing.assert_allclose(ask(https, verify_tls=False), EXPECTED)


def test_an_untrusted_certificate_is_refused(https: str) -> None:
    said = trouble_of(https)
    assert said.startswith("credit v1 at URL: its certificate is not trusted: self-signed certificate")
    assert said.endswith("name the authority in ca, or write verify_tls = false for a test server")


def test_a_certificate_for_another_name_is_refused(https: str, certificate: Path) -> None:
    said = trouble_of(https.replace("localhost", "127.0.0.1"), ca=f"{certificate}.crt")
    assert "certificate is not trusted: IP address mismatch" in said


def test_https_where_http_is_spoken_and_the_other_way_round(https: str) -> None:
    with serving() as served:
        said = trouble_of(served.url.replace("http:", "https:"))
    assert "it does not speak TLS as asked" in said
    assert said.endswith("is it http:// rather than https://?")
    with pytest.raises(CouldNotEvaluate, match=r"closed the connection|does not speak HTTP|reset the connection"):
        ask(https.replace("https:", "http:"))


def test_an_authority_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CouldNotEvaluate, match=r"ca = '.*none.pem' cannot be read as certificates in PEM form"):
        HttpEndpoint("credit v1", "https://localhost:1", "mlflow", ca=str(tmp_path / "none.pem"))


# Rows as JSON.


def test_rows_become_plain_values() -> None:
    frame = pd.DataFrame(
        {
            "n": np.array([1, 2], dtype=np.int32),
            "x": np.array([0.5, np.nan], dtype=np.float32),
            "t": ["a", None],
            "when": pd.to_datetime(["2026-01-02", None]),
            "kind": pd.Categorical(["u", "v"]),
            "yes": [True, False],
            "maybe": pd.array([3, None], dtype="Int64"),
        }
    )
    columns, rows = plain_rows(frame)
    assert columns == ("n", "x", "t", "when", "kind", "yes", "maybe")
    assert rows == [[1, 0.5, "a", "2026-01-02T00:00:00", "u", True, 3], [2, None, None, None, "v", False, None]]


def test_infinity_cannot_be_asked_about() -> None:
    endpoint = HttpEndpoint("credit v1", "http://localhost:1", "mlflow")
    with pytest.raises(CouldNotEvaluate, match="the rows cannot be asked about in JSON"):
        endpoint.call(pd.DataFrame({"x": [float("inf")]}))
