"""Tells people through apprise: Slack, PagerDuty, mail and some hundred others, each named by a URL."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.notifier import Message


class AppriseNotifier:
    """`timeout` in seconds bounds one message to all of its channels."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout

    def tell(self, message: Message, urls: Sequence[str]) -> None:
        """Raises CouldNotEvaluate: a URL is a secret, so channels are told by their number."""
        try:
            import apprise
        except ImportError:
            raise CouldNotEvaluate('telling people needs apprise: pip install "pytest-mlgates[notify]"') from None
        kinds = {"SEV1": apprise.NotifyType.FAILURE, "SEV2": apprise.NotifyType.WARNING}
        kind = kinds.get(message.severity, apprise.NotifyType.INFO)
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its complaints quote the URL
        channels = []
        for number, url in enumerate(urls, 1):
            made = apprise.Apprise.instantiate(url, suppress_exceptions=True)
            if made is None:
                raise CouldNotEvaluate(f"channel {number} of {len(urls)} is no URL that apprise knows")
            channels.append(made)
        body = "\n".join(filter(None, (message.body, message.link)))
        told: dict[int, bool] = {}

        def send(number: int, channel: apprise.NotifyBase) -> None:
            try:
                told[number] = bool(channel.notify(body=body, title=message.title, notify_type=kind))
            except Exception:  # noqa: BLE001 - the adapter's edge; what a plugin raises may quote its URL
                told[number] = False

        threads = [threading.Thread(target=send, args=pair, daemon=True) for pair in enumerate(channels, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self.timeout)
        lost = [str(number) for number in range(1, len(channels) + 1) if not told.get(number)]
        if lost:
            raise CouldNotEvaluate(
                f"{len(lost)} of {len(channels)} channels did not take the message within {self.timeout:g} s "
                f"(number {', '.join(lost)})"
            )
