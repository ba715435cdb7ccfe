"""The allow-list for one model: names by its flavours, looked up in the packages that would load it."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path

from pytest_mlgates.artifact import listed
from pytest_mlgates.artifact.installed import what_is
from pytest_mlgates.artifact.stand_ins import Name

#: Every model may hold these.
_ALWAYS = ("python", "numpy", "scipy", "pandas")
#: Parts of a package that no model needs: tests, vendored code, downloads, deprecated shims.
_NEVER = {"tests", "test", "conftest", "externals", "_testing", "testing", "datasets", "setup", "plotting", "conda"}
#: Where cloudpickle, dill and marshal rebuild code from the pickle itself.
_BY_VALUE = ("cloudpickle", "dill", "_dill", "marshal", "joblib.externals.cloudpickle", "types", "mlflow.pyfunc.model")
#: Packages of which every name does; `__torch__` is TorchScript's.
_ALL_BY_VALUE = ("cloudpickle", "dill", "__main__", "__torch__")
_COMPILED = re.compile(r"(_?[a-z]?[A-Z]\w*|newObj|__pyx_unpickle_\w+)$")


class Use(enum.Flag):
    """What may be done with a name."""

    NONE = 0
    REFER = enum.auto()
    MAKE = enum.auto()
    CALL = enum.auto()


_FULL = Use.REFER | Use.MAKE | Use.CALL


class Allowed:
    """`flavours` as MLmodel names them, `extra` dotted names that the settings add, `folders` where packages lie."""

    def __init__(self, flavours: Iterable[str], extra: Collection[str] = (), folders: Sequence[Path] = ()) -> None:
        libraries = dict.fromkeys(_ALWAYS)
        for flavour in flavours:
            libraries.update(dict.fromkeys(listed.FLAVOURS.get(flavour, "").split()))
        self._libraries = tuple(libraries)
        self._extra = frozenset(extra)
        self._folders = tuple(folders)
        self._known: dict[Name, tuple[Use, str]] = {}

    def use(self, name: Name) -> tuple[Use, str]:
        """What may be done with `name`, and when nothing may, why."""
        if name not in self._known:
            self._known[name] = self._looked_up(name)
        return self._known[name]

    def _looked_up(self, name: Name) -> tuple[Use, str]:
        if str(name) in self._extra:
            return _FULL, ""
        for library in self._libraries:
            exact = _exact(library).get(name)
            if exact is not None:
                return exact, ""
        return self._of_package(name)

    def _of_package(self, name: Name) -> tuple[Use, str]:
        if not name.name.isidentifier() or not name.name.isascii() or not name.module.isascii():
            return Use.NONE, ""
        if _NEVER & set(name.module.split(".")):
            return Use.NONE, ""
        as_class = any(_covers(listed.CLASSES.get(library, ""), name.module) for library in self._libraries)
        as_function = any(_covers(listed.FUNCTIONS.get(library, ""), name.module) for library in self._libraries)
        if not as_class and not as_function:
            return Use.NONE, ""
        what = what_is(name.module, name.name, self._folders)
        if what == "absent":
            return Use.NONE, f"{name.module} is not installed here, so what {name.name} is cannot be known"
        if as_class and (what == "class" or (what == "compiled" and _COMPILED.match(name.name))):
            return _FULL, ""
        if as_function and what in ("function", "compiled"):
            return Use.REFER, ""
        return Use.NONE, ""


def by_value(name: Name) -> bool:
    """Whether a name rebuilds code that lies in the pickle itself."""
    return name.module in _BY_VALUE or name.module.split(".")[0] in _ALL_BY_VALUE


def _covers(packages: str, module: str) -> bool:
    parts = packages.split()
    inside = any(_within(module, part) for part in parts if not part.startswith("!"))
    return inside and not any(_within(module, part[1:]) for part in parts if part.startswith("!"))


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


@cache
def _exact(library: str) -> dict[Name, Use]:
    found: dict[Name, Use] = {}
    for table, use in ((listed.REFERRED, Use.REFER), (listed.CALLED, _FULL)):
        for line in table.get(library, "").strip().splitlines():
            module, _, names = line.strip().partition(":")
            for one in names.split():
                for spelled in _spellings(module):
                    found[Name(spelled, one)] = use
    # numpy's scalar types and dtypes are called with a value; they make numbers.
    if library == "numpy":
        found |= {Name("numpy", one): _FULL for one in listed.SCALARS.split()}
    return found


def _spellings(module: str) -> tuple[str, ...]:
    """numpy 2 moved numpy.core to numpy._core; pickles of either are read by both."""
    if module == "numpy.core" or module.startswith("numpy.core."):
        return module, module.replace("numpy.core", "numpy._core", 1)
    return (module,)
