"""Does it answer in time, and is there a proven way back?"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pytest_mlgates.policy.base import Names, Policy, Share

Seconds = Annotated[float, Field(ge=0)]


class Latency(Policy):
    """p99 and the share of errors under a load of `rate` requests a second, which do not wait for answers.

    `seconds`: a pass rests on at least so much time, for a stall that did not happen cannot be seen; `most` requests
    or `within` seconds end the measurement; an answer that takes `timeout` seconds is an error. `payloads` requests of
    `rows` golden rows each are sent in turn; with `same_answers` an answer must be the one given without load.
    `workers` processes here, or `remote_workers` elsewhere that connect to `bind`, make the load; 0: one process.
    """

    p99_ms: Annotated[float, Field(gt=0)] = 200.0
    errors: Share = 0.01
    rate: Annotated[float, Field(gt=0, le=100_000)] = 50.0
    arrivals: Literal["poisson", "constant"] = "poisson"
    seconds: Seconds = 30.0
    warm_up: Seconds = 2.0
    most: Annotated[int, Field(ge=1_000)] = 20_000
    within: Annotated[float, Field(gt=0, le=3_000)] = 600.0
    timeout: Annotated[float, Field(gt=0)] = 10.0
    rows: Annotated[int, Field(ge=1)] = 1
    payloads: Annotated[int, Field(ge=1)] = 100
    same_answers: bool = True
    workers: Annotated[int, Field(ge=0, le=1_000)] = 0
    remote_workers: Annotated[int, Field(ge=0, le=1_000)] = 0
    bind: str = ""
    alpha: Share = 0.05
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _measurable(self) -> Latency:
        if self.timeout * 1000 <= self.p99_ms:
            raise ValueError(
                f"timeout = {self.timeout:g} s must be longer than p99_ms = {self.p99_ms:g}, or no answer is ever late"
            )
        least = self.warm_up + max(self.seconds, 1_000 / self.rate) + self.timeout
        if least > self.within:
            raise ValueError(
                f"at {self.rate:g} requests a second the first look comes after {least:.0f} s, but within = "
                f"{self.within:g}: raise within or rate"
            )
        if self.workers and self.remote_workers:
            raise ValueError("workers are processes here, remote_workers are elsewhere: keep one of the two")
        if bool(self.remote_workers) != bool(self.bind):
            raise ValueError('remote_workers connect to bind: give both, e.g. bind = "0.0.0.0:5557", or neither')
        host, _, port = self.bind.rpartition(":")
        if self.bind and not (host and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f'bind is an address and a port, e.g. "0.0.0.0:5557", not {self.bind!r}')
        return self


class InprocessLatency(Policy):
    """p99 over `rounds` answers of the model itself to `rows` golden rows, without a server or a network."""

    p99_ms: Annotated[float, Field(gt=0)] = 50.0
    rows: Annotated[int, Field(ge=1)] = 1
    rounds: Annotated[int, Field(ge=299)] = 1_000
    warm_up: Annotated[int, Field(ge=0)] = 20
    alpha: Share = 0.05
    seed: Annotated[int, Field(ge=0)] = 0


class GoldenRecord(Policy):
    """The endpoint answers golden rows as the model itself does: `records` of them, each within `tolerance`, a share
    of the model's own answer.
    """

    records: Annotated[int, Field(ge=1)] = 100
    tolerance: Annotated[float, Field(ge=0, lt=0.1)] = 0.0001


class Memory(Policy):
    """Memory that a request leaves behind, in bytes, is proven to be `leak` or less within `requests`, or `within`
    seconds; `connections` ask at the same time. With more wrong answers than `errors` nothing is proven.
    """

    leak: Annotated[float, Field(gt=0)] = 512.0
    requests: Annotated[int, Field(ge=14_000)] = 20_000
    within: Annotated[float, Field(gt=0)] = 600.0
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    errors: Share = 0.01
    alpha: Share = 0.05


class Overload(Policy):
    """Past capacity it refuses (HTTP 429 or 503) within `refuse_ms`, lets nobody wait longer than `wait_s`, and is
    back to normal within `recover_s` of a burst that lasts `burst_s`; other `errors` are a share of all requests.

    The load is `factor` times what it answers at most, doubled until it is too much, and never above `rate`.
    """

    factor: Annotated[float, Field(gt=1, le=20)] = 2.0
    rate: Annotated[float, Field(gt=0)] = 2000.0
    burst_s: Annotated[float, Field(ge=1)] = 10.0
    refuse_ms: Annotated[float, Field(gt=0)] = 500.0
    wait_s: Annotated[float, Field(gt=0)] = 2.0
    recover_s: Annotated[float, Field(gt=0)] = 5.0
    errors: Share = 0.01
    alpha: Share = 0.05


class RollbackDrill(Policy):
    """`repeats` times there and back on staging, under `rate` requests a second: the 95th percentile of the time to
    restore must be at most `restore_s` seconds, and no request may fail.

    `dummy`: the version to deploy, as alias or number; without it the challenger, the former champion, or the latest
    other one, whichever is first. `rows` golden rows are asked, and answers may differ by `tolerance` of their size.
    A promotion needs a drill that passed in the last `fresh_days` days.
    """

    restore_s: Annotated[float, Field(gt=0)] = 180.0
    repeats: Annotated[int, Field(ge=1, le=100)] = 3
    rate: Annotated[float, Field(gt=0, le=300)] = 20.0
    dummy: str = ""
    rows: Annotated[int, Field(ge=1, le=1000)] = 20
    tolerance: Share = 0.0001
    fresh_days: Annotated[int, Field(ge=1)] = 31


class Target(Policy):
    """Where a workload is. The keys from `context` on are for kind "kubernetes"; `reach` is how pods are asked from
    here: through the API server's proxies, or directly, as from a pod of the same cluster."""

    deployment: str = ""
    context: str = ""
    namespace: str = ""
    container: str = ""
    kubeconfig: str = ""
    service: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    service_port: Annotated[int, Field(ge=1, le=65535)] = 80
    url: str = ""
    reach: Literal["proxy", "direct"] = "proxy"


