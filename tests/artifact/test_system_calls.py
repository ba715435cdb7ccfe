"""The filter of system calls as the kernel would run it, on both architectures, without giving it to a kernel."""

from __future__ import annotations

import pytest

from pytest_mlgates.adapters.scoring.isolation.filter import ALLOWED, Line
from pytest_mlgates.adapters.scoring.isolation.system_calls import program

OWN, OTHER = 4321, 1234
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
EPERM, EAGAIN, ENOSYS, KILLED = 0x50001, 0x5000B, 0x50026, 0x80000000
AF_INET, AF_NETLINK, STREAM, RAW, CLOEXEC = 2, 16, 1, 3, 0o2000000


def run(lines: list[Line], call: int, *args: int, audit: int) -> int:
    """What the filter says of one call."""
    memory = {0: call, 4: audit, **{16 + 8 * at: value & 0xFFFFFFFF for at, value in enumerate(args)}}
    at = accumulator = 0
    while True:
        operation, then, other, value = lines[at]
        at += 1
        if operation == 0x20:
            accumulator = memory.get(value, 0)
        elif operation == 0x54:
            accumulator &= value
        elif operation == 0x06:
            return value
        else:
            true = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[operation]
            at += then if true else other


#: call -> numbers on x86-64 and ARM64, arguments, verdict.
CALLS = {
    "read": ((0, 63), (3, 0, 10), ALLOWED),
    "mmap": ((9, 222), (0, 4096), ALLOWED),
    "socket": ((41, 198), (AF_INET, STREAM), EPERM),
    "ptrace": ((101, 117), (16, OTHER), EPERM),
    "utimensat": ((280, 88), (0, 0), EPERM),
    "execve": ((59, 221), (0, 0), EPERM),
    "memfd_create": ((319, 279), (0, 0), ENOSYS),
    "clone3": ((435, 435), (0, 0), ENOSYS),
    "a thread": ((56, 220), (0x10000 | 0x100,), ALLOWED),
    "a process by clone": ((56, 220), (17,), EPERM),
    "kill itself": ((62, 129), (OWN, 6), ALLOWED),
    "kill another": ((62, 129), (OTHER, 9), EPERM),
    "kill everybody": ((62, 129), (-1, 9), EPERM),
    "kill its group": ((62, 129), (0, 9), EPERM),
    "a thread of its own": ((234, 131), (OWN, OWN + 1, 6), ALLOWED),
    "a thread of another": ((234, 131), (OTHER, OTHER, 6), EPERM),
    "its own limits": ((302, 261), (0, 7), ALLOWED),
    "its own limits by number": ((302, 261), (OWN, 7), ALLOWED),
    "limits of another": ((302, 261), (OTHER, 7), EPERM),
    "its own processors": ((203, 122), (0, 8), ALLOWED),
    "processors of another": ((203, 122), (OTHER, 8), EPERM),
    "its own priority": ((141, 140), (0, 0, 5), ALLOWED),
    "priority of another": ((141, 140), (0, OTHER, 5), EPERM),
    "priority of a user": ((141, 140), (2, 0, 5), EPERM),
    "a name for a thread": ((157, 167), (15,), ALLOWED),
    "outliving the parent": ((157, 167), (1,), EPERM),
    "a lock of a file": ((72, 25), (3, 6), ALLOWED),
    "signals by a pipe": ((72, 25), (3, 8), EPERM),
    "which signal": ((72, 25), (3, 10), EPERM),
    "signals by a pipe, in another way": ((72, 25), (3, 15), EPERM),
    "the size of a terminal": ((16, 29), (1, 0x5413), ALLOWED),
    "typing into a terminal": ((16, 29), (1, 0x5412), EPERM),
}
PLAN = {"ports": [], "processes": False}


@pytest.mark.parametrize("machine", AUDIT)
@pytest.mark.parametrize("name", CALLS)
def test_a_call(machine: str, name: str) -> None:
    numbers, args, expected = CALLS[name]
    lines = program(PLAN, machine, OWN, accelerated=False)
    assert run(lines, numbers[list(AUDIT).index(machine)], *args, audit=AUDIT[machine]) == expected


def test_forks_that_only_one_architecture_has() -> None:
    lines = program(PLAN, "x86_64", OWN, accelerated=False)
    assert {run(lines, call, audit=AUDIT["x86_64"]) for call in (57, 58)} == {EAGAIN}


@pytest.mark.parametrize("machine", AUDIT)
def test_another_architecture_ends_the_process(machine: str) -> None:
    lines = program(PLAN, machine, OWN, accelerated=False)
    assert run(lines, 0, audit=0x40000003) == KILLED
    if machine == "x86_64":
        assert run(lines, 0x40000000 | 41, audit=AUDIT[machine]) == KILLED  # the x32 calls


@pytest.mark.parametrize("machine", AUDIT)
@pytest.mark.parametrize(
    ("family", "kind", "expected"),
    [
        (AF_INET, STREAM, ALLOWED),
        (AF_INET, STREAM | CLOEXEC, ALLOWED),
        (AF_INET, RAW, EPERM),
        (AF_NETLINK, STREAM, EPERM),
        (17, RAW, EPERM),
        (40, STREAM, EPERM),
    ],
)
def test_with_some_ports_allowed_only_plain_sockets_are(machine: str, family: int, kind: int, expected: int) -> None:
    lines = program({"ports": [6566], "processes": False}, machine, OWN, accelerated=False)
    assert run(lines, (41, 198)[list(AUDIT).index(machine)], family, kind, audit=AUDIT[machine]) == expected


@pytest.mark.parametrize("machine", AUDIT)
def test_processes_that_are_allowed_may_be_signalled(machine: str) -> None:
    lines = program({"ports": [], "processes": True}, machine, OWN, accelerated=False)
    column = list(AUDIT).index(machine)
    assert run(lines, (62, 129)[column], OTHER, 15, audit=AUDIT[machine]) == ALLOWED
    assert run(lines, (56, 220)[column], 17, audit=AUDIT[machine]) == ALLOWED
    assert run(lines, (59, 221)[column], audit=AUDIT[machine]) == ALLOWED


def test_drivers_of_graphics_cards_may_have_memory_without_a_name() -> None:
    lines = program(PLAN, "x86_64", OWN, accelerated=True)
    assert run(lines, 319, audit=AUDIT["x86_64"]) == ALLOWED
