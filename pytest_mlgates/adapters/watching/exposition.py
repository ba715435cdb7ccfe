"""Samples as Prometheus reads them: served over HTTP, or pushed to a Pushgateway."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_mlgates.errors import CouldNotEvaluate, UsageError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric


class _Sample(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def value(self) -> float: ...
    @property
    def count(self) -> int: ...


class _Metric(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def meaning(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...


@dataclass
class Exposition:
    """`collect` is asked anew for every answer."""

    collect: Callable[[], Sequence[_Sample]]
    metrics: Sequence[_Metric]

    def serve(self, host: str, port: int) -> tuple[str, Callable[[], None]]:
        """(URL, how to stop). Raises UsageError when the address cannot be had, or prometheus-client is missing."""
        client = _client()
        try:
            server, thread = client.start_http_server(port, addr=host, registry=self._registry())
        except (OSError, OverflowError) as problem:
            raise UsageError(f"{host}:{port} cannot be listened on: {problem}; give another --host or --port") from None

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join(10)

        return f"http://{host}:{server.server_port}/metrics", stop

    def push(self, url: str, model: str, timeout: float) -> None:
        """Replace what the Pushgateway at `url` knows of this model. Raises CouldNotEvaluate."""
        client = _client()
        try:
            client.push_to_gateway(
                url, job="mlgates", grouping_key={"model": model}, registry=self._registry(), timeout=timeout
            )
        except (OSError, ValueError) as problem:
            raise CouldNotEvaluate(f"the Pushgateway at {url} did not take the figures: {problem}") from None

    def _registry(self) -> CollectorRegistry:
        registry: CollectorRegistry = _client().CollectorRegistry(auto_describe=False)
        registry.register(_Collector(self))
        return registry


class _Collector:
    def __init__(self, exposition: Exposition) -> None:
        self.exposition = exposition

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Metric]:
        found = self.exposition.collect()
        for metric in self.exposition.metrics:
            mine = [sample for sample in found if sample.name == metric.name]
            if mine:
                yield _family(metric, mine)


def _family(metric: _Metric, mine: Sequence[_Sample]) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

    names = ["model", *metric.labels]
    values = [[sample.labels[name] for name in names] for sample in mine]
    if metric.kind == "summary":
        summary = SummaryMetricFamily(metric.name, metric.meaning, labels=names)
        for labels, sample in zip(values, mine, strict=True):
            summary.add_metric(labels, count_value=sample.count, sum_value=sample.value)
        return summary
    family = (CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily)(
        metric.name, metric.meaning, labels=names
    )
    for labels, sample in zip(values, mine, strict=True):
        family.add_metric(labels, sample.value)
    return family


def _client() -> Any:
    try:
        import prometheus_client
    except ImportError:
        raise UsageError(
            'exporting to Prometheus needs prometheus-client: pip install "pytest-mlgates[watch]"'
        ) from None
    return prometheus_client


def wait(stopped: threading.Event) -> None:
    """Until `stopped` is set, in a way that a signal can interrupt."""
    while not stopped.wait(1.0):
        pass
