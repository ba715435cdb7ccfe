"""Lines of BPF, as seccomp runs them: the call's number is in the accumulator whenever a line of `refuse` begins."""

from __future__ import annotations

from collections.abc import Sequence

#: Operation, jump if true, jump if false, value.
Line = tuple[int, int, int, int]
ALLOWED = 0x7FFF0000
_FIRST_ARGUMENT = 16


def load(offset: int) -> Line:
    return 0x20, 0, 0, offset


def if_equal(value: int, then: int, other: int) -> Line:
    return 0x15, then, other, value & 0xFFFFFFFF


def unless_equal(value: int, skip: int) -> Line:
    return 0x15, skip, 0, value


def error(number: int) -> Line:
    return 0x06, 0, 0, 0x00050000 | number


def kill() -> Line:
    return 0x06, 0, 0, 0x80000000


def refuse(number: int, with_error: int = 0, test: Sequence[Line] = ()) -> list[Line]:
    """Answer the call `number` with an error; with `test`, only where it runs into an error of its own. A call that an
    architecture lacks has a negative number.
    """
    if number < 0:
        return []
    block = [*test, load(0)] if test else [error(with_error)]
    return [if_equal(number, 0, len(block)), *block]


def by_argument(which: int, values: Sequence[int], *, these: int = 0, others: int = 0, mask: int = 0) -> list[Line]:
    """A test of an argument's lower half: an error for `these` values, or for all `others`."""
    lines = [load(_FIRST_ARGUMENT + 8 * which)]
    lines += [(0x54, 0, 0, mask)] if mask else []
    last = len(values) - 1
    for at, value in enumerate(values):
        if others:
            lines.append(if_equal(value, last - at + 1, 0))  # over the error
        else:
            lines.append(if_equal(value, last - at, 0 if at < last else 1))
    lines.append(error(these or others))
    return lines
