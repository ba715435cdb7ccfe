"""Reads the examples out of a page: every fenced block is marked by the comment before it."""

from __future__ import annotations

import re

_MARKED = re.compile(r"^<!-- (?P<mark>[\w -]+) -->\n```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S)
_FENCE = re.compile(r"^```\w*$", re.M)


def blocks(text: str) -> dict[str, str]:
    """Mark -> code. Raises AssertionError when a mark is there twice."""
    found: dict[str, str] = {}
    for match in _MARKED.finditer(text):
        assert match["mark"] not in found, f"the mark {match['mark']!r} is there twice"
        found[match["mark"]] = match["code"]
    return found


def unmarked(text: str) -> int:
    """How many fenced blocks have no mark, so that no test can find them."""
    return len(_FENCE.findall(text)) // 2 - len(blocks(text))


def commands(code: str) -> list[str]:
    """The lines of a shell example without its comments, and without `pip install`: what they give is here already."""
    lines = [line.split("  #")[0].strip() for line in code.splitlines()]
    return [line.split("&& ", 1)[-1] if line.startswith("pip install") else line for line in lines if line]
