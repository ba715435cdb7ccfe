"""Are a version's files the ones on record, and would loading them run anything?"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_mlgates.artifact import Problem, Scan, scan
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.origin.provenance import Provenance
from pytest_mlgates.pins import PinnedModel, Pins
from pytest_mlgates.policy import ArtifactSafety
from pytest_mlgates.wording import YES_NO

#: More would not be read.
_SHOWN = 3


def known_files(pins: Pins, policy: ArtifactSafety, missing: Mapping[str, str]) -> Iterator[Evidence]:
    """One figure a version that this run would load: the challenger first, since it is nobody's choice yet.

    Raises CouldNotEvaluate when nothing is pinned or a file cannot be read.
    """
    if pins.problem:
        raise CouldNotEvaluate(pins.problem)
    roles = {"challenger": pins.challenger, "champion": pins.champion, "first champion": pins.first}
    for role, pinned in roles.items():
        if pinned is not None:
            yield _judged(role, pinned, policy, missing)


def isolated(missing: Mapping[str, str]) -> Evidence:
    """Whether a model's process here is kept from all that it should be kept from."""
    reason = "models run without network, other files, other processes and with bounded memory"
    if missing:
        said = "; ".join(f"{name} ({why})" for name, why in missing.items())
        reason = f"models cannot be kept here from: {said}. Run on Linux 5.13 or later, or drop require_isolation"
    return Evidence("isolated", int(not missing), 1, unit=YES_NO, details={"reason": reason, "missing": dict(missing)})


def _judged(role: str, pinned: PinnedModel, policy: ArtifactSafety, missing: Mapping[str, str]) -> Evidence:
    folder = Path(pinned.files)
    try:
        found = scan(folder, extra=policy.allow, packages=[Path(entry) for entry in sys.path if entry])
    except OSError as problem:
        why = f"{problem.filename or folder}: {problem.strerror or problem}"
        raise CouldNotEvaluate(f"the files of {pinned.version} cannot be read ({why})") from None
    said = Provenance.from_tags(pinned.version.tags).digest
    reason = _changed(pinned, found, said) or _untrusted(pinned, found, policy)
    details = {
        "reason": reason or _trusted(pinned, found, said, policy),
        "digest": found.digest,
        "recorded_digest": said or pinned.seen,
        "flavours": list(found.flavours),
        "bytes": found.size,
        "problems": [str(problem) for problem in found.problems],
        "not_isolated_from": dict(missing),
    }
    return Evidence("known files", int(not reason), max(found.files, 1), unit=YES_NO, where=role, details=details)


def _changed(pinned: PinnedModel, found: Scan, said: str) -> str:
    version, fix = pinned.version, "find out who changed them, and register a new version"
    if found.digest != pinned.digest:
        return f"the files of {version} changed while this run was judging them: {fix}"
    if said and said != found.digest:
        short = f"SHA-256 {said[:12]} then, {found.digest[:12]} now"
        return f"the files of {version} changed since it was stamped ({short}): {fix}"
    if pinned.seen and pinned.seen != found.digest:
        short = f"SHA-256 {pinned.seen[:12]} in ledger entry {pinned.seen_in}, {found.digest[:12]} now"
        return f"the files of {version} changed since they were first seen ({short}): {fix}"
    return ""


def _untrusted(pinned: PinnedModel, found: Scan, policy: ArtifactSafety) -> str:
    problems = found.untrusted(policy.trusted)
    if not problems:
        return ""
    shown = "; ".join(map(str, problems[:_SHOWN]))
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return f"{pinned.version} is not loaded. {shown}{more}. {_fix(problems, found)}"


def _fix(problems: tuple[Problem, ...], found: Scan) -> str:
    kinds = {problem.kind for problem in problems}
    if "place" in kinds:
        return "Register a version of plain files"
    trust = f'trusted = ["{found.digest}"] in [tool.mlgates.artifact_safety]'
    if kinds == {"name"}:
        return f"A class of your own: its whole name in allow; files you have read: {trust}"
    return f"If you have read these files and answer for them: {trust}"


def _trusted(pinned: PinnedModel, found: Scan, said: str, policy: ArtifactSafety) -> str:
    record = "no digest on record: these are the files as first seen now"
    if said or pinned.seen:
        record = "as stamped" if said else f"as first seen in ledger entry {pinned.seen_in}; nobody stamped them"
    what = f"{found.files} files of {pinned.version} with SHA-256 {found.digest[:12]} ({record})"
    if found.problems:
        return f"{what}, trusted by the settings: {'; '.join(map(str, found.problems[:_SHOWN]))}"
    return f"{what}, nothing in them beyond the list for {', '.join(found.flavours)}"
