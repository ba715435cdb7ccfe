"""Where locks are kept: with the run of a version, and where the settings say that the serving side's is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pytest_mlgates.doors.outside import open_doors, registry_uri
from pytest_mlgates.doors.rebuilt import Rebuilt, rebuilt
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.lock import TAG, Lock
from pytest_mlgates.lock.record import believed
from pytest_mlgates.ports import Call, Registry, Version
from pytest_mlgates.settings import Settings

#: The text kept with a version's run.
FILE = "environment.lock.json"
_TIMEOUT = 30.0


class Locks:
    """Texts of locks. Everything raises CouldNotEvaluate when the other side does not answer."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings, self._environ = settings, environ

    def recorded(self, version: Version) -> str | None:
        return self._registry.attached(version, FILE)

    def believed(self, version: Version) -> Lock | str:
        """The lock it was trained with, or why there is none that can be believed. Raises UsageError for no lock."""
        said = version.tags.get(TAG, "")
        return believed(str(version), version.number, said, self.recorded(version) if said else None)

    def rebuilt(self, lock: Lock, place: str) -> Rebuilt:
        """The environment of `lock`, built anew or kept from an earlier run."""
        return rebuilt(lock, self._settings.environments_dir, place)

    def serving(self) -> str:
        place = self._settings.env_lock.serving
        if place.startswith(("http://", "https://")):
            return self._fetched(place)
        file = self._settings.base / place
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            why = getattr(problem, "strerror", None) or "it is no text"
            raise CouldNotEvaluate(f"the serving side's lock {file} cannot be read: {why}") from None

    @cached_property
    def _registry(self) -> Registry:
        return open_doors(self._settings, registry_uri(self._settings, self._environ)).registry

    def _fetched(self, url: str) -> str:
        from pytest_mlgates.adapters.serving.http_client import Client

        client = Client(url, _TIMEOUT)
        try:
            reply = client.send(Call(url, b"", {"Accept": "application/json"}, "GET"))
        finally:
            client.close()
        if reply.status != 200:
            raise CouldNotEvaluate(f"the serving side's lock {url} answered {reply.status}")
        return reply.body.decode("utf-8", errors="replace")
