"""A workload that must serve one version: asked golden rows, pod by pod and at its address, and made to follow."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.adapters.serving.http_client import Client
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, MlgatesError
from pytest_mlgates.ports import Call, Cluster, Release, Version
from pytest_mlgates.wires import by_name
from pytest_mlgates.wires.alike import alike

HEADER = "x-model-run-id"
#: Right answers in a row at the workload's address before it is believed: old pods may still be in its list.
IN_A_ROW = 5
_ANSWER = 10.0
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Question:
    """Golden rows as plain JSON values, and the protocol they are asked in. `tolerance` is relative."""

    columns: tuple[str, ...]
    rows: Sequence[list[Any]]
    wire: str = "mlflow"
    tolerance: float = 0.0001

    def call(self, url: str) -> Call:
        return by_name(self.wire).call(url, self.columns, list(self.rows))


@dataclass(frozen=True, slots=True)
class Part:
    """A version as a workload is told to serve it, and what it answers to the question."""

    version: Version
    release: Release
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return str(self.version)


def release_of(version: Version) -> Release:
    return Release(f"models:/{version.model}/{version.number}", version.run_id)


def number_of(release: Release, model: str) -> str:
    """The version number a release of `model` names, or "" for anything else."""
    number = release.model_uri.removeprefix(f"models:/{model}/")
    return number if number.isdecimal() and number != release.model_uri else ""


def prove(cluster: Cluster, question: Question, part: Part, within: float) -> None:
    """Every live pod, and the workload's address several times in a row, answer as `part` does under its run id.

    Raises CouldNotEvaluate with the last wrong answer after `within` seconds.
    """
    deadline = time.monotonic() + within
    right, proven = 0, set[str]()
    wrong = "nothing was asked"
    while True:
        pods = cluster.pods()
        wrong = "" if pods else f"{cluster.name} has no live pod"
        for pod in pods:
            if pod.uid not in proven and not wrong:
                wrong = _wrong(cluster.url(pod), question, part, f"pod {pod.name}")
                proven |= set() if wrong else {pod.uid}
        while not wrong and right < IN_A_ROW:
            wrong = _wrong(cluster.url(), question, part, "the workload's address")
            right = 0 if wrong else right + 1
        if not wrong:
            return
        if time.monotonic() > deadline:
            raise CouldNotEvaluate(f"{part} was not seen to serve on {cluster.name} within {within:g} s: {wrong}")
        time.sleep(_PAUSE)


def follow(cluster: Cluster, question: Question, part: Part, within: float) -> float:
    """Make the workload serve `part` and prove that it does; how many seconds that took.

    When it does not, the workload is put back to what it served before. Raises ActionFailed either way.
    """
    start = time.monotonic()
    try:
        before = cluster.release()
        cluster.deploy(part.release)
    except MlgatesError as problem:
        raise ActionFailed(f"the workload does not follow to {part}: {problem}") from None
    try:
        cluster.settle(within)
        prove(cluster, question, part, within)
    except MlgatesError as problem:
        raise ActionFailed(
            f"the workload does not follow to {part}: {problem}{_back(cluster, before, part, within)}"
        ) from None
    return time.monotonic() - start


def _back(cluster: Cluster, before: Release | None, part: Part, within: float) -> str:
    if before in (None, part.release):
        return "; there is nothing that it served before"
    try:
        cluster.deploy(before)
        cluster.settle(within)
    except MlgatesError as problem:
        return f"; and it could not be put back to {before}: {problem}"
    return f"; it was put back to {before}"


def _wrong(url: str, question: Question, part: Part, who: str) -> str:
    """What is wrong with the answer at `url`, or ""."""
    call = question.call(url)
    client = Client(url, _ANSWER)
    try:
        reply = client.send(call)
        found = by_name(question.wire).read(reply.status, reply.headers, reply.body, len(question.rows))
    except CouldNotEvaluate as problem:
        return f"{who} did not answer the golden record: {problem}"
    finally:
        client.close()
    run = {name.lower(): value for name, value in reply.headers.items()}.get(HEADER, "")
    if run != part.release.run_id:
        said = f"says it is run {run}" if run else "does not say which run it is (X-Model-Run-Id)"
        return f"{who} {said}, not {part.release.run_id} of {part}"
    if not alike(list(found), list(part.values), question.tolerance):
        return f"{who} says it is {part} (run {run}), but its golden answers are another model's"
    return ""
