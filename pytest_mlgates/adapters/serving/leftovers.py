"""Notes of the processes that a run started, so that the next run can end what a killed one left behind."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pytest_mlgates.adapters.serving.lease import Lease, mine


@dataclass(frozen=True, slots=True)
class Note:
    """One file a process, which says who it is and whose."""

    file: Path
    log: Path

    @classmethod
    def write(cls, folder: Path, pid: int, what: str, log: Path) -> Note:
        """Note that this process started `pid`, which is `what`, with its log in `log`."""
        file = folder / f"{pid}.json"
        said = {"what": what, "process": asdict(Lease.of(pid)), "owner": asdict(mine()), "log": str(log)}
        file.write_text(json.dumps(said))
        return cls(file, log)

    def remove(self) -> None:
        self.file.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)


def sweep(folder: Path) -> list[str]:
    """End what runs left behind that are no more; a sentence for each. Never touches a process that has only taken
    over the number of one of ours, nor one of a run that is still alive.
    """
    said = []
    for file in sorted(folder.glob("*.json")):
        try:
            note = json.loads(file.read_text())
            process, owner = Lease(**note["process"]), Lease(**note["owner"])
            what, log = str(note["what"]), Path(note["log"])
        except (OSError, ValueError, KeyError, TypeError):
            file.unlink(missing_ok=True)
            continue
        if owner.alive:
            continue
        ended = process.kill()
        how = f"still ran and was ended (process {process.pid})" if ended else "is gone already"
        said.append(f"a run that was killed had started a server for {what}; it {how}")
        if log.parent == folder:
            log.unlink(missing_ok=True)
        file.unlink(missing_ok=True)
    return said
