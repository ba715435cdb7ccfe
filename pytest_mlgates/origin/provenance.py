"""Where a version came from, and the tags that say so. Every name is written here and nowhere else.

A version is traceable when its tags name the run that made it, the commit and the pinned data it was made from, the
environment, and the digest its files had then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from pytest_mlgates.errors import UsageError

PREFIX = "mlgates."
#: What `git_tree` says of a commit that held everything the training script was.
CLEAN = "clean"
#: What it says of a version that was stamped later, when nobody could know any more.
UNKNOWN = "unknown: stamped after training"
_CHANGED = "changed: "
#: Not every version says it: those stamped before this fact was recorded do not.
_OPTIONAL = ("git_tree",)


@dataclass(frozen=True, slots=True)
class Provenance:
    """One fact a tag; "" is a fact that is not recorded.

    `data` is a path in the repository, `data_md5` what its DVC pointer pins, `environment` and `digest` are SHA-256,
    `git_tree` says whether tracked files differed from the commit.
    """

    run_id: str = ""
    git_commit: str = ""
    git_tree: str = ""
    data: str = ""
    data_md5: str = ""
    data_remote: str = ""
    environment: str = ""
    digest: str = ""

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> Provenance:
        return cls(**{name: tags.get(PREFIX + name, "").strip() for name in names()})

    def tags(self) -> dict[str, str]:
        """The tags of what is recorded."""
        return {PREFIX + name: getattr(self, name) for name in names() if getattr(self, name)}

    def missing(self) -> tuple[str, ...]:
        """The tags that a traceable version has and this one lacks."""
        return tuple(PREFIX + name for name in names() if not getattr(self, name) and name not in _OPTIONAL)

    @property
    def changed(self) -> str:
        """The files that differed from the commit, or ""."""
        return self.git_tree.removeprefix(_CHANGED) if self.git_tree.startswith(_CHANGED) else ""


def tree(changed: tuple[str, ...]) -> str:
    """What `git_tree` says of these changed files; a tag has no room for hundreds."""
    shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
    return _CHANGED + shown if changed else CLEAN


def completed(recorded: Provenance, fresh: Provenance, who: str) -> Provenance:
    """`recorded`, with `fresh` where it says nothing: what was written first is never written over, because a second
    stamp would hide that something changed since the first. Raises UsageError where the two differ.
    """
    for name in names():
        old, new = getattr(recorded, name), getattr(fresh, name)
        if old and new and old != new and name not in _OPTIONAL:
            why = (
                "its files are not what they were when it was stamped"
                if name == "digest"
                else "a fact that was recorded is never written over"
            )
            raise UsageError(f"{who} says {PREFIX}{name} = {old}, not {new}: {why}; register a new version")
    return Provenance(**{name: getattr(recorded, name) or getattr(fresh, name) for name in names()})


def altered(version: str, digest: str, tags: Mapping[str, str], ledger: str) -> str:
    """Which record says that the files of `version`, whose digest is `digest`, are others than they were, or ""."""
    for source, said in (("the ledger", ledger), ("its tag mlgates.digest", Provenance.from_tags(tags).digest)):
        if said and digest != said:
            return (
                f"the files of {version} were changed since they were recorded: their digest is {digest[:16]}..., "
                f"{source} says {said[:16]}..."
            )
    return ""


def names() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Provenance))
