"""Every example on a page has a test that runs it: which one is said here, and a block that is not named here fails."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pytest_mlgates.adoption import ci_files
from tests.docs.conftest import README, block
from tests.docs.pages import blocks, commands, unmarked
from tests.docs.reference import DOCS, ROOT

GATE_PAGES = ("tests/plugin/test_gate_pages.py", "test_every_page_shows_both_and_a_test_holds_each")
TUTORIAL = ("tests/docs/test_pages.py", "test_the_tutorial_says_what_happens")
SETTINGS = ("tests/docs/test_pages.py", "test_the_settings_shown_are_settings")
HOOKS = "tests/plugin/test_hooks.py"
FIRST = "tests/adoption/test_first_decision.py"

#: (page, marks of its blocks) -> (file, test that runs them).
RUN_BY: dict[tuple[str, str], tuple[str, str]] = {
    ("README.md", "demo"): ("tests/docs/test_examples.py", "test_the_demo_command_of_the_readme"),
    ("README.md", "test"): (".ci/run", "<!-- test -->"),
    ("README.md", "output"): ("tests/docs/test_readme.py", "test_the_decision_shown_is_the_one_the_demo_ends_with"),
    ("README.md", "own repository"): (FIRST, "test_one_line_from_nothing_to_a_decision"),
    ("README.md", "gate( settings)?"): ("tests/docs/test_readme.py", "test_a_gate_of_your_own_in_ten_lines"),
    ("CONTRIBUTING.md", "commands"): (
        "tests/docs/test_examples.py",
        "test_the_commands_for_contributors_are_those_of_ci",
    ),
    ("docs/tutorial.md", "get|(step|said) [1-6]"): TUTORIAL,
    ("docs/how-to/start.md", "begin"): (FIRST, "test_one_line_from_nothing_to_a_decision"),
    ("docs/how-to/start.md", "further"): (FIRST, "test_the_further_lines_of_the_page"),
    ("docs/how-to/ci.md", "pre-commit"): ("tests/adoption/test_ci.py", "test_the_pre_commit_hook_runs"),
    ("docs/how-to/import.md", "settings"): SETTINGS,
    ("docs/how-to/incident.md", "incident( said)?"): (
        "tests/demo/test_demo_cluster.py",
        "test_what_was_promoted_goes_wrong_is_taken_back_and_the_record_has_the_true_times",
    ),
    ("docs/live.md", "settings"): SETTINGS,
    ("docs/how-to/extend.md", "metric"): (HOOKS, 'conftest(repo, "metric"'),
    ("docs/how-to/extend.md", "metric settings"): (HOOKS, 'example("metric settings")'),
    ("docs/how-to/extend.md", "rule"): (HOOKS, 'conftest(repo, "rule"'),
    ("docs/how-to/extend.md", "rule gate"): (HOOKS, 'example("rule gate")'),
    ("docs/how-to/extend.md", "wire"): (HOOKS, 'conftest(repo, "wire"'),
    ("docs/how-to/extend.md", "wire module"): (HOOKS, 'example("wire module")'),
    ("docs/how-to/extend.md", "section"): (HOOKS, 'conftest(repo, "section"'),
    ("docs/how-to/extend.md", "notifier"): (HOOKS, 'conftest(repo, "notifier"'),
    ("docs/behaviour.md", "counter-example"): (
        "tests/plugin/test_behaviour.py",
        "test_an_unknown_code_mapped_to_minus_1_is_caught_with_one_row",
    ),
    ("docs/behaviour.md", "manifest"): ("tests/docs/test_pages.py", "test_the_manifest_shown_is_one"),
    ("docs/power.md", "power"): ("tests/docs/test_pages.py", "test_the_other_lines_about_power"),
    ("docs/explanation/statistics.md", "power( said)?"): ("tests/docs/test_pages.py", "test_what_power_says"),
    ("docs/gates/.*", "passing|failing"): GATE_PAGES,
}
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md", *sorted(DOCS.rglob("*.md"))]
PAGES += [*sorted((ROOT / "ci").rglob("*.md")), ROOT / "CHANGELOG.md"]


def _examples() -> list[tuple[str, str]]:
    return [(str(page.relative_to(ROOT)), mark) for page in PAGES for mark in blocks(page.read_text())]


@pytest.mark.parametrize(("page", "mark"), _examples())
def test_an_example_is_run(page: str, mark: str) -> None:
    told = [by for (pages, marks), by in RUN_BY.items() if re.fullmatch(pages, page) and re.fullmatch(marks, mark)]
    assert len(told) == 1, "say in RUN_BY which test runs it"
    file, words = told[0]
    assert words in (ROOT / file).read_text(), f"{file} has no {words} any more"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_has_a_mark_by_which_a_test_can_find_it(page: Path) -> None:
    assert unmarked(page.read_text()) == 0


def test_nothing_is_said_of_an_example_that_is_gone() -> None:
    for pages, marks in RUN_BY:
        assert any(re.fullmatch(pages, page) and re.fullmatch(marks, mark) for page, mark in _examples()), pages


@pytest.mark.long
def test_the_demo_command_of_the_readme(tmp_path: Path) -> None:
    """Its last command; what comes before it makes the environment that this runs in, and `.ci/run` does that."""
    from tests.docs.conftest import shell

    done = shell(block("demo").strip().split(" && ")[-1], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "PROMOTE employment v2: all 6 required gates passed against v1" in done.stdout


def test_the_commands_for_contributors_are_those_of_ci() -> None:
    ran = (ROOT / ".ci" / "run").read_text() + block("test")
    for command in re.split(
        r" && |\n", "\n".join(commands(blocks((ROOT / "CONTRIBUTING.md").read_text())["commands"]))
    ):
        assert command.replace("pip install", "pip install -q") in ran or command.replace(".", "--check .") in ran


def test_what_is_installed_is_this_package_with_an_extra_that_it_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = "".join(page.read_text() for page in PAGES) + "".join(
        (ROOT / "ci" / file).read_text() for _, file in ci_files.PLACES.values()
    )
    asked = re.findall(r'pip install "([\w-]+)\[([\w,]+)\]"', text)
    assert asked
    for name, extras in asked:
        assert name == project["name"]
        assert set(extras.split(",")) <= set(project["optional-dependencies"])
