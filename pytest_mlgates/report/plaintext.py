"""Text from outside as text: one line, nothing that a terminal, a browser or a reader's eye would act on."""

from __future__ import annotations

import unicodedata

#: Characters of a name that are shown; the evidence file has the rest.
LONGEST = 160


def visible(value: object) -> str:
    """`value` with every character that prints nothing made visible as its escape, so that an ANSI code or a
    right-to-left override is seen and does nothing; line breaks and tabs become blanks.
    """
    text = str(value)
    return text if text.isprintable() else "".join(map(_visible, text))


def clipped(value: object, longest: int = LONGEST) -> str:
    """`value` made visible, and cut with a note of its length where it is longer than `longest`."""
    text = visible(value).strip()
    return text if len(text) <= longest else f"{text[:longest].rstrip()}… ({len(text):,} characters)"


def _visible(char: str) -> str:
    if char in "\n\r\t\v\f" or unicodedata.category(char) in ("Zl", "Zp", "Zs"):
        return " "
    return char if char.isprintable() else char.encode("unicode_escape").decode()
