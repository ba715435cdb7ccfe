"""What a file is, by its bytes, and whether reading it could do more than give numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pytest_mlgates.artifact import archives, binaries, export_file, numpy_file, pickles, skops_file, texts, zip_file
from pytest_mlgates.artifact.allowed import Allowed
from pytest_mlgates.artifact.mlmodel import PICKLE_MODULES, Role
from pytest_mlgates.artifact.problem import Damaged, Refused

_PICKLED = (".pkl", ".pickle", ".joblib", ".pth", ".pt", ".ckpt", ".dill", ".p", ".cloudpickle", ".pck")
_CODE = (
    *(".py", ".pyc", ".pyo", ".pyd", ".pyw", ".pyx", ".so", ".dll", ".dylib", ".sh", ".bat", ".exe", ".ipynb", ".egg"),
    *(".jar", ".whl", ".class", ".ps1", ".js", ".pyz", ".r", ".cmd"),
)
_UNREADABLE = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_DEEPEST = 5
_ZIP = b"PK\x03\x04"
_TORCH_RAW = re.compile(r"[^/]+/data/\d+$")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read: against which list, in which role, how deep in archives."""

    allowed: Allowed
    flavours: frozenset[str]
    budget: archives.Budget
    role: Role = ""
    depth: int = 0

    def inner(self, role: Role = "") -> Reading:
        if self.depth >= _DEEPEST:
            raise Refused("place", f"it has archives in archives, more than {_DEEPEST} deep")
        return replace(self, role=role, depth=self.depth + 1)


def read(view: memoryview, name: str, reading: Reading) -> None:
    """Raises Refused with the first reason why these bytes are not trusted."""
    low = name.lower()
    if low.endswith(_CODE):
        raise Refused("code", "it is code")
    binaries.refuse_code(view)
    role = reading.role or ("pickles" if low.endswith(_PICKLED) else "")
    if not len(view):
        if role:
            raise Damaged("it is empty")
        return
    if role == "pickle":
        pickles.read_plain(view, reading.allowed)
        return
    if role == "skops" or low.endswith(".skops"):
        _read_zip(view, replace(reading, role="skops"))
        return
    if _read_packed(view, reading, role):
        return
    if role or view[0] == 0x80:
        pickles.read_any(view, reading.allowed)
        return
    _read_data(view, name, reading)
    pickles.acts_like_one(view, reading.allowed)


def _read_packed(view: memoryview, reading: Reading, role: Role) -> bool:
    """Archives and compressed files; what is in them is read in the same role."""
    head = bytes(view[:6])
    for magic, words in _UNREADABLE.items():
        if head.startswith(magic):
            raise Refused("format", f"it is a {words} archive, which cannot be looked into")
    if head[:4] == _ZIP or head[:4] == b"PK\x05\x06":
        _read_zip(view, reading)
        return True
    if archives.is_tar(view):
        _each(archives.tar_members(view, reading.budget), reading.inner())
        return True
    within = archives.decompressed(view, reading.budget)
    if within is None:
        return False
    try:
        read(within, "", reading.inner("pickles" if role == "pickles" else ""))
    except Refused as refused:
        raise Refused(refused.kind, f"unpacked, {refused.reason}") from None
    return True


def _each(members: Iterable[archives.Member], reading: Reading) -> None:
    for member in members:
        try:
            read(member.view, member.name, reading)
        except Refused as refused:
            raise Refused(refused.kind, f"{member.name}: {refused.reason}") from None


def _read_zip(view: memoryview, reading: Reading) -> None:
    members = list(zip_file.zip_members(view, reading.budget))
    names = {member.name for member in members}
    pickled = [name for name in names if name.endswith("/data.pkl") and name.count("/") == 1]
    if reading.role == "skops" and "schema.json" not in names:
        raise Damaged("it is no skops file: it has no schema.json")
    exported = export_file.exported(members) or export_file.Exported()
    for member in members:
        try:
            if member.name in exported.raw:
                continue
            if member.name in exported.graphs:
                export_file.read_graph(member.view)
            elif member.name == "schema.json":
                skops_file.read_schema(member.view, reading.allowed)
            elif member.name in pickled:
                pickles.read_plain(member.view, reading.allowed, torch=True)
            elif not (pickled and _TORCH_RAW.match(member.name)):
                _read_member(member, reading.inner())
        except Refused as refused:
            raise Refused(refused.kind, f"{member.name}: {refused.reason}") from None


def _read_member(member: archives.Member, reading: Reading) -> None:
    if re.match(r"[^/]+/code/", member.name) or member.name.endswith("/constants.pkl"):
        raise Refused("code", "it is code in TorchScript")
    read(member.view, member.name, reading)


def _read_data(view: memoryview, name: str, reading: Reading) -> None:
    if bytes(view[:6]) == numpy_file.MAGIC:
        numpy_file.read_npy(view, reading.allowed)
    elif binaries.is_plain(view, reading.flavours):
        return
    elif texts.is_text(view):
        texts.read_text(view, name)
        if name.endswith("pickle_module_info.txt") and bytes(view).decode().strip() not in PICKLE_MODULES:
            raise Refused("name", f"it names the module {bytes(view[:80]).decode().strip()!r} to unpickle with")
    else:
        raise Refused("format", "it is of no known format")
