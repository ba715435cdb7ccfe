"""Finds the gates and fixtures this package brings, in a wheel, an editable install, and a flat checkout."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

#: The package that the modules of fixtures are put in.
FIXTURES = "pytest_mlgates.fixtures"
_HERE = Path(__file__).parent


def folder(name: str) -> Path:
    """The shipped folder `gates` or `fixtures`: inside the package in a wheel, beside it in a checkout."""
    inside = _HERE / name
    return inside if inside.is_dir() else _HERE.parent / name


def gate_files() -> dict[str, Path]:
    """Gate name -> its file; a shipped gate is named like its file."""
    files = sorted(folder("gates").glob("*.py"))
    return {file.stem: file for file in files if not file.stem.startswith("_")}


def fixture_modules() -> list[ModuleType]:
    """The fixture modules, loaded by path, because a checkout has no package around them."""
    modules = []
    for file in sorted(folder("fixtures").glob("*.py")):
        if file.stem.startswith("_"):
            continue
        name = f"{FIXTURES}.{file.stem}"
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        modules.append(module)
    return modules
