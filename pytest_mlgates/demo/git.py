"""A git repository that does not depend on the user's own git configuration."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pytest_mlgates.demo.errors import DemoError
from pytest_mlgates.demo.processes import environment

#: Local settings win over the user's: no key is asked for, no hook runs, nothing is ignored or rewritten.
#: They stay in the demo: its DVC reads them too, and the reader's own commits there just work.
LOCAL = {
    "user.name": "mlgates demo",
    "user.email": "demo@example.invalid",
    "commit.gpgSign": "false",
    "core.hooksPath": os.devnull,
    "core.excludesFile": os.devnull,
    "core.autocrlf": "false",
}


@dataclass(frozen=True)
class Git:
    """The git repository in `root`. Every method raises DemoError when git does."""

    root: Path

    def init(self) -> None:
        """An empty repository on branch main (`init -b` needs a git newer than some still in use)."""
        self._run("init", "--quiet", "--template=")
        self._run("symbolic-ref", "HEAD", "refs/heads/main")
        for name, value in LOCAL.items():
            self._run("config", name, value)

    def commit(self, message: str, *paths: str) -> None:
        self._run("add", "--", *paths)
        self._run("commit", "--quiet", "--message", message)

    def _run(self, *words: str) -> None:
        command = ["git", *words]
        done = subprocess.run(command, cwd=self.root, env=environment(), capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip() or f"exit {done.returncode}"
            raise DemoError(f"`git {' '.join(words)}` failed in {self.root}: {said}")
