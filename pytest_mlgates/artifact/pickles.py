"""Pickle streams judged against the allow-list: plain ones, joblib's with arrays in between, torch's older form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_mlgates.artifact.allowed import Allowed, Use, by_value
from pytest_mlgates.artifact.calls import check_call, check_keys, check_state
from pytest_mlgates.artifact.joblib_stream import JoblibStream
from pytest_mlgates.artifact.listed import CONTAINERS
from pytest_mlgates.artifact.machine import Machine
from pytest_mlgates.artifact.opcodes import operations
from pytest_mlgates.artifact.problem import Damaged, Refused
from pytest_mlgates.artifact.stand_ins import Made, Name

#: The first pickle of torch's form before zip files; four more follow, then raw numbers.
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_TORCH_STREAMS = 5
_DEEPEST = 4


class ByList:
    """Holds a pickle's every step against an allow-list; the first that is not on it is raised as Refused."""

    def __init__(self, allowed: Allowed, *, torch: bool = False, depth: int = 0) -> None:
        self._allowed, self._torch, self._depth = allowed, torch, depth

    def reference(self, name: Name) -> None:
        use, why = self._allowed.use(name)
        if use is Use.NONE:
            raise refusal(name, why)

    def call(self, name: Name, args: Any) -> None:
        if not self._allowed.use(name)[0] & Use.CALL:
            raise Refused("name", f"it calls {name} while loading, which no model needs")
        check_call(name, args)

    def create(self, name: Name) -> None:
        if not self._allowed.use(name)[0] & Use.MAKE:
            raise Refused("name", f"it makes an object of {name}, which is no class that a model needs")

    def build(self, made: Made, state: Any) -> None:
        check_state(made, state)

    def fill(self, made: Made, keys: Sequence[Any]) -> None:
        if str(made.of) not in CONTAINERS:
            raise Refused("name", f"it fills {made.of} item by item, which is no container")
        check_keys(made, keys)  # of some containers, items are attributes

    def persistent(self, identity: Any) -> None:
        if not self._torch:
            raise Damaged("it refers to objects outside itself, which only torch's files do")
        kind = identity[0] if type(identity) is tuple and identity else None
        if kind != "storage" or not isinstance(identity[1], Name):
            raise Refused("name", "it refers to an outside object that is no storage of torch")

    def data(self, piece: memoryview) -> None:
        """Bytes that are a pickle themselves are judged too, should anything load them."""
        if len(piece) > 2 and piece[0] == 0x80 and piece[1] <= 5 and self._depth < _DEEPEST:
            inner = ByList(self._allowed, torch=self._torch, depth=self._depth + 1)
            try:
                Machine(piece, inner).run()
            except Damaged:
                return


def refusal(name: Name, why: str = "") -> Refused:
    """The sentence for a name that is not on the list."""
    if by_value(name):
        return Refused("code", f"it carries code by value (it names {name})")
    return Refused("name", f"it names {name}, {why or 'which is not on the list of what its flavour needs'}")


def read_plain(view: memoryview, allowed: Allowed, *, torch: bool = False) -> None:
    """As `pickle.load` would read it: one stream, and nothing after it. Raises Refused."""
    end, _ = Machine(view, ByList(allowed, torch=torch)).run()
    if end != len(view):
        raise Damaged(f"{len(view) - end} bytes follow after the end of the pickle")


def read_any(view: memoryview, allowed: Allowed) -> None:
    """As whichever of `pickle`, `joblib` and `torch` would read it. Raises Refused."""
    if _first_number(view) == _TORCH_MAGIC:
        _read_torch(view, allowed)
        return
    reader = JoblibStream(view, lambda: ByList(allowed))
    end = reader.read(0)
    if end != len(view):
        raise Damaged(f"{len(view) - end} bytes follow after the end of the pickle")
    if reader.arrays:
        # A loader that does not know of joblib's arrays would execute their bytes: judge what it would meet.
        try:
            Machine(view, _Strict(allowed)).run()
        except Damaged:
            return


def acts_like_one(view: memoryview, allowed: Allowed) -> None:
    """For bytes that claim to be something else: Refused when, read as a pickle, they would do something not listed."""
    judge = _Patient(allowed) if _looks_like_text(view) else ByList(allowed)
    machine = Machine(view, judge)
    try:
        end, _ = machine.run()
    except Damaged:
        return
    except Refused as refused:
        raise Refused(refused.kind, f"read as a pickle, {refused.reason}") from None
    if machine.called and end == len(view):
        raise Damaged("it is a pickle and does not say so")


def _looks_like_text(view: memoryview) -> bool:
    """Text may begin with letters that happen to be opcodes: a line `catboost` names a module `atboost`."""
    head = bytes(view[:4096])
    return b"\0" not in head and head[:1] != b"\x80"


class _Patient(ByList):
    """Waits with a name that is not listed until something is done: of a text the first word may look like one."""

    def __init__(self, allowed: Allowed) -> None:
        super().__init__(allowed)
        self._waiting: Refused | None = None

    def reference(self, name: Name) -> None:
        try:
            super().reference(name)
        except Refused as refused:
            self._waiting = self._waiting or refused

    def call(self, name: Name, args: Any) -> None:
        self._no_longer()
        super().call(name, args)

    def create(self, name: Name) -> None:
        self._no_longer()
        super().create(name)

    def build(self, made: Made, state: Any) -> None:
        self._no_longer()
        super().build(made, state)

    def _no_longer(self) -> None:
        if self._waiting is not None:
            raise self._waiting


class _Strict(ByList):
    """Nonsense names in bytes that are no pickle are no names."""

    def reference(self, name: Name) -> None:
        if all(part.isidentifier() for part in f"{name.module}.{name.name}".split(".")):
            super().reference(name)


def _first_number(view: memoryview) -> int | None:
    try:
        for operation in operations(view):
            if operation.name in ("LONG1", "LONG"):
                return int(operation.argument)
            if operation.name != "PROTO":
                return None
    except (Damaged, TypeError):
        return None
    return None


def _read_torch(view: memoryview, allowed: Allowed) -> None:
    position = 0
    for _ in range(_TORCH_STREAMS):
        position, _result = Machine(view, ByList(allowed, torch=True)).run(position)
