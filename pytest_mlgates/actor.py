"""Who acts."""

from __future__ import annotations

import getpass
import os


def actor() -> str:
    """Who runs this: the CI's user where there is one, else the login name."""
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
