"""The whole loop on real parts: a fault between load and endpoint, until the former version is proven to serve.

fault proxy -> Prometheus -> Alertmanager -> `mlgates webhook` -> ledger -> local cluster. The test runs it once,
`benchmarks/real_loop.py` many times.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webhooked import TOKEN, Hook, webhook

from mlrepo import BETTER, CHAMPION, MODEL, Repo
from pytest_mlgates.demo.fault_proxy import Fault, FaultProxy, fault_proxy
from pytest_mlgates.rules_files import Watched, files
from pytest_mlgates.rules_files.routes import routes
from tests.watch.ears import Heard, ears
from tests.watch.servers import alertmanager, firing, free_port, prometheus, until

POD = Path(__file__).parents[1] / "cluster" / "linear_pod.py"
#: The rule's own `for:`, and the range its rate looks at.
HOLD, WINDOW = 2.0, 10.0

#: A gate of the user's own over the figure that the alert is about, because the shipped `slo` proves a breach over a
#: minute at least.
GATE = """
    import json, urllib.parse, urllib.request
    QUERY = 'mlgates:error_ratio:rate10s{model="credit"}'

    @pytest.mark.mlgate("live_errors", phase="live", tier="act")
    def test_live_errors(gate):
        asked = urllib.parse.urlencode({"query": QUERY})
        with urllib.request.urlopen(gate.settings.prometheus.url + "/api/v1/query?" + asked, timeout=5) as answer:
            (series,) = json.load(answer)["data"]["result"]
        gate.judge(Evidence("share of failed requests", float(series["value"][1]), n=100), at_most(0.02))
"""


@dataclass
class Loop:
    """`chat` and `pager` hear what Alertmanager sends them; `load` answers come through `proxy`."""

    repo: Repo
    proxy: FaultProxy
    hook: Hook
    prometheus: str
    chat: Heard
    pager: Heard

    def ask(self) -> tuple[int, str]:
        """(status, run id) of one golden row asked where users ask."""
        connection = http.client.HTTPConnection(self.proxy.url.removeprefix("http://"), timeout=5)
        body = json.dumps({"dataframe_split": {"columns": ["a", "b", "c", "d"], "data": [[1.0, 1.0, 1.0, 1.0]]}})
        try:
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers.get("X-Model-Run-Id", "")
        finally:
            connection.close()

    def broken_until_restored(self, fault: Fault, within: float) -> float:
        """Seconds from the fault until users are answered by the former version, and registry and ledger say so."""
        begun = time.monotonic()
        self.proxy.fault = fault
        until(lambda: self.repo.champion() == CHAMPION, within, "the alias is back")
        until(lambda: self.ask() == (200, run_of(self.repo, CHAMPION)), within, "the former version answers")
        self.hook.wait_for("rolled back from v", within)
        return time.monotonic() - begun


@contextlib.contextmanager
def loop(repo: Repo) -> Iterator[Loop]:
    """Everything runs, the better version serves, and nothing is wrong yet."""
    with repo.database() as db:
        db.execute("update model_versions set run_id = 'run-' || version where run_id is null")
    command = json.dumps([sys.executable, "-S", "-E", str(POD), "{}"])
    cluster = f'[tool.mlgates.cluster]\nkind = "local"\ncommand = {command}\nrollout_s = 30\n'
    repo.settings(cluster, gates=["core"], waivers=None)
    repo.settings(cluster, gates=[*_without_drill(repo)])
    folder = repo.path / "watch"
    folder.mkdir()
    applied = repo.apply()
    assert applied.ret == 0, applied.text
    host, port = _front(repo)
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(fault_proxy(host, port))
        chat, pager = stack.enter_context(ears()), stack.enter_context(ears())
        watching, hooking = free_port(), {}
        (folder / "mlgates-token").write_text(TOKEN)
        made = files(Watched(MODEL, **_queries(), errors_for=HOLD, errors_at_once_for=60.0, window=WINDOW))
        (folder / "mlgates.rules.yml").write_text(made["mlgates.rules.yml"])
        url = stack.enter_context(prometheus(folder, _scraping(proxy, watching, folder)))
        table = f"""
            {cluster.replace(chr(10), chr(10) + " " * 12)}
            [tool.mlgates.prometheus]
            url = "{url}"
            champion = 'job="{MODEL}"'
            [tool.mlgates.webhook]
            token = "env:ALERT_TOKEN"
            again_s = 5.0
        """
        repo.gates(GATE)
        repo.settings(table, gates=_without_drill(repo), gates_live=["golden_integrity", "live_errors"])
        hooking = stack.enter_context(webhook(repo.path))
        told = routes(
            webhook_url=f"http://{hooking.address}/alerts",
            secrets=str(folder),
            chat=[{"url": f"http://{chat.url}/chat"}],
            pager=[{"url": f"http://{pager.url}/pager"}],
        )
        stack.enter_context(alertmanager(folder, told, watching))
        running = Loop(repo, proxy, hooking, url, chat, pager)
        stack.enter_context(_load(running))
        until(lambda: proxy.codes["200"] > 50, 30, "load flows")
        until(lambda: _is_recorded(url), 30, "Prometheus records the share of errors")
        assert "MlgatesErrorsHigh" not in firing(url)
        assert running.ask() == (200, run_of(repo, BETTER))
        try:
            yield running
        finally:
            from pytest_mlgates.cli import main

            main(["cluster", "stop"])


def run_of(repo: Repo, number: str) -> str:
    """The run that made a version, which its pods say in every answer."""
    with contextlib.closing(repo.database()) as db:
        where = "where name = ? and version = ?"
        return str(db.execute(f"select run_id from model_versions {where}", (MODEL, number)).fetchone()[0])


def _without_drill(repo: Repo) -> list[str]:
    """No drill was held here, and none is asked for."""
    return ["golden_integrity", "is_new", "golden_regression", "bootstrap_auc"]


def _queries() -> dict[str, Any]:
    who = f'job="{MODEL}"'
    return {
        "requests": f"http_requests_total{{{who}}}",
        "errors": f'http_requests_total{{{who},code=~"5.."}}',
        "latency": f'http_request_duration_seconds_bucket{{{who},le=~"$le"}}',
    }


def _scraping(proxy: FaultProxy, watching: int, folder: Path) -> dict[str, Any]:
    target = {"targets": [proxy.url.removeprefix("http://")]}
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "mlgates.rules.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{watching}"]}]}]},
        "scrape_configs": [{"job_name": MODEL, "static_configs": [target]}],
    }


def _is_recorded(url: str) -> bool:
    from tests.watch.servers import got

    found = json.loads(got(f"{url}/api/v1/query?query=mlgates:error_ratio:rate10s"))["data"]["result"]
    return bool(found) and float(found[0]["value"][1]) == 0


def _front(repo: Repo) -> tuple[str, int]:
    """Where the local cluster answers for the champion."""
    from pytest_mlgates.doors.outside import open_cluster, registry_uri
    from pytest_mlgates.settings import load

    settings = load(repo.path, {}, {})
    cluster = open_cluster(settings, registry_uri(settings, {}), {}, drill=False)
    host, _, port = cluster.url().removeprefix("http://").partition(":")
    cluster.close()
    return host, int(port)


@contextlib.contextmanager
def _load(running: Loop) -> Iterator[None]:
    """About forty requests a second, whatever comes back."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.025):
            with contextlib.suppress(OSError, http.client.HTTPException):
                running.ask()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(15)
