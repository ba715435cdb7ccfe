"""The unpickler's stack, marks and memo, as the standard library has them, and the opcodes that only move things there.

Constants that a judgement may need (texts, numbers, tuples, small dictionaries) are kept, everything else is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytest_mlgates.artifact.opcodes import Operation
from pytest_mlgates.artifact.problem import Damaged
from pytest_mlgates.artifact.stand_ins import Items, Judge, Made, Table

_KEPT_ENTRIES = 4096
_CONSTANT = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
}
_BYTES = {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
_LITERAL: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": Items,
    "EMPTY_SET": Items,
    "EMPTY_DICT": Table,
}
_GET = {"GET", "BINGET", "LONG_BINGET"}
_PUT = {"PUT", "BINPUT", "LONG_BINPUT"}


class Stack:
    """Whatever is not there when it is needed raises IndexError or KeyError."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        #: Whether anything was called or set, so that a text that happens to begin as a pickle is told apart.
        self.called = False

    def moved(self, operation: Operation) -> bool:
        """Whether it was one of the opcodes that only move things."""
        name, argument = operation.name, operation.argument
        if name in _CONSTANT:
            self._stack.append(argument)
        elif name in _BYTES:
            self._judge.data(argument)
            self._stack.append(argument)
        elif name in _LITERAL:
            self._stack.append(_LITERAL[name]())
        elif name in _GET:
            self._stack.append(self._memo[argument])
        elif name in _PUT:
            self._memo[argument] = self._stack[-1]
        elif name in _MOVES:
            _MOVES[name](self, operation)
        else:
            return False
        return True

    def _items(self) -> list[Any]:
        found = self._stack
        self._stack = self._marks.pop()
        return found

    def _append(self, operation: Operation) -> None:
        self._stack.pop()
        self._fill(Items)

    def _appends(self, operation: Operation) -> None:
        self._items()
        self._fill(Items)

    def _fill(self, plain: type[Items] | type[Table], keys: Sequence[Any] = ()) -> None:
        target = self._stack[-1]
        if isinstance(target, Made):
            self.called = True
            self._judge.fill(target, keys)
        elif type(target) is not plain:
            raise Damaged("it adds items to something that holds none")

    def _setitem(self, operation: Operation) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._keep([key, value])

    def _setitems(self, operation: Operation) -> None:
        self._keep(self._items())

    def _keep(self, pairs: list[Any]) -> None:
        self._fill(Table, pairs[::2])
        target = self._stack[-1]
        if isinstance(target, Table):
            for key, value in zip(pairs[::2], pairs[1::2], strict=False):
                if type(key) is str and (len(target.entries) < _KEPT_ENTRIES or key.startswith("__")):
                    target.entries[key] = value

    def _dict(self, operation: Operation) -> None:
        pairs = self._items()
        self._stack.append(Table())
        self._keep(pairs)

    def _tuple(self, operation: Operation) -> None:
        found = tuple(self._items())
        self._stack.append(found)

    def _some(self, operation: Operation) -> None:
        count = int(operation.name[-1])
        found = tuple(self._stack[-count:])
        if len(found) < count:
            raise IndexError
        del self._stack[-count:]
        self._stack.append(found)

    def _collect(self, operation: Operation) -> None:
        self._items()
        self._stack.append(Items())

    def _mark(self, operation: Operation) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _pop(self, operation: Operation) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._items()

    def _pop_mark(self, operation: Operation) -> None:
        self._items()

    def _dup(self, operation: Operation) -> None:
        self._stack.append(self._stack[-1])

    def _memoize(self, operation: Operation) -> None:
        self._memo[len(self._memo)] = self._stack[-1]


_MOVES: dict[str, Callable[[Stack, Operation], None]] = {
    "APPEND": Stack._append,
    "APPENDS": Stack._appends,
    "ADDITEMS": Stack._appends,
    "SETITEM": Stack._setitem,
    "SETITEMS": Stack._setitems,
    "DICT": Stack._dict,
    "LIST": Stack._collect,
    "FROZENSET": Stack._collect,
    "TUPLE": Stack._tuple,
    "TUPLE1": Stack._some,
    "TUPLE2": Stack._some,
    "TUPLE3": Stack._some,
    "MARK": Stack._mark,
    "POP": Stack._pop,
    "POP_MARK": Stack._pop_mark,
    "DUP": Stack._dup,
    "MEMOIZE": Stack._memoize,
}
