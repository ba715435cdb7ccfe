"""Is what the asked gates need installed? The extras and their distributions come from this package's own metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata

from pytest_mlgates.doctor.check import Check, fail, ok
from pytest_mlgates.doctor.written import everything_asked
from pytest_mlgates.settings import Settings

#: Extra -> the gates that cannot do without it.
GATES = {
    "load": ("latency", "overload", "memory", "rollback_drill"),
    "behaviour": ("behaviour",),
    "explain": ("manifest",),
}
#: Gates that read tables, by engines of their own choice.
TABLES = ("skew", "live_skew", "score_drift", "rolling_quality")
#: Extras that no run needs: they make or test this package, or are others put together.
NOT_FOR_RUNS = ("all", "docs", "test")


def extras(settings: Settings) -> Iterator[Check]:
    if "inprocess_latency" in everything_asked(settings) and not _installed("pytest-benchmark"):
        words = "the gate inprocess_latency needs pytest-benchmark, which is not installed"
        yield fail("extras", words, "pip install pytest-benchmark")
    for extra, reason in needed(settings, everything_asked(settings)):
        absent = [name for name in distributions(extra) if not _installed(name)]
        if absent:
            words = f"{reason} needs {', '.join(absent)}, which is not installed"
            yield fail("extras", words, f'pip install "pytest-mlgates[{extra}]"')
        else:
            yield ok("extras", f"{extra}, for {reason}")


def needed(settings: Settings, gates: set[str]) -> Iterator[tuple[str, str]]:
    """(extra, what for) of everything that the settings ask for."""
    for extra, names in GATES.items():
        using = sorted(gates & set(names))
        if using:
            yield extra, f"the gate {using[0]}" if len(using) == 1 else f"the gates {', '.join(using)}"
    if "fairness" in gates and settings.fairness.fairlearn:
        yield "fairness", "fairlearn = true in [tool.mlgates.fairness]"
    if settings.cluster is not None and settings.cluster.kind == "kubernetes":
        yield "k8s", "the cluster"
    if not settings.golden_file.is_file():
        yield "golden", "pulling the golden set"
    if "env_lock" in gates and settings.env_lock.scoring_env == "lock":
        yield "lock", 'scoring_env = "lock" in [tool.mlgates.env_lock]'
    if "point_in_time" in gates and settings.point_in_time.feast:
        yield "feast", "feast in [tool.mlgates.point_in_time]"
    if settings.notify.chat or settings.notify.pager or settings.notify.mail:
        yield "notify", "[tool.mlgates.notify]"
    if settings.webhook.token or settings.webhook.hmac:
        yield "watch", "[tool.mlgates.webhook]"
    yield from _tables(settings, gates)


def _tables(settings: Settings, gates: set[str]) -> Iterator[tuple[str, str]]:
    reads: dict[str, list[str]] = {"skew": [], "spark": []}
    for name in sorted(gates & set(TABLES)):
        policy = getattr(settings, name)
        if policy.engine == "spark":
            reads["spark"].append(name)
        elif policy.engine == "duckdb" or policy.table or policy.query or "://" in policy.sample:
            reads["skew"].append(name)
    for extra, names in reads.items():
        if names:
            yield extra, f"what [tool.mlgates.{names[0]}] reads"


def distributions(extra: str) -> list[str]:
    """What an extra of this package installs, by its metadata; of extras within extras as well."""
    found = []
    for requirement in metadata.requires("pytest-mlgates") or []:
        if re.search(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]", requirement):
            name = re.split(r"[\s;<>=!~\[(]", requirement, maxsplit=1)[0]
            found += [name] if name != "pytest-mlgates" else []
    return found


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
