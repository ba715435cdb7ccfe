"""Debian's real Prometheus, scraping services whose faults are turned on and off."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pytest_mlgates.adapters.watching.prometheus import Prometheus as Adapter
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.live.guard import Past
from pytest_mlgates.measure.live.metrics import Watched
from pytest_mlgates.measure.live.slo import slo
from pytest_mlgates.policy import Prometheus, Slo
from tests.ledger.services import free_port, running

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="apt-get install prometheus: it is not installed here"),
]
FAST = Slo(seconds=5, errors_at_once_s=5, p99_at_once_s=5, stale_s=4, requests=100)


@dataclass
class Instrumented:
    """A service as Prometheus sees it: 200 requests a second, whose counters grow with the clock."""

    errors: float = 0.001
    slow: float = 0.001
    name: str = "http_requests_total"
    _counts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("all", "bad", "slow"), 0.0))
    _last: float = field(default_factory=time.monotonic)

    def text(self) -> str:
        now = time.monotonic()
        many, self._last = 200 * (now - self._last), now
        for key, share in (("all", 1.0), ("bad", self.errors), ("slow", self.slow)):
            self._counts[key] += many * share
        every, bad, slow = self._counts.values()
        buckets = "".join(
            f'http_request_duration_seconds_bucket{{le="{le}"}} {count}\n'
            for le, count in (("0.5", every - slow), ("1.0", every - slow), ("+Inf", every))
        )
        return f'{self.name}{{code="200"}} {every - bad}\n{self.name}{{code="500"}} {bad}\n{buckets}'

    def start_anew(self) -> None:
        self._counts = dict.fromkeys(self._counts, 0.0)


@pytest.fixture
def services() -> Iterator[dict[str, tuple[Instrumented, ThreadingHTTPServer]]]:
    started = {name: (one := Instrumented(), _served(one)) for name in ("churn", "other")}
    yield started
    for _, server in started.values():
        server.shutdown()
        server.server_close()


def _served(one: Instrumented) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = one.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


def looked(url: str) -> list[tuple[Evidence, float]]:
    told = Prometheus(url=url, champion='job="churn"', control='job="other"', step=1.0, timeout=5.0)
    metrics = Adapter(url, timeout=told.timeout)
    try:
        return list(slo(Watched(metrics, told, metrics.now()), FAST, Past()))
    finally:
        metrics.close()


def restarted(url: str) -> bool:
    """Whether the server has seen the champion's counters fall."""
    metrics = Adapter(url)
    try:
        now = metrics.now()
        found = metrics.query_range('resets(http_requests_total{job="churn"}[30s])', now - 1, now, 1.0)
        return any(points.points[-1][1] > 0 for points in found)
    finally:
        metrics.close()


def until(holds: Callable[[], bool], within: float = 40) -> None:
    """Looks go on until what is expected is seen: nothing here is timed by sleeping."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it was not seen in time"
        time.sleep(0.1)


def states(url: str) -> list[str]:
    try:
        return [str(evidence.details["state"]) for evidence, _ in looked(url)]
    except CouldNotEvaluate as problem:
        return [str(problem)]


def test_what_it_says_is_judged(tmp_path: Path, services: dict[str, tuple[Instrumented, ThreadingHTTPServer]]) -> None:
    port = free_port()
    jobs = "".join(
        f"- job_name: {name}\n  static_configs: [{{targets: ['127.0.0.1:{server.server_address[1]}']}}]\n"
        for name, (_, server) in services.items()
    )
    (tmp_path / "prometheus.yml").write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}")
    command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    url = f"http://127.0.0.1:{port}"
    champion, control = services["churn"][0], services["other"][0]
    with running([*command, f"--web.listen-address=127.0.0.1:{port}"], tmp_path / "log", port, bound=30):
        until(lambda: states(url) == ["well"] * 4)
        champion.start_anew()
        until(lambda: restarted(url))
        assert states(url) == ["well"] * 4, "a counter that starts anew is no outage"

        champion.errors = 0.3
        until(lambda: states(url)[:2] == ["breach"] * 2)
        evidence, limit = looked(url)[0]
        assert evidence.interval is not None and evidence.interval.low > limit
        control.errors = 0.3
        until(lambda: states(url)[:2] == ["elsewhere"] * 2)
        champion.errors = control.errors = 0.0
        until(lambda: states(url) == ["well"] * 4)
        champion.slow = 0.3
        until(lambda: states(url)[2:] == ["breach"] * 2)
        champion.slow = 0.0
        until(lambda: states(url) == ["well"] * 4)

        champion.name = "http_requests_renamed_total"
        until(lambda: "old (more than 4 s); what cannot be seen is not well" in states(url)[0])
        champion.name = "http_requests_total"
        until(lambda: states(url) == ["well"] * 4)
        services["churn"][1].shutdown()
        services["churn"][1].server_close()
        until(lambda: "old (more than 4 s)" in states(url)[0])
    assert states(url) == [f"Prometheus at {url}: nothing answers there (connection refused)"]
