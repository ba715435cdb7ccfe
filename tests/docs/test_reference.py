"""The reference is what the code says."""

from __future__ import annotations

import os
import re

import pytest

from pytest_mlgates import shipped
from tests.docs import reference


@pytest.mark.parametrize("path", sorted(reference.pages()))
def test_a_page_is_what_the_code_says(path: str) -> None:
    text, file = reference.pages()[path], reference.DOCS / path
    if os.environ.get("MLGATES_TEST_WRITE_DOCS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert file.read_text() == text, f"{path} is older than the code: MLGATES_TEST_WRITE_DOCS=1 pytest tests/docs"


@pytest.mark.parametrize("name", sorted(shipped.gate_files()))
def test_every_gate_has_a_page_that_begins_as_the_code_says(name: str) -> None:
    file = reference.DOCS / "gates" / f"{name}.md"
    head = reference.gate_head(name)
    if os.environ.get("MLGATES_TEST_WRITE_DOCS"):
        before = file.read_text() if file.is_file() else ""
        shown = re.search(r"^## What it says\n.*", before, re.M | re.S)
        file.write_text(head + (f"\n{shown[0]}" if shown else ""))
    assert file.read_text().startswith(head), (
        f"{file} is older than the code: MLGATES_TEST_WRITE_DOCS=1 pytest tests/docs"
    )


def test_no_page_of_a_gate_that_is_gone() -> None:
    pages = {file.stem for file in (reference.DOCS / "gates").glob("*.md")} - {"index"}
    assert pages == set(shipped.gate_files())
