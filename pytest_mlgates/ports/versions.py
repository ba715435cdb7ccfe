"""The versions of the golden set, as the history of its pointer tells them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pinned:
    """A commit that changed the pointer: what it pins since, when (seconds since 1970), and why."""

    commit: str
    time: int
    subject: str
    md5: str


@dataclass(frozen=True, slots=True)
class History:
    """`versions`, newest first. In a `shallow` clone the oldest commit says nothing of what was before."""

    versions: tuple[Pinned, ...] = ()
    shallow: bool = False

    def since(self, md5: str) -> Pinned | None:
        """The commit since which the pointer names `md5` without a break, or None when it does not."""
        found = None
        for version in self.versions:
            if version.md5 != md5:
                break
            found = version
        return found
