"""The files by name, as text."""

from __future__ import annotations

import json
from typing import Any

import yaml

from pytest_mlgates.rules_files.alerts import groups
from pytest_mlgates.rules_files.cases import cases
from pytest_mlgates.rules_files.dashboard import dashboard
from pytest_mlgates.rules_files.routes import routes
from pytest_mlgates.rules_files.watched import Watched

#: By which a file is known to be ours to write again.
MARK = "# Made by `mlgates rules`: change the settings and make it again.\n"
FILES = ("mlgates.rules.yml", "mlgates.rules.test.yml", "alertmanager.yml", "prometheus.yml", "dashboard.json")


def files(watched: Watched) -> dict[str, str]:
    """File name -> text, for the model that is `watched`."""
    made = (_yaml(groups(watched)), _yaml(cases(watched)), _yaml(routes()), _yaml(_scraping(watched)))
    shown = json.dumps(dashboard(watched), indent=1, ensure_ascii=False) + "\n"
    return dict(zip(FILES, (*made, shown), strict=True))


def ours(name: str, text: str) -> bool:
    """Whether a file that is there already was made by this tool."""
    return '"uid": "mlgates-' in text[:200] if name.endswith(".json") else text.startswith(MARK)


def _scraping(watched: Watched) -> dict[str, Any]:
    """An example to begin with; the service itself is scraped as it always was."""
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": [FILES[0]],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]},
        "scrape_configs": [
            {
                "job_name": "mlgates",
                "honor_labels": True,
                "scrape_interval": "30s",
                "scrape_timeout": "25s",
                "static_configs": [{"targets": ["mlgates-exporter:9108"]}],
            }
        ],
    }


def _yaml(data: dict[str, Any]) -> str:
    return MARK + yaml.dump(data, Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    """Without anchors, which a person reads badly."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
