"""One look at what serves: a whole `pytest --mlgate` of one phase as a bounded child process, and what it came to.

A child, because a look must end however it goes wrong, and because what a gate loads must not stay in a process that
runs for months. Whatever is not proven to have been looked at is said to be unknown, never to be well.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Exit code of a look that was ended because it took too long, as of timeout(1).
TOOK_TOO_LONG = 124
#: What pytest says when it could not do its work: interrupted, internal error, usage, nothing collected.
_PYTESTS_OWN = {
    2: "the look was interrupted before its end",
    3: "pytest had an internal error",
    4: "the settings or options are wrong",
    5: "no gate was collected",
}
#: Characters of a look's output that are kept, its end.
_KEPT = 100_000
#: Seconds between two looks at what a look has printed.
_PAUSE = 0.2
#: Looks whose evidence is kept because something was done on it.
_FOLDER = Path(".mlgates") / "looks"


@dataclass(frozen=True, slots=True)
class Look:
    """What one look came to.

    `exit` is the process's (124: it took too long; negative: a signal), `action` what was decided ("KEEP", "ROLLBACK",
    "PAGE" ...; "" when nothing was: no evidence, a time-out, a crash), `sentence` why, for a person. `evidence` is the
    document as written, `seconds` how long it took, `output` the end of what it printed.
    """

    exit: int
    action: str
    sentence: str
    evidence: dict[str, Any] | None
    seconds: float
    output: str

    @property
    def well(self) -> bool:
        """Whether everything asked was proven: the only case in which nobody needs to look themselves."""
        return self.exit == 0 and self.action != ""

    @property
    def acted(self) -> bool:
        """Whether something was changed and read back."""
        return bool(_action(self.evidence).get("done"))


def look(
    root: Path,
    *,
    apply: bool,
    limit_s: float,
    phase: str = "live",
    options: Sequence[str] = (),
    heard: Callable[[str], None] | None = None,
) -> Look:
    """Run the gates of `phase` in `root` once, in at most `limit_s` seconds; with `apply` act on the decision.

    `options` are further ones for pytest; `heard` is told each line of output while it comes. Never raises for what the
    look comes to. Its evidence goes into a folder of its own below `.mlgates/looks`, which stays only where something
    was done, or tried, on it.
    """
    began = time.monotonic()
    place = root / _FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()), dir=place))
    except OSError as problem:
        said = f"no look was taken: {place} cannot be written to ({problem.strerror})"
        return Look(1, "", said, None, time.monotonic() - began, "")
    keep = False
    try:
        code = _ended(_command(folder, phase, apply, options), root, folder, limit_s, heard)
        output, evidence = _tail(folder / "output.txt"), _evidence(folder, phase)
        action, sentence = _said(code, evidence, output, limit_s)
        keep = bool(_action(evidence)) and action not in ("", "KEEP")
        return Look(code, action, sentence, evidence, time.monotonic() - began, output)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _command(folder: Path, phase: str, apply: bool, options: Sequence[str]) -> list[str]:
    acting = ["--mlgate-apply"] if apply else []
    judging = ["--mlgate", *acting, "--mlgate-phase", phase, "--mlgate-report", str(folder), "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", *judging, *options]


def _ended(command: list[str], root: Path, folder: Path, limit_s: float, heard: Callable[[str], None] | None) -> int:
    """Run to its end, or end it with everything it started; also when this process dies."""
    tied = [sys.executable, "-P", "-m", "pytest_mlgates.adapters.serving.tied_child", *command]
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            tied, cwd=root, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
        )
    try:
        code = _waited(process, folder / "output.txt", limit_s, heard)
    except subprocess.TimeoutExpired:
        return TOOK_TOO_LONG
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
    return code if code <= 128 else 128 - code


def _waited(process: subprocess.Popen[bytes], file: Path, limit_s: float, heard: Callable[[str], None] | None) -> int:
    """The exit code. Raises TimeoutExpired."""
    if heard is None:
        return process.wait(limit_s)
    until, told = time.monotonic() + limit_s, 0
    while True:
        code = process.poll()
        lines = _tail(file).splitlines(keepends=True)
        for line in lines[told:]:
            if line.endswith("\n"):
                heard(line.rstrip())
                told += 1
        if code is not None:
            return code
        if time.monotonic() > until:
            raise subprocess.TimeoutExpired(process.args, limit_s)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PAUSE)


def _tail(file: Path) -> str:
    try:
        return file.read_bytes()[-4 * _KEPT :].decode(errors="replace")[-_KEPT:]
    except OSError:
        return ""


def _evidence(folder: Path, phase: str) -> dict[str, Any] | None:
    """The document, or None when there is none that can be read, or it is not of this phase."""
    try:
        found = json.loads((folder / "evidence.json").read_text())
        right = found["phase"] == phase and isinstance(found["decision"]["action"], str)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if right else None


def _said(code: int, evidence: dict[str, Any] | None, output: str, limit_s: float) -> tuple[str, str]:
    """(action, sentence)."""
    trouble = _trouble(code, output, limit_s)
    if evidence is None:
        return "", trouble or f"the look left no evidence{_last_line(output)}"
    decision, done = evidence["decision"], _action(evidence)
    reason = next(iter(decision["reasons"]), "no reason was given")
    if done.get("done"):
        return decision["action"], "; ".join(filter(None, (done.get("sentence"), reason, trouble)))
    if trouble:
        return "", trouble
    if code == 11:
        return decision["action"], f"ACTION FAILED: {done.get('sentence') or 'its outcome is not known'}; {reason}"
    if code != decision["exit"]:
        return "", f"the look ended with {code}, but its evidence says {decision['exit']}{_last_line(output)}"
    return decision["action"], reason


def _trouble(code: int, output: str, limit_s: float) -> str:
    """Why the process cannot be believed to have ended in order, or ""."""
    if code == TOOK_TOO_LONG:
        return f"the look took longer than {limit_s:g} s and was ended"
    if code < 0:
        return f"the look died of signal {-code}{_last_line(output)}"
    if code in _PYTESTS_OWN:
        return f"{_PYTESTS_OWN[code]}{_last_line(output)}"
    return "" if code in (0, 1, 10, 11) else f"the look ended with exit code {code}{_last_line(output)}"


def _last_line(output: str) -> str:
    """The last thing that was said, as the end of a sentence; pytest's own error line where there is one."""
    lines = [line.strip("=!_ ") for line in output.splitlines() if line.strip("=!_ ")]
    told = [line for line in lines if line.startswith(("ERROR:", "E   ", "UsageError"))] or lines
    return f": {told[-1][:500]}" if told else ""


def _action(evidence: dict[str, Any] | None) -> dict[str, Any]:
    found = (evidence or {}).get("action")
    return found if isinstance(found, dict) else {}
