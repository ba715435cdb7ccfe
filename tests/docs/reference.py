"""The pages that are made from code: a page is what the code says, and a test holds the two together.

`MLGATES_TEST_WRITE_DOCS=1 pytest tests/docs` writes them afresh.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import types
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import pytest_mlgates
from pytest_mlgates import cli, hookspecs, policy, required, shipped
from pytest_mlgates.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MADE = "<!-- Made from the code by tests/docs; edit the code. -->\n"


def pages() -> dict[str, str]:
    """Path below docs -> text, of every page without output of runs."""
    return {
        "reference/settings.md": settings_page(),
        "reference/commands.md": commands_page(),
        "reference/hooks.md": hooks_page(),
        "reference/python.md": python_page(),
        "gates/index.md": gates_page(),
    }


# Settings


def settings_page() -> str:
    parts = [
        f"{MADE}# Settings, key by key\n",
        "What they are for is in [Settings](../settings.md).\n",
        "## [tool.mlgates]\n",
    ]
    plain = {name: field for name, field in Settings.model_fields.items() if not _table_of(field.annotation)}
    parts.append(_keys(Settings, [name for name in plain if name not in ("base", "origins")]))
    for name, field in Settings.model_fields.items():
        model = _table_of(field.annotation)
        if model is not None and name not in ("base", "origins"):
            many = typing.get_origin(field.annotation) is tuple
            parts.append(f"## {f'[[tool.mlgates.{name}]]' if many else f'[tool.mlgates.{name}]'}\n")
            parts.append(f"{_words(model)}\n")
            parts.append(_keys(model, list(model.model_fields)))
    return "\n".join(parts)


def _table_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_table_of, typing.get_args(annotation))), None)


def _keys(model: type[BaseModel], names: list[str]) -> str:
    lines = ["| key | type | default |", "|---|---|---|"]
    for name in names:
        field = model.model_fields[name]
        shape = _shape(field.annotation) + "".join(_limit(one) for one in field.metadata)
        lines.append(f"| `{name}` | {_cell(shape)} | {_cell(_default(field.default))} |")
    return "\n".join(lines) + "\n"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "must be written"
    if value is None or value == () or value == {} or value == "":
        return "none"
    return f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


_PLAIN = {str: "text", bool: "true or false", int: "whole number", float: "number", Path: "path"}


def _shape(annotation: Any) -> str:
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin is typing.Annotated:
        return _shape(inside[0]) + "".join(_limit(one) for one in inside[1:])
    if origin is typing.Literal:
        return " or ".join(f"`{_toml(one)}`" for one in inside)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_shape(one) for one in inside if one is not type(None))
    if origin is tuple:
        return f"list of {_shape(inside[0])}"
    if origin is not None and len(inside) == 2:
        return f"table of {_shape(inside[1])}"
    return getattr(annotation, "__name__", str(annotation)).replace("date", "date, e.g. 2027-01-31")


def _limit(metadata: Any) -> str:
    found = []
    for one in [metadata, *getattr(metadata, "metadata", ())]:
        for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<=")):
            value = getattr(one, name, None)
            found += [f", {sign} {value:,.15g}"] if isinstance(value, (int, float)) else []
    return "".join(found)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# Commands


def commands_page() -> str:
    parts = [f"{MADE}# Commands\n", "Every command says so itself: `mlgates COMMAND -h`.\n"]
    for name in cli.COMMANDS:
        command = import_module(f"pytest_mlgates.commands.{name}")
        parser = argparse.ArgumentParser(prog=f"mlgates {name}", formatter_class=_Wide, description=command.HELP)
        command.add(parser)
        parts.append(f"## mlgates {name}\n\n{command.HELP[0].upper()}{command.HELP[1:]}.\n\n{_options(parser)}")
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for sub, inner in action.choices.items():
                    parts.append(f"### mlgates {name} {sub}\n\n{_options(inner)}")
    return "\n".join(parts)


class _Wide(argparse.HelpFormatter):
    """Wrapped alike on every terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=120, max_help_position=36)


