"""The CI files that `mlgates init --ci` writes: copies of those in `ci/`."""

from __future__ import annotations

from pathlib import Path

from pytest_mlgates import shipped

#: Where each goes, and which file of `ci/` it is.
PLACES = {
    "github": (".github/workflows/mlgate.yml", "github/mlgate.yml"),
    "gitlab": (".gitlab-ci.yml", "gitlab/mlgate.gitlab-ci.yml"),
    "jenkins": ("Jenkinsfile", "jenkins/Jenkinsfile"),
}


def place(kind: str) -> str:
    return PLACES[kind][0]


def text(kind: str) -> str:
    return (shipped.folder("ci") / PLACES[kind][1]).read_text(encoding="utf-8")


def written(root: Path, kind: str) -> Path:
    """Write it below `root`, where nothing is in the way."""
    file = root / place(kind)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as new:
        new.write(text(kind))
    return file
