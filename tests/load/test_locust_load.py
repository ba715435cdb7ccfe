"""Load made by a real Locust on real servers: what it measures, what it counts as wrong, and that nothing is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from pytest_mlgates.adapters.load.locust_load import LocustLoad, _free_port
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Call, LoadPlan, LoadTarget, Samples

from .conftest import target
from .servers import Serve, alive

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WITHIN = 40.0


def measured(load: LocustLoad, plan: LoadPlan, requests: int) -> dict[str, Samples]:
    run = load.start(plan)
    try:
        return run.samples(requests, WITHIN)
    finally:
        run.stop()


def plan(*urls: str, rate: float = 200, **more: object) -> LoadPlan:
    names = ("challenger", "champion")
    targets = tuple(target(url, name) for url, name in zip(urls, names, strict=False))
    return LoadPlan(targets, rate, **{"warm_up": 0.5, **more})  # type: ignore[arg-type]


def test_two_endpoints_are_asked_side_by_side_and_timed_apart(serve: Serve, load: LocustLoad) -> None:
    slow, quick = serve("--service", 40, "--spread", 0), serve("--service", 5, "--spread", 0)
    found = measured(load, plan(slow, quick), 200)
    for name, least in (("challenger", 40), ("champion", 5)):
        one = found[name]
        assert len(one.due) == len(one.fault) == 200
        assert (np.diff(one.due) >= 0).all() and one.due[0] >= 0.5
        assert (one.sent >= one.due).all() and (one.done > one.sent).all()
        assert least <= np.median(one.done - one.due) * 1000 <= least + 10
        assert set(one.fault) == {""}
    both = np.sort(np.concatenate([found["challenger"].due, found["champion"].due]))
    assert len(np.unique(both)) == 400


def test_a_stalled_server_does_not_slow_the_arrivals(serve: Serve, load: LocustLoad) -> None:
    """The whole point: requests go on being due, and each waits as long as a user would have waited."""
    url = serve("--service", 1, "--spread", 0, "--stall", 0.5, "--stall-every", 1.0)
    found = measured(load, plan(url, rate=200), 500)["challenger"]
    times = found.done - found.due
    assert 0.3 <= np.mean(times > 0.1) <= 0.55
    assert 0.45 <= times.max() <= 0.8
    assert np.quantile(found.sent - found.due, 0.99) < 0.25


@pytest.mark.parametrize(("whole", "fault"), [(0.3, ""), (3.0, "no answer within 1 s")])
def test_a_stream_is_answered_with_its_first_token_if_it_ends(
    serve: Serve, load: LocustLoad, whole: float, fault: str
) -> None:
    call = Call(serve("--service", 20, "--spread", 0, "--stream", whole), b"{}", streamed=True)
    one = LoadTarget("challenger", (call,), 1, "sse", (["yes"],))
    found = measured(load, LoadPlan((one,), 100, warm_up=0.2, timeout=1.0), 100)["challenger"]
    assert set(found.fault) == {fault}
    times = found.done - found.due
    assert (times.min() >= 1.0) if fault else (0.02 <= np.median(times) <= 0.2)


def test_a_certificate_must_be_trusted_named_or_waived(serve: Serve, load: LocustLoad, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    both, alone = tmp_path / "both.pem", tmp_path / "ca.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*made, *names, "-keyout", both, "-out", alone], check=True, capture_output=True)
    both.write_text(both.read_text() + alone.read_text())
    one = target(serve("--certificate", both).replace("http://127.0.0.1", "https://localhost"))
    ways = {"named": {"ca": str(alone)}, "waived": {"verify_tls": False}, "untrusted": {}}
    targets = tuple(replace(one, name=name, **way) for name, way in ways.items())  # type: ignore[arg-type]
    found = measured(load, LoadPlan(targets, 100, warm_up=0.2), 50)
    assert (set(found["named"].fault), set(found["waived"].fault)) == ({""}, {""})
    (fault,) = set(found["untrusted"].fault)
    assert fault.startswith("SSLCertVerificationError: ") and "self-signed certificate" in fault


FAULTS = {
    "status": "HTTP 503",
    "redirect": "HTTP 302",
    "error_200": "HTTP 200 with an error in it: out of memory",
    "nan": "row 0 is answered nan",
    "short": "0 answers for 1 rows",
    "zero": "the answer is all zeros, which it is not when asked alone",
    "other": "the answer is another one than when asked alone",
    "html": "the content type is text/html, not application/json",
    "half": "the answer is not HTTP, or was cut off",
    "garbage": "the answer is not HTTP, or was cut off",
    "close": "the connection was closed without an answer",
    "hang": "no answer within 0.5 s",
}


def test_every_wrong_answer_is_a_fault_with_its_kind(serve: Serve, load: LocustLoad) -> None:
    """One server a kind of fault, all under load at once."""
    targets = [target(serve("--fault", fault, "--share", 0.2, "--seed", 1), fault) for fault in FAULTS]
    found = measured(load, LoadPlan(tuple(targets), rate=80, timeout=0.5, warm_up=0.1), 200)
    for fault, said in FAULTS.items():
        kinds, counts = np.unique(found[fault].fault, return_counts=True)
        assert kinds.tolist() == ["", said]
        assert 15 <= counts[1] <= 80
    hung = found["hang"]
    assert (hung.done - hung.due)[hung.fault != ""].min() >= 0.5


def test_an_endpoint_that_is_down_answers_nothing(load: LocustLoad) -> None:
    found = measured(load, plan("http://127.0.0.1:9", rate=400, warm_up=0.0), 100)["challenger"]
    assert set(found.fault) == {"connection refused"}


def test_proxies_of_the_environment_are_not_used(serve: Serve) -> None:
    load = LocustLoad({"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "PATH": os.defpath})
    assert set(measured(load, plan(serve(), warm_up=0.0), 50)["challenger"].fault) == {""}


def test_two_local_workers_make_the_same_plan(serve: Serve) -> None:
    load = LocustLoad({}, workers=2)
    found = measured(load, plan(serve("--service", 5, "--spread", 0), rate=300, arrivals="constant"), 300)["challenger"]
    assert len(found.due) == 300 and (np.diff(found.due) >= 0).all()
    assert np.allclose(np.diff(found.due), 1 / 300)
    assert set(found.fault) == {""}
    assert 5 <= np.median(found.done - found.due) * 1000 <= 15


def test_workers_elsewhere_are_those_of_the_kubernetes_job(serve: Serve) -> None:
    """The Job's own command, run here: it connects, makes its share, and ends with the gate."""
    (job,) = yaml.safe_load_all((ROOT / "ci" / "kubernetes" / "locust-workers.yaml").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert {variable["name"] for variable in container["env"]} == {"GATE_HOST", "GATE_PORT"}
    port = _free_port()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    where = {"GATE_HOST": "127.0.0.1", "GATE_PORT": str(port), "PATH": path, "PYTHONPATH": str(ROOT)}
    run = LocustLoad({}, remote=2, bind=f"127.0.0.1:{port}").start(plan(serve(), rate=100))
    workers = [subprocess.Popen(container["command"], env=where, stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        found = run.samples(100, WITHIN)["challenger"]
        run.stop()
        assert len(found.due) == 100 and set(found.fault) == {""}
        assert [worker.wait(WITHIN) for worker in workers] == [0, 0]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def test_samples_are_handed_out_whole_up_to_the_oldest_open_request(serve: Serve, load: LocustLoad) -> None:
    """Those that are answered first are the quick ones; to judge them alone would flatter the endpoint."""
    url = serve("--service", 1, "--spread", 0, "--fault", "hang", "--share", 0.02)
    run = load.start(plan(url, rate=200, timeout=30.0, warm_up=0.0))
    first = run.samples(100_000, 5.0)["challenger"]
    again = run.samples(100_000, 1.0)["challenger"]
    run.stop()
    assert 0 < len(first.due) < 400 and len(again.due) == len(first.due)
    assert set(first.fault) == {""}


def test_a_generator_that_dies_is_an_error_and_leaves_nothing(serve: Serve, load: LocustLoad) -> None:
    run = load.start(plan(serve()))
    run.samples(1, WITHIN)
    process = run._processes[0]
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(CouldNotEvaluate, match="the load generator was killed by SIGKILL before its time"):
        run.samples(100_000, WITHIN)
    run.stop()
    run.stop()


def test_one_dead_worker_of_two_is_an_error(serve: Serve) -> None:
    load = LocustLoad({}, workers=2)
    run = load.start(plan(serve()))
    run.samples(1, WITHIN)
    os.kill(run._processes[-1].pid, signal.SIGKILL)
    with pytest.raises(CouldNotEvaluate, match="was killed by SIGKILL"):
        run.samples(100_000, WITHIN)
    load.stop()


def test_a_wire_nobody_knows_is_an_error(load: LocustLoad, serve: Serve) -> None:
    wrong = LoadPlan((replace(target(serve()), wire="morse"),), 200)
    with pytest.raises(CouldNotEvaluate, match="load could not be made: UsageError: unknown wire 'morse'"):
        load.start(wrong).samples(1, WITHIN)


def test_without_locust_the_error_names_the_extra(load: LocustLoad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CouldNotEvaluate, match=r'pip install "pytest-mlgates\[load\]"'):
        load.start(plan("http://127.0.0.1:9"))


def test_the_parent_never_imports_locust(serve: Serve, tmp_path: Path) -> None:
    assert run_parent(serve(), "stop", tmp_path).stdout.split()[-1] == "clean"


@pytest.mark.parametrize("end", ["SIGKILL", "SIGINT"])
def test_nothing_is_left_when_the_parent_is_ended_in_mid_load(serve: Serve, tmp_path: Path, end: str) -> None:
    done = run_parent(serve(), end, tmp_path)
    pids = [int(pid) for pid in done.stdout.split()[1:]]
    assert len(pids) == 3
    end_at = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < end_at:
        time.sleep(0.05)
    assert not any(map(alive, pids))


PARENT = """
    import os, signal, sys
    from pytest_mlgates.adapters.load.locust_load import LocustLoad, _free_port
    from tests.load.test_locust_load import plan

    load = LocustLoad(os.environ, workers=2)
    run = load.start(plan({url!r}))
    try:
        run.samples(10, 40.0)
        assert "locust" not in sys.modules and "gevent" not in sys.modules
        print("pids", *[process.pid for process in run._processes], flush=True)
        if {end!r} == "stop":
            print("clean")
        else:
            os.kill(os.getpid(), getattr(signal, {end!r}))
            run.samples(100_000, 40.0)
    finally:
        load.stop()
"""


def run_parent(url: str, end: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "parent.py"
    file.write_text(textwrap.dedent(PARENT.format(url=url, end=end)))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(file)], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
