"""Opens what the live gates look at: the metrics server, and the live rows that the settings name."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_mlgates.engine.port import Table
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.measure.live.metrics import Watched
from pytest_mlgates.policy import LiveSkew, RollingQuality, ScoreDrift, Skew
from pytest_mlgates.settings import Settings


def open_watched(settings: Settings, environ: Mapping[str, str]) -> Watched:
    """Raises CouldNotEvaluate when none is named, it does not answer, or its clock is another."""
    from pytest_mlgates.adapters.serving.http_endpoint import secret_headers
    from pytest_mlgates.adapters.watching.prometheus import Prometheus

    told = settings.prometheus
    if not told.url:
        raise CouldNotEvaluate(
            'no metrics: write [tool.mlgates.prometheus] url = "http://prometheus:9090", champion = \'job="NAME"\''
        )
    metrics = Prometheus(
        told.url,
        headers=secret_headers(told.headers, environ),
        timeout=told.timeout,
        skew=told.skew,
        verify_tls=told.verify_tls,
        ca=str(settings.base / told.ca) if told.ca else "",
    )
    return Watched(metrics, told, metrics.now())


def open_sample(settings: Settings, policy: ScoreDrift | RollingQuality, place: str) -> Table:
    """The live rows that `policy` names. Raises UsageError without any, CouldNotEvaluate when they cannot be had."""
    from pytest_mlgates.engine.source import open_table, written

    if not policy.sample:
        raise UsageError(
            f'{place} needs sample = "data/live.parquet": a Parquet file or folder, a CSV file, or a database\'s URL'
        )
    return open_table(
        written(policy.sample, f"{place} sample"),
        settings.base,
        what="the live sample",
        engine=policy.engine,
        table=policy.table,
        query=policy.query,
        timeout=policy.timeout,
    )


def as_skew(usual: Skew, own: LiveSkew) -> LiveSkew:
    """What `own` leaves at its default is as in `usual`. A worker's settings have every field set, so values tell."""
    unset = LiveSkew().model_dump()
    said = {name: value for name, value in own.model_dump().items() if value != unset[name]}
    return LiveSkew(**{**usual.model_dump(), "tier": own.tier, **said})
