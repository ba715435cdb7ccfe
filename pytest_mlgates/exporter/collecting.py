"""Gathers what the exporter tells, anew for every question: what cannot be read now is not told at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from pytest_mlgates.adapters.golden.dvc_tracked import DvcTracked
from pytest_mlgates.aftermath.runs import kept
from pytest_mlgates.doors.outside import open_doors, registry_uri
from pytest_mlgates.errors import MlgatesError
from pytest_mlgates.exporter import Facts, Sample, Tracked, samples
from pytest_mlgates.incident import Incident
from pytest_mlgates.incident.journal import Journal
from pytest_mlgates.ledger import State, replay
from pytest_mlgates.promotion.book import read
from pytest_mlgates.settings import Settings


class Collecting:
    """One model's facts. `trouble` is what the registry said last, "" when it answered."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings, self.environ = settings, environ
        self.errors, self.trouble = 0, ""
        self._tracked = DvcTracked(settings.base)
        self._one = threading.Lock()

    def samples(self) -> list[Sample]:
        """Never raises; one collection at a time."""
        with self._one:
            return samples(self._facts())

    def _facts(self) -> Facts:
        settings = self.settings
        golden = settings.golden_file.resolve()
        found = [(one, one.path.resolve() == golden) for one in self._tracked.all()]
        tracked = [
            Tracked(
                str(one.path.relative_to(settings.base)), "golden" if mine else "data", one.size, one.pinned, one.same
            )
            for one, mine in found
        ]
        ledger = self._ledger()
        return Facts(
            settings.model,
            time.time(),
            ledger,
            self.errors,
            kept(settings.runs_dir, settings.model),
            tracked,
            self._pin(),
            settings.budget_size,
            self._incidents(),
        )

    def _ledger(self) -> State | None:
        try:
            doors = open_doors(self.settings, registry_uri(self.settings, self.environ))
            book = read(doors.log)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the registry is not up, and that is told
            self.errors += 1
            self.trouble = str(problem) if isinstance(problem, MlgatesError) else f"{type(problem).__name__}: {problem}"
            return None
        self.trouble = ""
        return book.state if book is not None else replay(())

    def _incidents(self) -> tuple[Incident, ...] | None:
        try:
            return tuple(Journal(self.settings.incidents_file).incidents().values())
        except MlgatesError:
            return None

    def _pin(self) -> str:
        """The md5 that the golden set's pointer pins, "" where there is none."""
        from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden

        try:
            return DvcGolden(self.settings.golden_file).pointer().md5
        except MlgatesError:
            return ""
