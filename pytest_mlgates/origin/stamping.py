"""`stamp()` for training scripts, and what `mlgates stamp` does later: write a version's origin on it, once.

Imports MLflow only when called; a training script has it already.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from pytest_mlgates import fingerprint
from pytest_mlgates.errors import UsageError
from pytest_mlgates.origin import environment
from pytest_mlgates.origin.provenance import UNKNOWN, Provenance, completed, tree
from pytest_mlgates.ports import Registry, TrackedRun, Version


class Registered(Protocol):
    """What MLflow's `register_model` and `create_model_version` return."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int | str: ...


def stamp(version: Registered | str, *, data: str | os.PathLike[str]) -> Provenance:
    """Record on a version that was just registered where it came from: run, commit, `data`, environment, files.

    `version` is what MLflow returned, or "NAME/NUMBER"; `data` is the training data, which has a DVC pointer. Changes
    that are not committed are recorded as such, and the lineage gate fails on them.

    Raises UsageError when something cannot be recorded truthfully, CouldNotEvaluate when git or MLflow do not answer.
    """
    from pytest_mlgates.adapters.golden import dvc_origin
    from pytest_mlgates.adapters.golden.git import GitRepository
    from pytest_mlgates.adapters.mlflow.registry import MlflowRegistry
    from pytest_mlgates.adapters.mlflow.runs import present_uri

    name, number = _named(version)
    file = _lexical(Path(data))
    repository = GitRepository(file.parent)
    head = repository.head()
    with TemporaryDirectory() as cache:
        registry = MlflowRegistry(present_uri(), name, Path(cache))
        found = _existing(registry, number)
        fresh = Provenance(
            run_id=_run_of(found),
            git_commit=head.commit,
            git_tree=tree(head.changed),
            data=_within(repository.root, file),
            data_md5=dvc_origin.pinned(file),
            data_remote=dvc_origin.remote(repository.root, file),
            environment=environment.digest(),
            digest=fingerprint.of_folder(registry.files(found)),
        )
        return write(registry, found, fresh)


def later(
    version: Version, run: TrackedRun | None, *, commit: str, data: str, registry: Registry, base: Path
) -> Provenance:
    """Complete what `version` records, after training: `commit` and `data` ("" for what is recorded already, or what
    its run says) are looked up in the repository around `base`, never guessed from what is checked out.

    Raises UsageError when a fact is unknown or differs from the recorded one, CouldNotEvaluate as `stamp` does.
    """
    from pytest_mlgates.adapters.golden import dvc_origin
    from pytest_mlgates.adapters.golden.git import GitRepository

    said = Provenance.from_tags(version.tags)
    repository = GitRepository(base)
    asked = commit or said.git_commit or (run.commit if run else "")
    if not asked:
        raise UsageError(f"neither {version} nor its run says which commit it was trained from: give --commit")
    full = repository.resolve(asked)
    if not full:
        raise UsageError(f"{repository.root} has no commit {asked!r}: give the --commit that it was trained from")
    file = _lexical(base / data) if data else repository.root / said.data
    if not (data or said.data):
        raise UsageError(f"{version} does not say what it was trained on: give --data FILE")
    path = _within(repository.root, file)
    md5 = repository.pinned(full, path)
    if not md5:
        raise UsageError(f"at commit {full[:12]} there is no DVC pointer {path}.dvc: give the --data it was trained on")
    fresh = Provenance(
        run_id=_run_of(version),
        git_commit=full,
        git_tree=said.git_tree or ("" if said.git_commit else UNKNOWN),
        data=path,
        data_md5=md5,
        data_remote=said.data_remote or dvc_origin.remote(repository.root, file),
        environment=said.environment or environment.digest(),
        digest=fingerprint.of_folder(registry.files(version)),
    )
    return write(registry, version, fresh)


def write(registry: Registry, version: Version, fresh: Provenance) -> Provenance:
    """Tag `version` with what it does not record yet. Raises UsageError, with nothing written, where the two differ."""
    whole = completed(Provenance.from_tags(version.tags), fresh, str(version))
    new = {key: value for key, value in whole.tags().items() if version.tags.get(key) != value}
    if new:
        registry.tag(version, new)
    return whole


def _named(version: Registered | str) -> tuple[str, str]:
    if not isinstance(version, str):
        return version.name, str(version.version)
    name, _, number = version.removeprefix("models:/").rpartition("/")
    if not name or not number.isdigit():
        raise UsageError(f'stamp({version!r}): give what MLflow returned when it was registered, or "NAME/NUMBER"')
    return name, number


def _existing(registry: Registry, reference: str) -> Version:
    """Raises UsageError for a version that does not exist, CouldNotEvaluate."""
    found = registry.find(reference)
    if found is None:
        raise UsageError(f"there is no version {reference!r}; there are: {', '.join(registry.references()) or 'none'}")
    return found


def _run_of(version: Version) -> str:
    if not version.run_id:
        raise UsageError(f"{version} was registered without a run: log the model in a run and register that")
    return version.run_id


def _lexical(file: Path) -> Path:
    """Absolute; a link that DVC made is not followed into its cache, but its folder is resolved, as git does."""
    return file.parent.resolve() / file.name.removesuffix(".dvc")


def _within(root: Path, file: Path) -> str:
    if not file.is_relative_to(root):
        raise UsageError(f"the training data {file} lies outside the git repository {root}, so no commit pins it")
    return file.relative_to(root).as_posix()
