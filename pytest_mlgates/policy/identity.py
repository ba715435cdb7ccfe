"""What is this version, and who answers for it?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from pytest_mlgates.policy.base import Names, Policy


class ArtifactSafety(Policy):
    """What a model version may hold, and what its process may do.

    `trusted`: digests of versions that a person vouches for, code and all; `allow`: dotted names of classes of your
    own that models may hold; `require_isolation`: fail where a protection cannot be had; `allow_network`: "host:port"
    of services that models call; `allow_processes`: models may start processes; `memory_gb`: of one model's process,
    0 for four fifths of the machine's; `writable`: folders and files that models may write.
    """

    trusted: Names = ()
    allow: Names = ()
    require_isolation: bool = False
    allow_network: Names = ()
    allow_processes: bool = False
    memory_gb: Annotated[float, Field(ge=0)] = 0.0
    writable: Names = ()

    @field_validator("trusted")
    @classmethod
    def _digests(cls, trusted: tuple[str, ...]) -> tuple[str, ...]:
        for digest in trusted:
            if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                raise ValueError(f"{digest!r} is no SHA-256 of a version's files: write the 64 digits the gate printed")
        return trusted

    @field_validator("allow")
    @classmethod
    def _names(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for name in allow:
            if "." not in name or not all(part.isidentifier() for part in name.split(".")):
                raise ValueError(f'{name!r} is no class: write its whole name, such as "mypackage.features.Clip"')
        return allow

    @field_validator("allow_network")
    @classmethod
    def _services(cls, services: tuple[str, ...]) -> tuple[str, ...]:
        for service in services:
            host, _, port = service.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError(f'{service!r} names no service: write host:port, such as "features.internal:6566"')
        return services

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports of `allow_network`."""
        return tuple(sorted({int(service.rpartition(":")[2]) for service in self.allow_network}))


class EnvLock(Policy):
    """Whether a model is trained, scored and served in one environment.

    `serving`: the lock of what serves, a file or URL; `require_hashes`: a lock that does not pin every byte fails;
    `scoring_env`: "inherit" compares what the model imports with the environment of these gates, "ignore" does not;
    "lock" scores every model in the environment of its own lock.
    """

    require_hashes: bool = False
    serving: str = ""
    scoring_env: Literal["inherit", "lock", "ignore"] = "inherit"


class Card(Policy):
    """What only people know of a model, for its card: who answers for it, what it is for, where it must not be used."""

    owner: str = ""
    intended_use: str = ""
    limits: str = ""