#: What a context is called that must be named twice before anything is changed in it.
_PRODUCTION = re.compile(r"(^|[^a-z])(prod|production|prd|live)([^a-z]|$)", re.IGNORECASE)


class ClusterSettings(Target):
    """The workload that promotion moves together with the alias; `staging` changes keys of it for the drill.

    For kind "local": `replicas` processes of `command` (MLflow's scoring server by default), which reads MODEL_URI,
    RUN_ID, HOST and PORT and is ready when it answers GET `path`, and the golden record in the file `record`, where
    {run_id} stands for the version's run. `rollout_s` bounds every rollout.
    """

    kind: Literal["local", "kubernetes"] = "local"
    staging: Target | None = None
    production_contexts: Names = ()
    wire: str = "mlflow"
    replicas: Annotated[int, Field(ge=1, le=20)] = 1
    command: Names = ()
    path: str = "/ping"
    record: str = ""
    rollout_s: Annotated[float, Field(gt=0)] = 180.0

    @model_validator(mode="after")
    def _explicit(self) -> ClusterSettings:
        if self.kind == "local":
            return self
        for name in ("context", "namespace", "deployment", "container"):
            if not getattr(self, name):
                raise ValueError(
                    f'kind = "kubernetes" needs {name} = "...": nothing is taken from the kubeconfig\'s current context'
                )
        for target in (self, self.drilled()):
            if _PRODUCTION.search(target.context) and target.context not in self.production_contexts:
                raise ValueError(
                    f"context {target.context!r} looks like production; if that is meant, write "
                    f"production_contexts = [{target.context!r}]"
                )
        return self

    def drilled(self) -> Target:
        """The staging workload: what `staging` says, and the rest as for promotion."""
        own = {name: getattr(self, name) for name in Target.model_fields}
        changed = self.staging.model_dump(include=self.staging.model_fields_set) if self.staging else {}
        if self.kind == "local" and not self.deployment and "deployment" not in changed:
            changed["deployment"] = "staging"
        return Target(**{**own, **changed})

    @property
    def serving(self) -> Target:
        own = {name: getattr(self, name) for name in Target.model_fields}
        return Target(**{**own, "deployment": self.deployment or "serving"})

    def production_of(self, target: Target) -> str:
        """The part of the target's name that says production, or ""."""
        if target.context in self.production_contexts or _PRODUCTION.search(target.context):
            return f"context {target.context!r}"
        return f"namespace {target.namespace!r}" if _PRODUCTION.search(target.namespace) else ""

    def is_served(self, target: Target) -> bool:
        """Whether the target is the very workload that serves the champion."""
        names = ("kubeconfig", "context", "namespace", "deployment")
        return all(getattr(target, name) == getattr(self.serving, name) for name in names)
