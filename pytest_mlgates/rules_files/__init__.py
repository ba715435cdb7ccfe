"""What Prometheus, Alertmanager and Grafana are given for one model: rules, routes, tests of the rules, a dashboard."""

from pytest_mlgates.rules_files.files import FILES, files
from pytest_mlgates.rules_files.watched import Watched

__all__ = ["FILES", "Watched", "files"]
