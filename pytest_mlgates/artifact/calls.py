"""Arguments of the few calls where they matter, and states that a class would execute."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from typing import Any

from pytest_mlgates.artifact import listed
from pytest_mlgates.artifact.problem import Refused
from pytest_mlgates.artifact.stand_ins import Made, Name, Table

_UFUNC_HOMES = ("numpy", "numpy.core._multiarray_umath", "numpy._core._multiarray_umath")
_PLAIN_BASES = {"object", "dict", "list", "tuple", "set", "frozenset", "int", "float", "str", "bytes", "complex"}
_CODECS = {"latin1", "latin-1", "iso-8859-1", "utf-8", "utf8", "ascii"}
_DUNDER = re.compile(r"__\w+__$")
_HARMLESS_DUNDER = {"__doc__", "__module__", "__name__", "__qualname__", "__orig_class__", "__wrapped__"}
#: statsmodels evaluates the formula again when it loads.
EVALUATED = ("restore_model_spec", "restore_design_info")
_PARSER = "_parse_arg_template"
_PARSER_NODES = (
    *(ast.FunctionDef, ast.Return, ast.arguments, ast.arg, ast.Tuple, ast.Name, ast.Constant, ast.Call, ast.Attribute),
    *(ast.keyword, ast.expr_context, ast.Starred),
)
_FORMULA_CALLS = {"C", "Q", "I", "log", "log1p", "exp", "sqrt", "center", "standardize", "scale", "bs", "cr", "cc"}


def check_call(name: Name, args: Any) -> None:
    """Raises Refused when these arguments turn a harmless callable into another one."""
    check = _CHECKS.get((name.module.replace("numpy._core", "numpy.core"), name.name))
    if check is not None and not check(args):
        raise Refused("name", f"it calls {name} with arguments that no model needs")


def check_state(made: Made, state: Any) -> None:
    """Raises Refused for a state that replaces special methods, or that the class would evaluate."""
    parts = state if type(state) is tuple else (state,)
    for part in parts:
        if isinstance(part, Table):
            check_keys(made, part.entries)
            _check_formula(made, part)
            _check_parser(made, part)


def check_keys(made: Made, keys: Iterable[Any]) -> None:
    """Raises Refused for an attribute that would replace a special method."""
    for key in keys:
        if type(key) is str and _DUNDER.match(key) and key not in _HARMLESS_DUNDER:
            raise Refused("name", f"it sets {key} on {made.of}")


def _check_formula(made: Made, state: Table) -> None:
    if made.of.module.split(".")[0] != "statsmodels" or not any(key in state.entries for key in EVALUATED):
        return
    formula = state.entries.get("formula")
    if type(formula) is not str or not plain_formula(formula):
        raise Refused("code", "it carries a formula that statsmodels would evaluate while loading")


def _check_parser(made: Made, state: Table) -> None:
    """scipy's distributions execute the text of their argument parser when they load."""
    if made.of.module.startswith("scipy.stats.") and _PARSER in state.entries:
        text = state.entries[_PARSER]
        if type(text) is not str or not plain_parser(text):
            raise Refused("code", f"it carries a {_PARSER} that scipy would execute while loading")


def plain_parser(text: str) -> bool:
    """Whether a text only defines functions that hand on their arguments, as scipy writes it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for defined in tree.body:
        if (
            not isinstance(defined, ast.FunctionDef)
            or defined.decorator_list
            or defined.returns
            or len(defined.body) != 1
        ):
            return False
        if not isinstance(defined.body[0], ast.Return):
            return False
        called = [node for node in ast.walk(defined) if isinstance(node, ast.Call)]
        if not all(ast.unparse(call.func) == "self._argcheck_rvs" for call in called):
            return False
        if not all(isinstance(node, _PARSER_NODES) for node in ast.walk(defined)):
            return False
        if any(default for default in defined.args.defaults if not isinstance(default, ast.Constant)):
            return False
    return True


def plain_formula(formula: str) -> bool:
    """Whether a formula is made of column names, numbers, operators and the usual transformations only."""
    for side in formula.replace(":", "*").split("~"):  # a:b is a product, which Python would read as something else
        try:
            tree = ast.parse(side.strip() or "0", mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        if not all(_harmless(node) for node in ast.walk(tree)):
            return False
    return True


def _harmless(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Attribute):
            return isinstance(called.value, ast.Name) and called.value.id == "np" and called.attr in _FORMULA_CALLS
        return isinstance(called, ast.Name) and called.id in _FORMULA_CALLS
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "np" and node.attr in _FORMULA_CALLS
    if isinstance(node, ast.Name):
        return "__" not in node.id
    kinds = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.operator, ast.unaryop, ast.expr_context)
    return isinstance(node, (*kinds, ast.keyword))


def _reconstructor(args: Any) -> bool:
    if type(args) is not tuple or len(args) != 3:
        return False
    made, base, _ = args
    return isinstance(made, Name) and isinstance(base, Name) and base.module == "builtins" and base.name in _PLAIN_BASES


def _first_is_name(args: Any) -> bool:
    return type(args) is tuple and bool(args) and isinstance(args[0], Name)


def _encode(args: Any) -> bool:
    return type(args) is tuple and len(args) == 2 and type(args[0]) is str and args[1] in _CODECS


def _of_nothing(args: Any) -> bool:
    """type(None) and its like; three arguments would make a class."""
    return type(args) is tuple and len(args) == 1 and (args[0] is None or isinstance(args[0], Name))


def _known_ufunc(args: Any) -> bool:
    return type(args) is tuple and len(args) == 2 and args[0] in _UFUNC_HOMES and args[1] in listed.UFUNCS.split()


def _generator(args: Any) -> bool:
    return type(args) is tuple and all(type(arg) is str or isinstance(arg, (Name, Made)) for arg in args)


_CHECKS: dict[tuple[str, str], Callable[[Any], bool]] = {
    ("copyreg", "_reconstructor"): _reconstructor,
    ("copyreg", "__newobj__"): _first_is_name,
    ("copyreg", "__newobj_ex__"): _first_is_name,
    ("_codecs", "encode"): _encode,
    ("builtins", "type"): _of_nothing,
    ("numpy.core", "_ufunc_reconstruct"): _known_ufunc,
    ("numpy.random._pickle", "__bit_generator_ctor"): _generator,
    ("numpy.random._pickle", "__randomstate_ctor"): _generator,
    ("numpy.random._pickle", "__generator_ctor"): _generator,
}
