"""The golden records that a workload's readiness probe reads: written by the command that the template names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from workloads import with_runs

from mlrepo import CHAMPION, Repo
from pytest_mlgates.golden_record import read_record

TEMPLATE = (Path(__file__).parents[2] / "ci" / "kubernetes" / "serving.yaml").read_text()
VERSION = "1.36"


def pod() -> dict[str, Any]:
    return next(yaml.safe_load_all(TEMPLATE))["spec"]["template"]["spec"]


def from_files(command: str, folder: Path) -> dict[str, Any]:
    """What `kubectl create configmap NAME --from-file=FOLDER` makes: a key for each file."""
    told = re.search(r"kubectl create configmap (\S+) --from-file=(\S+) --dry-run=client -o yaml \| ", command)
    assert told is not None and told[2] == folder.name
    data = {file.name: file.read_text() for file in folder.iterdir()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": told[1]}, "data": data}


@pytest.mark.slow
def test_each_version_that_may_serve_finds_its_own(repo: Repo, mlgates) -> None:
    with_runs(repo)
    with repo.database() as db:
        runs = dict(db.execute("select version, run_id from model_versions where version < 3"))
    command = re.search(r"# +mlgates (golden record .*)\n", TEMPLATE)
    assert command is not None
    code, out, err = mlgates(*command[1].split())
    assert code == 0, err
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        f"wrote golden-record/{runs[1]}.json",
        f"wrote golden-record/{runs[2]}.json",
    ]
    made = from_files(TEMPLATE, repo.path / "golden-record")
    kubernetes_validate.validate(made, VERSION, strict=True)
    assert all(re.fullmatch(r"[-._a-zA-Z0-9]+", key) for key in made["data"])
    assert len(json.dumps(made)) < 2**20

    (volume,), (container,) = pod()["volumes"], pod()["containers"]
    (mount,) = container["volumeMounts"]
    assert (volume["configMap"]["name"], volume["name"]) == (made["metadata"]["name"], mount["name"])
    looked_for = container["readinessProbe"]["exec"]["command"][2].split('--record "')[1].rstrip('"')
    for version, run in runs.items():
        place = Path(looked_for.replace("$RUN_ID", run))
        assert place.is_relative_to(mount["mountPath"])
        assert read_record(repo.path / "golden-record" / place.name).model == f"credit v{version}"


def test_a_version_without_a_run_would_never_be_found(repo: Repo, mlgates) -> None:
    code, out, err = mlgates("golden", "record", "--folder", "golden-record")
    assert (code, out) == (2, "")
    assert "v1 was registered without a run, by which a pod would find its record" in err
    assert not (repo.path / "golden-record").exists()


def test_a_file_is_for_one_version(repo: Repo, mlgates) -> None:
    code, _, err = mlgates("golden", "record", "1", "2")
    assert code == 2
    assert "--out is one file, for one version, not for 1, 2: write --folder DIR" in err


def test_files_that_are_not_those_on_record_are_not_asked(repo: Repo, mlgates) -> None:
    with repo.database() as db:
        stamped = ("credit", CHAMPION, "mlgates.digest", "0" * 64)
        db.execute("insert into model_version_tags (name, version, key, value) values (?, ?, ?, ?)", stamped)
    code, _, err = mlgates("golden", "record")
    assert code == 2
    assert "the files of v1 were changed since they were recorded" in err and "it was not asked" in err
