"""requirements.txt, with hashes or without."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_mlgates.errors import UsageError
from pytest_mlgates.lock.lock import Lock, Package, made

_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)$")
_HASH = re.compile(r"--hash[= ](\w+:[0-9a-fA-F]+)")
#: Options that change where packages come from, not which.
_HARMLESS = (
    *("--index-url", "-i ", "--extra-index-url", "--find-links", "-f ", "--require-hashes", "--no-binary"),
    *("--only-binary", "--prefer-binary", "--trusted-host", "--pre", "--no-index"),
)


def read_requirements(text: str, place: str) -> Lock:
    """Raises UsageError for a line that names no package."""
    return made(_packages(text, place), place)


def _packages(text: str, place: str) -> Iterator[Package]:
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in (re.sub(r"(^|\s)#.*$", "", raw).strip() for raw in joined.splitlines()):
        if not line or line.startswith(_HARMLESS):
            continue
        if line.startswith(("-r", "-c", "--requirement", "--constraint")):
            raise UsageError(f"{place} includes another file ({line}): give one that holds every package")
        yield _package(line, place)


def _package(line: str, place: str) -> Package:
    hashes = tuple(_HASH.findall(line))
    bare = _HASH.sub("", line).split(" ;")[0].split(";")[0].strip()
    if bare.startswith(("-e", "--editable")):
        where = bare.split(maxsplit=1)[-1]
        egg = re.search(r"#egg=([\w.-]+)", bare)
        return Package(egg[1] if egg else where.rstrip("/").rpartition("/")[2] or where, "0", origin="editable")
    named = _NAMED.match(bare)
    if named is None or bare.startswith(("git+", "http://", "https://", "./", "/")):
        raise UsageError(f"{place}: {bare!r} names no package; write NAME==VERSION")
    name, rest = named[1], named[2].strip()
    if rest.startswith("@"):
        return Package(name, "0", hashes, _origin(rest[1:].strip()))
    if rest and not rest.startswith(("=", "<", ">", "~", "!", "(")):
        raise UsageError(f"{place}: {bare!r} is no requirement; write NAME==VERSION")
    exact = re.fullmatch(r"===?\s*([^\s,*]+)", rest)
    return Package(name, exact[1] if exact else rest.strip("() "), hashes)


def _origin(url: str) -> str:
    return f"git {url[4:]}" if url.startswith("git+") else f"url {url}"