def _options(parser: argparse.ArgumentParser) -> str:
    """A table: the text of argparse differs between versions of Python."""
    lines = ["| option | meaning |", "|---|---|"]
    for action in parser._actions:
        if isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)) or action.help == argparse.SUPPRESS:
            continue
        name = ", ".join(action.option_strings) or (str(action.metavar) if action.metavar else action.dest)
        choices = f" ({', '.join(map(str, action.choices))})" if action.choices else ""
        needed = " (must be given)" if action.required and action.option_strings else ""
        lines.append(f"| `{_cell(name)}` | {_cell((action.help or '') + choices + needed)} |")
    return "\n".join(lines) + "\n" if len(lines) > 2 else "Takes no options.\n"


# Hooks and the Python door


def hooks_page() -> str:
    parts = [f"{MADE}# Hooks\n", f"{_words(hookspecs)}\n", "Runnable examples: [Extend](../how-to/extend.md).\n"]
    for name, function in vars(hookspecs).items():
        if name.startswith("pytest_mlgates_"):
            arguments = ", ".join(inspect.signature(function).parameters)
            parts.append(f"## {name}({arguments})\n\n{_words(function)}\n")
    return "\n".join(parts)


def python_page() -> str:
    parts = [f"{MADE}# What a gate of your own imports\n", "`from pytest_mlgates import ...`\n"]
    for name in pytest_mlgates.__all__:
        thing = getattr(pytest_mlgates, name)
        title = f"{name}{_signature(thing)}" if inspect.isfunction(thing) else name
        parts.append(f"## {name}\n\n`{title}`\n\n{_words(thing)}\n")
    return "\n".join(parts)


def _signature(function: Any) -> str:
    return "(" + ", ".join(str(one).split(":")[0] for one in inspect.signature(function).parameters.values()) + ")"


def _words(thing: Any) -> str:
    return re.sub(r"``([^`]+)``", r"`\1`", inspect.cleandoc(thing.__doc__ or ""))


# Gates


def gates_page() -> str:
    lines = [f"{MADE}# The shipped gates\n", "| gate | phase | stage | asked for by |", "|---|---|---|---|"]
    for name in shipped.gate_files():
        lines.append(f"| [{name}]({name}.md) | {phase_of(name)} | {stage_of(name)} | {_asked_by(name)} |")
    return "\n".join(lines) + "\n"


def gate_head(name: str) -> str:
    """What the code says of a gate: its question, when it runs, and its keys."""
    parts = [f"{MADE}# {name}\n", f"{_sentences(name)}\n"]
    parts.append(f"Phase {phase_of(name)}, stage {stage_of(name)}; asked for by {_asked_by(name)}.\n")
    model = policy.KINDS.get(name)
    if model is not None and model.model_fields:
        parts.append(f"## Settings: [tool.mlgates.{name}]\n\n{_words(model)}\n")
        parts.append(_keys(model, list(model.model_fields)))
    if (DOCS / "runbooks" / f"{name}.md").is_file():
        parts.append(f"When it fails: [runbook](../runbooks/{name}.md).\n")
    return "\n".join(parts)


def _sentences(name: str) -> str:
    tree = ast.parse(shipped.gate_files()[name].read_text(encoding="utf-8"))
    return re.sub(r"``([^`]+)``", r"`\1`", ast.get_docstring(tree) or "")


def _marker(name: str) -> dict[str, Any]:
    """The keywords of the gate's own marker."""
    tree = ast.parse(shipped.gate_files()[name].read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "mlgate":
            found |= {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
    return found


def phase_of(name: str) -> str:
    return str(_marker(name).get("phase", policy.PHASE_OF_KIND.get(name, "promotion")))


def stage_of(name: str) -> str:
    return str(_marker(name).get("stage", policy.STAGE_OF_KIND.get(name, "quality")))


def _asked_by(name: str) -> str:
    return ", ".join(_lists(name)) or "its name"


def _lists(name: str) -> Iterator[str]:
    if name in required.CORE["binary"]:
        yield '`"core"`'
    if name in required.CORE["binary"] or name in required.BEYOND_CORE["binary"]:
        yield '`"default"`'
    if name in required.DRILL and phase_of(name) == "drill":
        yield "phase drill with a cluster"
