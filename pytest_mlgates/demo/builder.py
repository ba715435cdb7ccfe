"""The steps that make the demo, in order; every one is what a user would do in a repository of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_mlgates.demo import data, needs, training
from pytest_mlgates.demo.errors import DemoError
from pytest_mlgates.demo.git import Git
from pytest_mlgates.demo.place import building

TEMPLATE = Path(__file__).with_name("template")
#: Named without their dot in the wheel, where nobody should take them for this package's own.
DOTTED = {"gitignore": ".gitignore"}


def build(directory: Path, *, say: Callable[[str], None]) -> None:
    """Build the demo in `directory`, which must be empty or not exist yet; `say` gets a line for every step.

    A build that fails, or is interrupted, leaves nothing behind.
    Raises DemoError when `directory` is taken, or when git, DVC, MLflow or scikit-learn is missing or fails.
    """
    needs.check()
    try:
        with building(directory) as root:
            say(f"building a small ML repository in {root}")
            _repository(root)
            say("git: repository with settings, README and training script")
            data.pin(root, say)
            Git(root).commit("Pin the training data and the golden set", ".dvcignore", ".dvc", "data")
            # Committed before training: a model's tags name the commit it was made from.
            training.run(root, ["champion", "challenger", "worse"], say)
    except OSError as error:
        raise DemoError(f"the demo could not be built in {directory}: {error}") from error


def _repository(root: Path) -> None:
    git = Git(root)
    git.init()
    names = sorted(path.name for path in TEMPLATE.iterdir() if path.is_file())
    for name in names:
        shutil.copyfile(TEMPLATE / name, root / DOTTED.get(name, name))
    git.commit("Settings, README and training script", *(DOTTED.get(name, name) for name in names))
