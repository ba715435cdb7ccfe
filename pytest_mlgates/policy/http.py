"""URLs and headers as settings may hold them: nothing secret, nothing that is no URL."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from pytest_mlgates.errors import UsageError
from pytest_mlgates.validation import looks_secret


def check_url(url: str, table: str) -> str:
    """`url`, or "", as it is. Raises ValueError, and UsageError, which does not show it, for one with a password."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if url and not fine:
        raise ValueError("write a URL such as http://host:8080")
    if url and (parts.username or parts.password):
        # No ValueError, which would be shown with the value.
        raise UsageError(f'{table}: a URL holds no password: write headers = {{Authorization = "Basic env:NAME"}}')
    if url and (parts.query or parts.fragment):
        raise ValueError("write the base of the URL, without ? and #; `path` is the rest")
    return url


def check_headers(headers: Mapping[str, str], table: str) -> Mapping[str, str]:
    """`headers` as they are. Raises UsageError, which shows no value, for a secret and for what is no header."""
    for name, value in headers.items():
        if looks_secret(name) and "env:" not in value:
            raise UsageError(f'{table}: {name} is a secret, which belongs in the environment: {name} = "env:NAME"')
        if not (name + value).isprintable() or not name.isascii() or ":" in name or " " in name:
            raise UsageError(f"{table}: {name!r} is no header of one line")
    return headers
