"""Imports run one way. The table is ARCHITECTURE.md's; the test walks the syntax trees, lazy imports included."""

from __future__ import annotations

import ast
import functools
import graphlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pytest_mlgates"
ROOT = PACKAGE.parent

#: Room -> the rooms of this package it may import. A room is a module, or a folder with all it holds.
MAY_IMPORT = {
    "errors": set(),
    "evidence": set(),
    "wording": {"evidence"},
    "verdict": {"evidence"},
    "rules": {"evidence", "verdict", "wording"},
    "tiers": set(),
    "decision": {"tiers", "verdict"},
    "live": {"stats", "tiers"},
    "watch": {"tiers", "wording"},
    "doors": {
        "adapters",
        "baseline",
        "behaviour",
        "engine",
        "errors",
        "golden",
        "lock",
        "manifest",
        "measure",
        "model",
        "pins",
        "policy",
        "ports",
        "settings",
        "wires",
    },
    "report": {"cache", "decision", "evidence", "markdown", "verdict", "wording"},
    "validation": {"errors"},
    "sources": {"errors", "validation"},
    "wires": {"errors", "importing", "ports"},
    "policy": {"errors", "validation", "wires"},
    "settings": {"errors", "policy", "sources", "validation"},
    "required": {"errors", "settings"},
    "ports": set(),
    "fingerprint": set(),
    "adapters": {"errors", "importing", "ports", "validation", "wires"},
    "adoption": {"adapters", "cache", "contract", "errors", "golden", "measure", "settings", "shipped", "validation"},
    "artifact": {"fingerprint"},
    "lock": {"errors"},
    "cache": {"ports"},
    "importing": {"errors"},
    "golden": {"errors", "settings"},
    "contract": {"errors", "validation"},
    "manifest": {"errors", "validation"},
    "behaviour": {"baseline", "cache", "contract", "errors", "ports", "wires"},
    "origin": {"adapters", "errors", "fingerprint", "golden", "ports", "settings"},
    "markdown": set(),
    "publish": {"cache", "errors", "evidence", "markdown", "origin", "ports", "report", "wording"},
    "session": {
        "aftermath",
        "decision",
        "doors",
        "errors",
        "evidence",
        "extensions",
        "gate",
        "golden",
        "incident",
        "ledger",
        "live",
        "measure",
        "model",
        "origin",
        "pins",
        "policy",
        "ports",
        "promotion",
        "publish",
        "report",
        "required",
        "rollout",
        "settings",
        "shipped",
        "spec",
        "tiers",
        "verdict",
        "watch",
        "wording",
    },
    "incident": {"errors", "markdown"},
    "rules_files": {"incident"},
    "exporter": {"adapters", "aftermath", "doors", "errors", "incident", "ledger", "promotion", "settings"},
    "aftermath": {
        "adapters",
        "cache",
        "errors",
        "extensions",
        "incident",
        "policy",
        "ports",
        "promotion",
        "report",
        "settings",
    },
    "webhook": {"cache", "errors", "ports", "watch"},
    "pins": {"errors", "fingerprint", "live", "origin", "ports", "settings"},
    "results": set(),
    "stats": set(),
    "scores": {"errors", "ports", "settings"},
    "model": {"cache", "errors", "fingerprint", "golden", "lock", "pins", "ports", "scores", "settings"},
    "measure": {
        "artifact",
        "baseline",
        "behaviour",
        "contract",
        "engine",
        "errors",
        "evidence",
        "extensions",
        "golden",
        "importing",
        "live",
        "lock",
        "manifest",
        "model",
        "origin",
        "pins",
        "policy",
        "ports",
        "publish",
        "results",
        "settings",
        "stats",
        "validation",
        "wording",
        "workload",
    },
    "doctor": {
        "adapters",
        "contract",
        "doors",
        "errors",
        "golden",
        "lock",
        "measure",
        "policy",
        "required",
        "settings",
        "shipped",
    },
    "engine": {"errors", "stats"},
    "extensions": {"errors", "rules", "stats", "wires"},
    "baseline": {"adapters", "engine", "errors", "stats", "validation"},
    "ledger": {"errors", "live"},
    "promotion": {
        "cache",
        "decision",
        "doors",
        "errors",
        "fingerprint",
        "golden",
        "ledger",
        "origin",
        "pins",
        "ports",
        "scores",
        "settings",
        "verdict",
    },
    "golden_record": {"errors", "wires"},
    "workload": {"adapters", "errors", "ports", "wires"},
    "rollout": {
        "adapters",
        "doors",
        "errors",
        "fingerprint",
        "golden",
        "measure",
        "origin",
        "policy",
        "ports",
        "settings",
        "workload",
    },
    "spec": {"errors", "policy", "settings", "tiers", "validation"},
    "gate": {"evidence", "extensions", "pins", "policy", "rules", "settings", "spec", "verdict"},
}
#: Folders that models' processes load by path, where this package is not on the path.
LOADED_BY_PATH = {"child", "isolation"}
#: Rooms whose imports from outside are limited too.
ONLY_OUTSIDE = {
    "errors": set(),
    "evidence": set(),
    "wording": set(),
    "verdict": set(),
    "rules": set(),
    "decision": set(),
    "tiers": set(),
    "live": set(),
    "watch": set(),
    "ledger": set(),
    "report": {"jinja2", "markupsafe"},
    "incident": set(),
    "rules_files": {"yaml"},
    "exporter": set(),
    "markdown": set(),
    "publish": set(),
    "wires": set(),
    "artifact": {"yaml"},
    "lock": {"yaml"},
    "results": set(),
    "stats": {"numpy", "numba", "scipy"},
    "plugin": {"pytest"},
}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "template" not in path.parts)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@functools.cache
def imported(path: Path) -> set[str]:
    """Dotted names a module imports anywhere in it, but for type checking."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level == 1 and path.parent.name in LOADED_BY_PATH:
                continue  # within the folder
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_imported(path: Path) -> set[str]:
    parts = [name.split(".") for name in imported(path)]
    return {part[1] for part in parts if part[0] == "pytest_mlgates" and len(part) > 1} - {room_of(path)}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_the_rooms_below_it(path: Path) -> None:
    room = room_of(path)
    if room in MAY_IMPORT:
        assert rooms_imported(path) <= MAY_IMPORT[room]


def test_no_room_imports_itself_through_others() -> None:
    arrows: dict[str, set[str]] = {}
    for path in modules():
        arrows.setdefault(room_of(path), set()).update(rooms_imported(path))
    graphlib.TopologicalSorter(arrows).prepare()  # raises CycleError, which names the rooms


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_pure_rooms_import_nothing_heavy(path: Path) -> None:
    import sys

    room = room_of(path)
    if room in ONLY_OUTSIDE:
        outside = {name.split(".")[0] for name in imported(path)} - {"pytest_mlgates"}
        assert outside - sys.stdlib_module_names <= ONLY_OUTSIDE[room]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_adapters_import_the_outside_world(path: Path) -> None:
    if room_of(path) not in ("adapters", "demo"):
        outside = {name.split(".")[0] for name in imported(path)}
        assert not outside & {"mlflow", "dvc", "kubernetes", "locust", "requests"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_imports_gates_or_fixtures_by_name(path: Path) -> None:
    assert not rooms_imported(path) & {"gates", "fixtures"}


@pytest.mark.parametrize("path", sorted((ROOT / "gates").glob("*.py")), ids=lambda path: path.stem)
def test_a_gate_uses_the_public_door_and_measure(path: Path) -> None:
    for name in imported(path):
        assert name == "pytest" or name.startswith(("pytest_mlgates.measure.", "pytest_mlgates."))
        if name.startswith("pytest_mlgates.") and not name.startswith("pytest_mlgates.measure."):
            import pytest_mlgates

            assert name.removeprefix("pytest_mlgates.") in pytest_mlgates.__all__


def test_the_check_sees_lazy_imports(tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_text("def f():\n    from pytest_mlgates.rules import at_most\n    import mlflow.sklearn\n")
    assert imported(file) == {"pytest_mlgates.rules.at_most", "mlflow.sklearn"}


def test_the_wheel_holds_every_package() -> None:
    """setuptools is told its packages by name, so a new folder must be named."""
    import tomllib

    named = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = [path.parent.relative_to(PACKAGE) for path in PACKAGE.glob("*/**/__init__.py")]
    inside = {".".join(("pytest_mlgates", *folder.parts)) for folder in folders if "template" not in folder.parts}
    brought = {f"pytest_mlgates.{name}" for name in ("ci", "fixtures", "gates", "runbooks")}
    assert named == {"pytest_mlgates"} | brought | inside
