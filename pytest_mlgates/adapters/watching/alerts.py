"""Which alerts fire, by Prometheus itself: what a webhook says is only a reason to ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from pytest_mlgates.adapters.serving.http_client import Client, tls_context
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import Call


class PrometheusAlerts:
    """`url` is the server's base; `timeout` in seconds bounds an answer."""

    def __init__(
        self, url: str, headers: Mapping[str, str], timeout: float, *, verify_tls: bool = True, ca: str = ""
    ) -> None:
        self._url, self._headers, self._timeout = url.rstrip("/"), dict(headers), timeout
        self._tls = tls_context(verify=verify_tls, ca=ca) if url.startswith("https:") else None

    def firing_since(self, labels: Mapping[str, str]) -> str:
        """Since when an alert fires whose labels are all among `labels` (Alertmanager's has external labels as well),
        in Prometheus' words; "" when none does. Raises CouldNotEvaluate: then nobody knows."""
        parts = urlsplit(self._url)
        url = urlunsplit((parts.scheme, parts.netloc, parts.path + "/api/v1/alerts", "", ""))
        client = Client(self._url, self._timeout, self._tls)
        try:
            reply = client.send(Call(url, b"", {"Accept": "application/json", **self._headers}, "GET"))
        except CouldNotEvaluate as problem:
            raise CouldNotEvaluate(f"Prometheus at {self._url}: {problem}") from None
        finally:
            client.close()
        try:
            told = json.loads(reply.body)
            found = told["data"]["alerts"] if reply.status == 200 and told["status"] == "success" else None
            if found is not None:
                return next((str(a["activeAt"]) for a in found if _is(a, labels)), "")
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        raise CouldNotEvaluate(f"Prometheus at {self._url} answers HTTP {reply.status}, and not with its alerts")


def _is(alert: Mapping[str, object], labels: Mapping[str, str]) -> bool:
    mine = alert["labels"]
    if alert["state"] != "firing" or not isinstance(mine, dict):
        return False
    return mine.get("alertname") == labels.get("alertname") and all(labels.get(k) == v for k, v in mine.items())
