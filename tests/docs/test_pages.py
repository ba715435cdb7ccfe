"""Every example on a page is run, and the site is built."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pytest_mlgates import cli
from pytest_mlgates.settings import Settings
from pytest_mlgates.validation import read
from tests.docs.conftest import README, shell
from tests.docs.pages import blocks, commands
from tests.docs.reference import DOCS, ROOT

TUTORIAL = blocks((DOCS / "tutorial.md").read_text())
STEPS = [mark.removeprefix("step ") for mark in TUTORIAL if mark.startswith("step ")]
EXITS = {"1": 1, "5": 1}


@pytest.mark.long
def test_the_tutorial_says_what_happens(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    made = shell(commands(TUTORIAL["get"])[-1], tmp_path)
    assert made.returncode == 0, made.stderr
    for step in STEPS:
        done = shell(TUTORIAL[f"step {step}"], root)
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode == EXITS.get(step, 0), said
        for line in TUTORIAL[f"said {step}"].splitlines():
            assert " ".join(line.split()) in said, f"step {step} does not say {line!r}: {said}"


def test_what_power_says(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = blocks((DOCS / "explanation" / "statistics.md").read_text())
    assert cli.main(shown["power"].split()[1:]) == 0
    assert capsys.readouterr().out == shown["power said"]


def test_the_other_lines_about_power(
    demo: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="the plot needs matplotlib")
    of_the_settings, *others = commands(blocks((DOCS / "power.md").read_text())["power"])
    monkeypatch.chdir(demo)
    assert cli.main(of_the_settings.split()[1:]) == 0
    assert capsys.readouterr().out.startswith("5,000 rows in data/golden.parquet, 52 % positive")
    monkeypatch.chdir(tmp_path)
    assert [cli.main(line.split()[1:]) for line in others] == [0, 0]
    assert "<svg" in (tmp_path / "power.svg").read_text()


def test_the_manifest_shown_is_one(demo: Path) -> None:
    from pytest_mlgates.manifest import parsed

    shown = parsed(yaml.safe_load(blocks((DOCS / "behaviour.md").read_text())["manifest"]), "behaviour.md")
    golden = pd.read_parquet(demo / "data" / "golden.parquet")
    shown.check_columns([name for name in golden if name not in ("employed", "id", "year")], "behaviour.md")
    assert shown.model == "employment"


def test_the_settings_shown_are_settings() -> None:
    for page in [*sorted(DOCS.glob("how-to/*.md")), DOCS / "live.md"]:
        for mark, code in blocks(page.read_text()).items():
            if "settings" in mark:
                written = tomllib.loads(code)["tool"]["mlgates"]
                needed = {"model": "m", "golden": "g.csv", "label": "y", "task": "binary"}
                read(Settings, needed | written, {}, f"{page.name}, {mark}")


def examples() -> list[tuple[str, str, str]]:
    """(page, language, code) of every fenced block in the docs but those that tests write."""
    found = []
    for page in [README, *sorted(DOCS.rglob("*.md"))]:
        for language, code in re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.M | re.S):
            found.append((str(page.relative_to(ROOT)), language, code))
    return found


@pytest.mark.parametrize(("page", "language", "code"), examples())
def test_an_example_is_of_its_language(page: str, language: str, code: str) -> None:
    if language == "python":
        compile(code, page, "exec")
    elif language == "toml":
        tomllib.loads(code)
    elif language in ("yaml", "yml"):
        assert list(yaml.safe_load_all(code))
    elif language == "sh":
        assert subprocess.run(["bash", "-n"], input=code, text=True, check=False, timeout=10).returncode == 0
    else:
        assert language in ("", "text", "json"), f"{page}: nobody checks an example in {language!r}"


def _commands() -> list[tuple[str, str]]:
    """(page, line) of every `mlgates ...` in a shell example."""
    lines = [(page, line) for page, language, code in examples() if language == "sh" for line in code.splitlines()]
    found = []
    for page, line in lines:
        for part in re.split(r"&&|;", line.split("#")[0]):
            if part.strip().startswith("mlgates "):
                found.append((page, part.strip()))
    return sorted(set(found))


@pytest.mark.parametrize(("page", "line"), _commands())
def test_a_command_shown_is_one_that_there_is(page: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsed by the command's own parser, with its options; what it does, its own tests show."""
    import argparse
    import shlex
    from importlib import import_module

    words = [word for word in shlex.split(line)[1:] if word != "..."]
    if not words or words[0].isupper() or words[0].startswith("-"):
        return
    assert words[0] in cli.COMMANDS, f"{page}: {line}"
    parser = argparse.ArgumentParser(exit_on_error=False)
    import_module(f"pytest_mlgates.commands.{words[0]}").add(parser)
    known = set(re.findall(r"--[a-z][\w-]*", _every_help(parser)))
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, f"{page}: {line}"


def _every_help(parser: object) -> str:
    import argparse

    assert isinstance(parser, argparse.ArgumentParser)
    inner = [
        one
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for one in action.choices.values()
    ]
    return parser.format_help() + "".join(_every_help(one) for one in inner)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the site is built with the extra docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "gates" / "golden_regression" / "index.html").is_file()
    assert (tmp_path / "site" / "tutorial" / "index.html").is_file()
