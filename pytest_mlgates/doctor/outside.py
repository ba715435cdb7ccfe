"""The outside that a run needs: registry and rights in it, the golden set's power, cluster, metrics, secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlgates.doctor.check import Check, fail, guarded, ok, warn
from pytest_mlgates.doctor.written import asked
from pytest_mlgates.settings import Settings


def outside(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Everything that is not in the repository."""
    yield from guarded("registry", lambda: _registry(settings, environ))
    yield from guarded("rights", lambda: _rights(settings, environ))
    yield from guarded("power", lambda: _power(settings))
    if settings.cluster is not None:
        yield from guarded("cluster", lambda: _cluster(settings, environ))
    if settings.prometheus.url:
        yield from guarded("metrics", lambda: _metrics(settings, environ))
    yield from guarded("secrets", lambda: _secrets(settings, environ))


def _registry(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    from pytest_mlgates.doors.outside import open_doors, registry_uri

    doors = open_doors(settings, registry_uri(settings, environ))
    champion, challenger = doors.registry.find(settings.champion), doors.registry.find(settings.challenger)
    yield ok("registry", f"{doors.name} has {settings.model}: {', '.join(doors.registry.references()) or 'no version'}")
    if champion is None and settings.first_promotion is None:
        do = "set the alias on the version that serves, or write [tool.mlgates.first_promotion] with its floors"
        yield warn("registry", f"no version is {settings.champion!r}", do)
    if challenger is None:
        yield warn("registry", f"no version is {settings.challenger!r}", "set the alias on the version to be judged")
    elif champion is not None and champion.number == challenger.number:
        yield ok("registry", f"{settings.challenger!r} is the champion already: there is nothing to judge")
    if not doors.log.exists():
        yield warn("registry", "the ledger is not made yet", "`mlgates init` or the first promotion makes it")


def _rights(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    from pytest_mlgates.adapters.mlflow.rights import may_change
    from pytest_mlgates.doors.outside import open_doors, registry_uri

    uri = registry_uri(settings, environ)
    log = open_doors(settings, uri).log
    about = (settings.model, *([log.name] if log.exists() else []))
    for may, why in dict.fromkeys(may_change(uri, name) for name in about):
        if may is None:
            yield warn("rights", why, "ask whoever runs the registry, before the first promotion does")
        else:
            yield ok("rights", why) if may else fail("rights", why, "judging works without; promoting does not")


def _power(settings: Settings) -> Iterator[Check]:
    from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden
    from pytest_mlgates.golden import read_golden
    from pytest_mlgates.measure.golden.power import advance_notice

    pointer = DvcGolden(settings.golden_file).pointer()
    if not settings.golden_file.is_file():
        yield warn("power", "the golden set is not here, so its rows cannot be counted", "`dvc pull`")
        return
    golden = read_golden(settings, pointer.md5)
    positives = int(golden.y.sum()) if settings.task == "binary" else 0
    foreseen = advance_notice(len(golden), positives, settings, asked(settings).asked)
    yield ok("power", f"{len(golden):,} rows, {golden.X.shape[1]} features")
    for sentence in foreseen:
        short = any(words in sentence for words in ("cannot prove", "INCONCLUSIVE", "at least"))
        do = "`mlgates power` says how many rows a margin needs"
        yield warn("power", sentence, do) if short else ok("power", sentence)


def _cluster(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    from pytest_mlgates.doors.outside import open_cluster, registry_uri

    assert settings.cluster is not None
    cluster = open_cluster(settings, registry_uri(settings, environ), environ, drill=False)
    try:
        release = cluster.release()
        yield ok("cluster", f"{cluster.name} serves {release or 'nothing'}")
    finally:
        cluster.close()
    if settings.cluster.kind == "kubernetes":
        targets = {"serving": settings.cluster.serving, "staging": settings.cluster.drilled()}
        for name, target in targets.items():
            yield from guarded("cluster", lambda name=name, target=target: _cluster_rights(settings, name, target))  # type: ignore[misc]


def _cluster_rights(settings: Settings, name: str, target: Any) -> Iterator[Check]:
    from pathlib import Path

    from pytest_mlgates.adapters.kubernetes.deployment import Place
    from pytest_mlgates.adapters.kubernetes.rights import refused

    told = target.model_dump()
    if told["kubeconfig"]:
        told["kubeconfig"] = str(settings.base / Path(told["kubeconfig"]).expanduser())
    place = Place(**told)
    absent = refused(place)
    if absent:
        words = f"{name}: in namespace {place.namespace!r} we may not {', '.join(absent)}"
        yield fail("cluster", words, "grant the Role in ci/kubernetes/drill.yaml to whoever runs this")
    else:
        yield ok("cluster", f"{name}: every right in namespace {place.namespace!r}")


def _metrics(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    from pytest_mlgates.adapters.watching.prometheus import Prometheus

    policy = settings.prometheus
    headers = {name: _filled(value, environ) for name, value in policy.headers.items()}
    server = Prometheus(
        policy.url,
        headers=headers,
        timeout=policy.timeout,
        skew=policy.skew,
        verify_tls=policy.verify_tls,
        ca=str(settings.base / policy.ca) if policy.ca else "",
    )
    try:
        server.now()
        yield ok("metrics", f"{server.name} answers")
    finally:
        server.close()


def _secrets(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Every env:NAME in the settings is set; its value is nobody's business."""
    for name in sorted(set(_named(settings.model_dump(exclude={"base", "origins"})))):
        if not environ.get(name):
            yield fail("secrets", f"the settings take {name} from the environment, where it is not set", f"set {name}")


def _named(value: Any) -> Iterator[str]:
    import re

    if isinstance(value, str):
        yield from re.findall(r"env:([A-Za-z_][A-Za-z0-9_]*)", value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _named(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _named(one)


def _filled(value: str, environ: Mapping[str, str]) -> str:
    import re

    return re.sub(r"env:([A-Za-z_][A-Za-z0-9_]*)", lambda found: environ.get(found[1], ""), value)
