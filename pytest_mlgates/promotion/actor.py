"""Who acts."""

from __future__ import annotations

import getpass
import os
from pathlib import Path


def actor() -> str:
    """Who runs this: the CI's user where there is one, else the login name."""
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def below_workspace(folder: Path) -> str:
    """`folder` seen from the root of GitHub's checkout; "" where it is that root, or elsewhere."""
    root = os.environ.get("GITHUB_WORKSPACE")
    inside = bool(root) and folder.is_relative_to(str(root))
    return folder.relative_to(str(root)).as_posix().removeprefix(".") if inside else ""


def ci_run() -> str:
    """The address of the CI's run that this is part of, or ""."""
    known = os.environ.get
    if known("GITHUB_SERVER_URL") and known("GITHUB_REPOSITORY") and known("GITHUB_RUN_ID"):
        return f"{known('GITHUB_SERVER_URL')}/{known('GITHUB_REPOSITORY')}/actions/runs/{known('GITHUB_RUN_ID')}"
    return known("CI_JOB_URL") or known("BUILD_URL") or ""
