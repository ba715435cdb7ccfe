"""A pickle followed on a symbolic stack: what it would import, call and set, without doing any of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_mlgates.artifact.opcodes import Operation, operations
from pytest_mlgates.artifact.problem import Damaged, Refused
from pytest_mlgates.artifact.stack import Stack
from pytest_mlgates.artifact.stand_ins import OPAQUE, Judge, Made, Name

#: Called after a BUILD; gives where reading goes on, or None for the next byte.
Skip = Callable[[Made, int, int], int | None]


class Machine(Stack):
    """One pickle stream. `run` gives the position behind its STOP and the object it would be."""

    def __init__(self, view: memoryview, judge: Judge, skip: Skip | None = None) -> None:
        super().__init__(judge)
        self._view, self._skip = view, skip
        self._protocol = 0
        self._frame_end = 0

    def run(self, start: int = 0) -> tuple[int, Any]:
        """Raises Damaged where the stream cannot be read on, Refused where the judge says so."""
        position = start
        while True:
            ended, position = self._until_jump(position, start)
            if ended:
                return position, self._stack[-1] if self._stack else None

    def in_frame(self, position: int) -> bool:
        """Whether the bytes there still belong to the last frame, which the unpickler in Python has read already."""
        return position < self._frame_end

    def _until_jump(self, position: int, start: int) -> tuple[bool, int]:
        for operation in operations(self._view, position):
            if operation.name == "PROTO" and operation.at != start:
                raise Damaged(f"a second protocol header at byte {operation.at}")
            try:
                jump = self._step(operation)
            except (IndexError, KeyError):
                raise Damaged(f"{operation.name} at byte {operation.at} finds nothing to work on") from None
            if operation.name == "STOP":
                return True, operation.after
            if jump is not None:
                return False, jump
        raise Damaged("the pickle ends in the middle")

    def _step(self, operation: Operation) -> int | None:
        if self.moved(operation):
            return None
        handler = _EFFECTS.get(operation.name)
        if handler is None:
            said = f"{operation.name} at byte {operation.at}"
            raise Refused("name", f"{said} is nothing that a model's pickle needs")
        return handler(self, operation)

    def _import(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise Refused("name", "it imports a name that it computes while loading")
        if self._protocol < 3:
            module, name = _renamed(module, name)
        found = Name(module, name)
        self._judge.reference(found)
        self._stack.append(found)

    def _call(self, called: Any, args: Any, operation: Operation) -> None:
        self.called = True
        if not isinstance(called, Name):
            raise Refused("name", f"{operation.name} at byte {operation.at} calls something that is no imported name")
        if operation.name in ("NEWOBJ", "NEWOBJ_EX"):
            self._judge.create(called)
        else:
            self._judge.call(called, args)
        self._stack.append(Made(called, args))

    def _global(self, operation: Operation) -> None:
        self._import(*operation.argument)

    def _stack_global(self, operation: Operation) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._import(module, name)

    def _inst(self, operation: Operation) -> None:
        args = tuple(self._items())
        self._import(*operation.argument)
        self._call(self._stack.pop(), args, operation)

    def _obj(self, operation: Operation) -> None:
        called, *args = self._items()
        self._call(called, tuple(args), operation)

    def _reduce(self, operation: Operation) -> None:
        args, called = self._stack.pop(), self._stack.pop()
        self._call(called, args, operation)

    def _newobj_ex(self, operation: Operation) -> None:
        words, args, called = self._stack.pop(), self._stack.pop(), self._stack.pop()
        self._call(called, (args, words), operation)

    def _build(self, operation: Operation) -> int | None:
        state, target = self._stack.pop(), self._stack[-1]
        self.called = True
        if not isinstance(target, Made):
            raise Refused("name", f"BUILD at byte {operation.at} sets attributes of something that is no new object")
        self._judge.build(target, state)
        target.state = state
        if self._skip is not None:
            return self._skip(target, operation.at, operation.after)
        return None

    def _frame(self, operation: Operation) -> None:
        if operation.after < self._frame_end:
            raise Damaged(f"a frame within a frame at byte {operation.at}")
        self._frame_end = operation.after + operation.argument

    def _proto(self, operation: Operation) -> None:
        self._protocol = operation.argument

    def _persid(self, operation: Operation) -> None:
        self.called = True
        self._judge.persistent(operation.argument)
        self._stack.append(OPAQUE)

    def _binpersid(self, operation: Operation) -> None:
        self.called = True
        self._judge.persistent(self._stack.pop())
        self._stack.append(OPAQUE)

    def _stop(self, operation: Operation) -> None:
        if not self._stack:
            raise IndexError


def _renamed(module: str, name: str) -> tuple[str, str]:
    """Python 2's names, as `pickle` translates them below protocol 3."""
    import _compat_pickle

    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


_EFFECTS: dict[str, Callable[[Machine, Operation], int | None]] = {
    "GLOBAL": Machine._global,
    "STACK_GLOBAL": Machine._stack_global,
    "INST": Machine._inst,
    "OBJ": Machine._obj,
    "REDUCE": Machine._reduce,
    "NEWOBJ": Machine._reduce,
    "NEWOBJ_EX": Machine._newobj_ex,
    "BUILD": Machine._build,
    "FRAME": Machine._frame,
    "PROTO": Machine._proto,
    "PERSID": Machine._persid,
    "BINPERSID": Machine._binpersid,
    "STOP": Machine._stop,
}
