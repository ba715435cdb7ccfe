"""What is exported to Prometheus: figures by name, from facts. Pure; it knows no registry and no server."""

from pytest_mlgates.exporter.names import METRICS, NAMES, Metric
from pytest_mlgates.exporter.samples import Facts, Sample, Tracked, samples

__all__ = ["METRICS", "NAMES", "Facts", "Metric", "Sample", "Tracked", "samples"]
