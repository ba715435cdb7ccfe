"""Alertmanager: who hears of which alert, what is grouped, and what is silent while something bigger is wrong."""

from __future__ import annotations

from typing import Any

_SECRETS = "/etc/alertmanager/secrets"


def routes(
    *,
    webhook_url: str = "http://mlgates:9095/alerts",
    secrets: str = _SECRETS,
    wait: str = "1s",
    chat: list[dict[str, Any]] | None = None,
    pager: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """alertmanager.yml as plain data. Secrets are files below `secrets`, never in it. `chat` and `pager` are webhook
    receivers instead of Slack and PagerDuty."""
    return {
        "route": {
            "receiver": "chat",
            "group_by": ["model", "component"],
            "group_wait": "10s",
            "group_interval": "1m",
            "repeat_interval": "4h",
            "routes": [
                {
                    "receiver": "dead-mans-switch",
                    "matchers": ['alertname="MlgatesWatchdog"'],
                    "group_wait": "0s",
                    "repeat_interval": "5m",
                },
                {
                    # Re-posted each minute while it fires: an alert that held is looked at again.
                    "receiver": "mlgates-webhook",
                    "matchers": ['component="model"', 'severity="critical"'],
                    "group_by": ["model"],
                    "group_wait": wait,
                    "group_interval": "15s",
                    "repeat_interval": "1m",
                    "continue": True,
                },
                {"receiver": "pager", "matchers": ['severity="critical"'], "continue": True},
                {"receiver": "chat", "matchers": ['severity=~"critical|warning|info"']},
            ],
        },
        "inhibit_rules": [
            {
                "source_matchers": ['component="infrastructure"', 'severity="critical"'],
                "target_matchers": ['component="model"'],
                "equal": ["model"],
            },
            {
                "source_matchers": ['severity="critical"'],
                "target_matchers": ['severity=~"warning|info"'],
                "equal": ["model", "component"],
            },
        ],
        "receivers": [
            {"name": "chat", **_channel(chat, "slack_configs", _slack(secrets))},
            {"name": "pager", **_channel(pager, "pagerduty_configs", _pagerduty(secrets))},
            {
                "name": "mlgates-webhook",
                "webhook_configs": [
                    {
                        "url": webhook_url,
                        "send_resolved": True,
                        "max_alerts": 100,
                        "http_config": {
                            "authorization": {"type": "Bearer", "credentials_file": f"{secrets}/mlgates-token"}
                        },
                    }
                ],
            },
            {
                "name": "dead-mans-switch",
                "webhook_configs": [{"url": "http://127.0.0.1:9/write-here-who-notices-silence"}],
            },
        ],
    }


def _channel(given: list[dict[str, Any]] | None, kind: str, usual: dict[str, Any]) -> dict[str, Any]:
    return {kind: [usual]} if given is None else {"webhook_configs": given}


def _slack(secrets: str) -> dict[str, Any]:
    return {
        "api_url_file": f"{secrets}/slack-url",
        "channel": "#models",
        "send_resolved": True,
        "title": "[{{ .Status }}] {{ .GroupLabels.model }}: {{ .GroupLabels.component }}",
        "text": "{{ range .Alerts }}{{ .Labels.alertname }}: {{ .Annotations.summary }}\n"
        "runbook: {{ .Annotations.runbook }}\n{{ end }}",
    }


def _pagerduty(secrets: str) -> dict[str, Any]:
    return {
        "routing_key_file": f"{secrets}/pagerduty-key",
        "severity": "critical",
        "description": "{{ .GroupLabels.model }}: {{ range .Alerts }}{{ .Annotations.summary }}; {{ end }}",
    }
