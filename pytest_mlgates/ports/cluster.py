"""A workload that serves one model version, and can be moved to another and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Release:
    """What the pods are told to serve: the model's URI (their MODEL_URI) and its run (their RUN_ID)."""

    model_uri: str
    run_id: str

    def __str__(self) -> str:
        return f"{self.model_uri} (run {self.run_id or 'unknown'})"


@dataclass(frozen=True, slots=True)
class Pod:
    """A live pod: not one that is going away. `ready` is its own readiness probe's word, `restarts` how often its
    container ended and was started again, `run_id` what it was told to say of itself."""

    name: str
    uid: str
    address: str
    ready: bool
    run_id: str
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of the workload; the highest number is what it is told to be now. `mark` says who made it."""

    number: int
    release: Release
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a steady load met: `sent` questions, `failed` of them, `right` answers by run id, how often each fault,
    the `first` faults with their times (seconds since 1970), and how late the latest question was sent."""

    sent: int
    failed: int
    right: Mapping[str, int]
    faults: Mapping[str, int]
    first: tuple[tuple[float, str], ...]
    seconds: float
    lateness: float


class SteadyLoad(Protocol):
    """Load that is being made on a workload."""

    def stop(self) -> Asked:
        """End it and wait for what is under way. Raises CouldNotEvaluate when it died."""


class Cluster(Protocol):
    """One workload of replicated pods behind one address. Every call is bounded, every wait has its own deadline.

    What reads raises CouldNotEvaluate. What changes raises ActionFailed when the cluster refuses, or when somebody
    else changes the workload at the same time. Both raise Unreachable when nobody answers (any more); a change may
    then have been made or not.
    """

    @property
    def name(self) -> str:
        """For every report: what kind of cluster this is, and where the workload is in it."""

    def release(self) -> Release | None:
        """What the workload is told to serve now; None when it does not exist or was never told."""

    def deploy(self, release: Release, mark: str = "") -> None:
        """Begin to replace what serves. Pods and the revision carry `mark`, by which `clean` finds them."""

    def settle(self, within: float) -> float:
        """Wait until every pod is what the workload is told to be, and ready, and nothing else serves; how many
        seconds that took. Raises CouldNotEvaluate with what stands in the way, the last events and the pods' words.
        """

    def pods(self) -> tuple[Pod, ...]:
        """The live pods. One that is going away is not among them, though it may still answer."""

    def revisions(self) -> tuple[Revision, ...]:
        """What the workload was told to be, oldest first; the last is the present one."""

    def undo(self, to: int = 0) -> Release:
        """Begin to go back to the revision numbered `to`, or to the highest one below the present; what it is. The
        old revision comes back under a new highest number."""

    def kill(self, pod: Pod, within: float) -> float:
        """End `pod` and wait until as many are ready as before and it is not among them; how many seconds that
        took. A replacement that is there before anybody could look counts."""

    def events(self) -> tuple[str, ...]:
        """What the cluster says happened to the workload, oldest first."""

    def logs(self, pod: Pod) -> str:
        """The last lines that `pod` wrote; of the run before, if it just started again."""

    def url(self, pod: Pod | None = None) -> str:
        """The base URL at which the live pods together, or `pod` alone, can be asked from here."""

    def note(self) -> str:
        """The note that somebody left on the workload, or ""."""

    def leave(self, note: str, *, instead_of: str) -> bool:
        """Leave `note` ("" takes it away); False when the note is not `instead_of` any more, and stays as it is."""

    def clean(self, mark: str) -> tuple[str, ...]:
        """Remove everything that carries `mark` and does not serve, and nothing else; what was removed."""

    def remove(self) -> None:
        """Remove the workload, where this object made it; else leave it alone."""

    def close(self) -> None:
        """Let go of the cluster; what serves goes on serving."""
