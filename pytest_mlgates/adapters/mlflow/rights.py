"""May whoever runs this promote? Asked without changing anything: with a change that no store can carry out."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_mlgates.adapters.mlflow.client import first_line, open_client, quietly, refusal, without_secrets

#: Versions are counted from 1, so an alias for this one is refused by every store, after it looked at who asks.
_NO_VERSION = "0"
_ALIAS = "mlgates-doctor"
_AFTER_THE_RIGHTS = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND"}


def may_change(uri: str, model: str) -> tuple[bool | None, str]:
    """(whether `model`'s aliases may be moved in the registry at `uri`, why); None where only trying would tell."""
    if uri.startswith("sqlite:///"):
        file = Path(uri.removeprefix("sqlite:///"))
        closed = next((place for place in (file, file.parent) if not os.access(place, os.W_OK)), None)
        return (
            (True, f"{file} can be written") if closed is None else (False, f"{closed} cannot be written by this user")
        )
    if not uri.startswith(("http://", "https://")):
        return None, "a database does not say what this user may change before it is tried"
    rights = f"Promoting needs EDIT on {model!r}, and on the experiment of its runs"
    try:
        with quietly():
            open_client(uri).set_registered_model_alias(model, _ALIAS, _NO_VERSION)
    except Exception as problem:  # noqa: BLE001 - the adapter's edge
        refused = refusal(problem, without_secrets(uri), f"moving an alias of {model!r}", rights)
        if refused:
            return False, refused
        if getattr(problem, "error_code", "") in _AFTER_THE_RIGHTS:
            return True, f"an alias of {model!r} may be moved"
        return None, f"the registry does not say what this user may change: {first_line(problem)}"
    return None, "the registry took an alias for a version that does not exist: it checks nothing"
