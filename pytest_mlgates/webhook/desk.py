"""What became of each alert, in one small file: so that a server that was killed finishes or reports, and never acts
twice. It holds the last few; the ledger holds everything that was done."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pytest_mlgates.cache import write_atomically
from pytest_mlgates.errors import CouldNotEvaluate


class Stage(enum.StrEnum):
    """BEGUN is written before anything is done; HELD may be looked into again; the others are final."""

    BEGUN = "begun"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One alert, from when it began to fire (`active`, by Prometheus). `champion` and `entry` are what the ledger said
    before anything was done; `at` is seconds since 1970."""

    name: str
    labels: Mapping[str, str]
    active: str
    stage: Stage
    at: float
    champion: str = ""
    entry: int = 0
    sentence: str = ""

    @property
    def final(self) -> bool:
        return self.stage in (Stage.DONE, Stage.FAILED)


@dataclass
class Desk:
    """The jobs in `file`, at most `most`. Everything raises CouldNotEvaluate when it cannot be read or written."""

    file: Path
    most: int
    jobs: dict[str, Job] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            told = json.loads(self.file.read_bytes())
            self.jobs = {key: Job(**{**job, "stage": Stage(job["stage"])}) for key, job in told.items()}
        except FileNotFoundError:
            self.jobs = {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
            raise CouldNotEvaluate(
                f"{self.file}, which says what became of each alert, cannot be read ({problem}): see what "
                "`mlgates history` says of the last hours, then move it away"
            ) from None

    def put(self, key: str, job: Job) -> None:
        """On disk before this returns."""
        jobs = {**self.jobs, key: job}
        for old in sorted(jobs, key=lambda one: (jobs[one].stage is Stage.BEGUN, jobs[one].at)):
            if len(jobs) <= self.most or old == key:
                break
            del jobs[old]
        try:
            write_atomically(self.file, json.dumps({name: asdict(one) for name, one in jobs.items()}).encode())
        except OSError as problem:
            raise CouldNotEvaluate(f"{self.file} cannot be written: {problem.strerror}") from None
        self.jobs = jobs

    def begun(self) -> dict[str, Job]:
        return {key: job for key, job in self.jobs.items() if job.stage is Stage.BEGUN}
