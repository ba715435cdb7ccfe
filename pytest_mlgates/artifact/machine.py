"""A pickle followed on a symbolic stack: what it would import, call and set, without doing any of it.

The stack, the marks and the memo work as in the standard library's unpickler; objects are stand-ins. Constants that a
judgement may need (texts, numbers, tuples, small dictionaries) are kept, everything else is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from pytest_mlgates.artifact.opcodes import Operation, operations
from pytest_mlgates.artifact.problem import Damaged, Refused


class Name(NamedTuple):
    """What GLOBAL, STACK_GLOBAL and INST import."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Made:
    """What a call gave: `of` is what was called; `args` are its arguments, `state` what BUILD set last."""

    of: Name
    args: Any = None
    state: Any = None


@dataclass(slots=True, eq=False)
class Table:
    """A dictionary: entries with text keys, as far as they may matter."""

    entries: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Items:
    """A list or set; what is in it has been judged on its way there."""


#: A value nobody needs to know more about.
OPAQUE = Items()


class Judge(Protocol):
    """Told of everything a pickle would do, in its order. Each may raise Refused."""

    def reference(self, name: Name) -> None: ...
    def call(self, name: Name, args: Any) -> None: ...
    def create(self, name: Name) -> None: ...
    def build(self, made: Made, state: Any) -> None: ...
    def fill(self, made: Made, keys: Sequence[Any]) -> None: ...
    def persistent(self, identity: Any) -> None: ...
    def data(self, piece: memoryview) -> None: ...


#: Called after a BUILD; gives where reading goes on, or None for the next byte.
Skip = Callable[[Made, int, int], int | None]
_KEPT_ENTRIES = 4096


class Machine:
    """One pickle stream. `run` gives the position behind its STOP and the object it would be."""

    def __init__(self, view: memoryview, judge: Judge, skip: Skip | None = None) -> None:
        self._view, self._judge, self._skip = view, judge, skip
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._protocol = 0
        self._frame_end = 0
        #: Whether anything was called or set, so that a text that happens to begin as a pickle is told apart.
        self.called = False

    def run(self, start: int = 0) -> tuple[int, Any]:
        """Raises Damaged where the stream cannot be read on, Refused where the judge says so."""
        position = start
        while True:
            moved = self._until_jump(position, start)
            if moved[0]:
                return moved[1], self._stack[-1] if self._stack else None
            position = moved[1]

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
        elif name == "FRAME":
            if operation.after < self._frame_end:
                raise Damaged(f"a frame within a frame at byte {operation.at}")
            self._frame_end = operation.after + argument
        else:
            handler = _HANDLERS.get(name)
            if handler is None:
                raise Refused("name", f"{name} at byte {operation.at} is nothing that a model's pickle needs")
            return handler(self, operation)
        return None

    def in_frame(self, position: int) -> bool:
        """Whether the bytes there still belong to the last frame, which the unpickler in Python has read already."""
        return position < self._frame_end

    # The opcodes that do something.

    def _items(self) -> list[Any]:
        found = self._stack
        self._stack = self._marks.pop()
        return found

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
_HANDLERS: dict[str, Callable[[Machine, Operation], int | None]] = {
    "GLOBAL": Machine._global,
    "STACK_GLOBAL": Machine._stack_global,
    "INST": Machine._inst,
    "OBJ": Machine._obj,
    "REDUCE": Machine._reduce,
    "NEWOBJ": Machine._reduce,
    "NEWOBJ_EX": Machine._newobj_ex,
    "BUILD": Machine._build,
    "APPEND": Machine._append,
    "APPENDS": Machine._appends,
    "ADDITEMS": Machine._appends,
    "SETITEM": Machine._setitem,
    "SETITEMS": Machine._setitems,
    "DICT": Machine._dict,
    "LIST": Machine._collect,
    "FROZENSET": Machine._collect,
    "TUPLE": Machine._tuple,
    "TUPLE1": Machine._some,
    "TUPLE2": Machine._some,
    "TUPLE3": Machine._some,
    "MARK": Machine._mark,
    "POP": Machine._pop,
    "POP_MARK": Machine._pop_mark,
    "DUP": Machine._dup,
    "MEMOIZE": Machine._memoize,
    "PROTO": Machine._proto,
    "PERSID": Machine._persid,
    "BINPERSID": Machine._binpersid,
    "STOP": Machine._stop,
}
