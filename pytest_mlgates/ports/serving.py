"""Models behind HTTP, and load on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as bytes, ready to be sent by whoever sends it.

    `streamed`: the answer comes in parts, and its time is when `Wire.begun` first holds of what has come so far.
    """

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    streamed: bool = False


class Wire(Protocol):
    """How rows are asked over HTTP and how the answer is read. Pure; the load generator's process uses it too."""

    @property
    def spec(self) -> str:
        """What `wires.by_name` makes the same wire of, in another process too."""

    @property
    def one_row(self) -> bool:
        """Whether a request asks about one row only."""

    def call(self, url: str, columns: tuple[str, ...], rows: list[list[Any]]) -> Call:
        """The request that asks about `rows`, each as long as `columns`. `url` is the endpoint's base."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes, rows: int) -> list[Any]:
        """The answer, one value or list of values a row. Raises CouldNotEvaluate when it is not a right answer:
        status, content type, length, NaN or an error dressed as 200."""

    def begun(self, body: bytes) -> bool:
        """Whether the first token of a streamed answer is in `body`, what has come so far."""


class Endpoint(Protocol):
    """A model behind HTTP, ready to answer."""

    @property
    def name(self) -> str:
        """For people: which version, where."""

    @property
    def processes(self) -> tuple[int, ...]:
        """Process ids on this machine, the first is the parent; none when it runs elsewhere."""

    @property
    def wire(self) -> str:
        """What `wires.by_name` makes its protocol from, in another process too."""

    @property
    def verify_tls(self) -> bool:
        """Whether its certificate must be trusted."""

    @property
    def ca(self) -> str:
        """A file with the certificates of the authorities to trust; "" for the system's."""

    def call(self, rows: Any) -> Call:
        """The request that asks about `rows` (a DataFrame)."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes, rows: int) -> list[Any]:
        """The answer, as `Wire.read`."""

    def exchange(self, call: Call, rows: int) -> list[Any]:
        """Send a call about so many rows, from any thread, and read its answer. Raises CouldNotEvaluate."""

    def answer(self, rows: Any) -> NDArray[Any]:
        """Ask once about `rows` and wait for the answer. Raises CouldNotEvaluate."""

    def close(self) -> None:
        """Stop what was started for it; nothing for a URL of somebody else's."""


class Meter(Protocol):
    """Memory of an endpoint's processes, theirs and their children's, in bytes."""

    def resident(self) -> float:
        """Main memory that they hold, swapped out or not. Raises CouldNotEvaluate when one of them has gone."""

    def graphics(self) -> float | None:
        """Memory of graphics cards that they hold; None where none of them uses one."""

    @property
    def remark(self) -> str:
        """Why `graphics` says nothing, or ""."""


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """Who is asked under load: payloads are sent in turn; `wire` names the protocol that reads the answers.

    `answers` is what each call is answered when nothing else is asked, one value or list of values a row; an answer
    under load that differs is wrong. Empty: nothing is compared. `verify_tls` and `ca` are the endpoint's.
    """

    name: str
    calls: tuple[Call, ...]
    rows: int
    wire: str
    answers: tuple[list[Any], ...] = ()
    verify_tls: bool = True
    ca: str = ""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """Open-loop arrivals: `rate` requests a second to each target, whether or not answers come."""

    targets: tuple[LoadTarget, ...]
    rate: float
    arrivals: Literal["poisson", "constant"] = "poisson"
    warm_up: float = 2.0
    timeout: float = 10.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Samples:
    """What one target answered, in order of intended sending; arrays (n,), times in seconds from the start.

    `due` is when a request should have been sent, `sent` when it was, `done` when the answer was read; `fault` is
    "" for a right answer, else what was wrong with it. Warm-up is left out.
    """

    due: NDArray[Any]
    sent: NDArray[Any]
    done: NDArray[Any]
    fault: NDArray[Any]


class LoadRun(Protocol):
    """Load that is being made."""

    def samples(self, requests: int, within: float) -> dict[str, Samples]:
        """Wait until each target has answered the first `requests` after the warm-up, at most `within` seconds;
        what there is by then, by target name. Raises CouldNotEvaluate when the generator died."""

    def busy(self) -> float:
        """Share of one core that the generator's busiest process used after the warm-up: near 1 it is too slow."""

    def stop(self) -> None:
        """End it; nothing of it is left."""


class LoadRunner(Protocol):
    """Makes load from a process of its own."""

    def start(self, plan: LoadPlan) -> LoadRun:
        """Raises CouldNotEvaluate when it cannot be started."""
