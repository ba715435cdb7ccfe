"""Whether a pod answers the golden record: a command is asked, as a Kubernetes readiness probe asks one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from pytest_mlgates.adapters.serving.lease import die_with_parent

#: Seconds that the command may take.
_WITHIN = 10.0


async def probed(command: Sequence[str], told: Mapping[str, str], environment: Mapping[str, str]) -> tuple[bool, str]:
    """(whether it ended with 0, its last line). Each key of `told` stands in the command for its value."""
    asked = list(command)
    for name, value in told.items():
        asked = [part.replace(name, value) for part in asked]
    try:
        probe = await asyncio.create_subprocess_exec(
            *asked,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
    except OSError as problem:
        return False, f"{asked[0]}: {problem.strerror}"
    try:
        words, _ = await asyncio.wait_for(probe.communicate(), _WITHIN)
    except TimeoutError:
        return False, f"the probe did not end within {_WITHIN:g} s"
    finally:
        if probe.returncode is None:
            probe.kill()
    return probe.returncode == 0, words.decode(errors="replace").strip().rpartition("\n")[2][:300]
