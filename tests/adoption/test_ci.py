"""The CI files in `ci/`: of the right shape, and their steps run as a runner's shell would run them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_mlgates.adoption import ci_files
from tests.adoption.conftest import bare
from tests.docs.pages import blocks

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CI = ROOT / "ci"
WORKFLOWS = sorted((CI / "github").glob("*.yml"))


def checked(kind: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Held against the schema that check-jsonschema brings with it: nothing is fetched."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{kind}", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("github-workflows", WORKFLOWS),
        ("github-actions", [CI / "github" / "action" / "action.yml"]),
        ("gitlab-ci", [CI / "gitlab" / "mlgate.gitlab-ci.yml"]),
    ],
)
def test_they_keep_the_schema_of_their_service(kind: str, files: list[Path]) -> None:
    assert files
    done = checked(kind, *files)
    assert done.returncode == 0, done.stdout


def test_the_schema_sees_a_misspelt_key(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text((CI / "github" / "mlgate.yml").read_text().replace("timeout-minutes", "timeout-minuets", 1))
    assert checked("github-workflows", wrong).returncode == 1


def loaded(name: str) -> Any:
    return yaml.safe_load((CI / name).read_text())


def test_a_pull_request_is_judged_in_five_minutes_and_promotes_nothing() -> None:
    github, gitlab = loaded("github/mlgate.yml")["jobs"]["fast"], loaded("gitlab/mlgate.gitlab-ci.yml")["mlgate fast"]
    jenkins = jenkins_stages()["fast"]
    assert (github["timeout-minutes"], gitlab["timeout"]) == (5, "5 minutes")
    for job in (github, gitlab, jenkins):
        assert "--mlgate-apply" not in json.dumps(job)
        assert "--mlgate" in json.dumps(job)


def test_two_promotions_are_never_at_work_at_once() -> None:
    assert loaded("github/mlgate.yml")["concurrency"] == {
        "group": "mlgate-${{ github.event_name == 'pull_request' && github.ref || 'champion' }}",
        "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    }
    assert loaded("gitlab/mlgate.gitlab-ci.yml")["mlgate merge"]["resource_group"] == "mlgate"
    assert "disableConcurrentBuilds()" in (CI / "jenkins" / "Jenkinsfile").read_text()


def test_no_input_is_text_in_a_script() -> None:
    """An expression in a script is pasted before the shell reads it, whatever is in it."""
    action = loaded("github/action/action.yml")["runs"]["steps"]
    steps = [
        step for file in WORKFLOWS for job in yaml.safe_load(file.read_text())["jobs"].values() for step in job["steps"]
    ]
    for step in [*action, *steps]:
        assert "${{ inputs" not in step.get("run", "")
        assert "${{ github.event" not in step.get("run", "")


def jenkins_stages() -> dict[str, list[str]]:
    """The shell lines of each stage of the Jenkinsfile, whose braces must match."""
    text = re.sub(r"//.*", "", (CI / "jenkins" / "Jenkinsfile").read_text())
    assert text.count("{") == text.count("}")
    found: dict[str, list[str]] = {}
    for part in re.split(r"stage\(", text)[1:]:
        name = re.match(r"'(\w+)'", part)
        assert name
        found[name[1]] = re.findall(r"sh '(.*)'", part.split("post {")[0])
    return found


#: Stand in for a tool: what it was asked for goes into a file.
RECORDS = '#!/bin/sh\necho "$MLGATES_GATES $@" >> "$HOME/{name}.asked"\n'
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def job(settled: Path, tmp_path: Path) -> Run:
    """Runs a job's lines one after the other in a repository with settings, stopping at the first that fails. `pip`
    fetches nothing; of `instead` are the other tools that only note what they were asked for.
    """
    folder = Path(shutil.copytree(settled, tmp_path / "tissue"))
    tools = tmp_path / "tools"
    tools.mkdir()

    def run(lines: list[str], instead: tuple[str, ...] = (), **more: str) -> tuple[int, str]:
        for name in ("pip", *instead):
            (tools / name).write_text(RECORDS.format(name=name))
            (tools / name).chmod(0o755)
        said = ""
        for line in lines:
            done = bare(line, folder, tmp_path, path=f"{tools}:", **more)
            said += done.out + done.err
            if done.code:
                return done.code, said
        return 0, said

    return run


def github_lines(job: str) -> list[str]:
    lines = []
    for step in loaded("github/mlgate.yml")["jobs"][job]["steps"]:
        variables = "".join(f"{name}={value} " for name, value in step.get("env", {}).items())
        lines += [f"{variables}{step['run']}"] if "run" in step else []
    return lines


def gitlab_lines(job: str) -> list[str]:
    file = loaded("gitlab/mlgate.gitlab-ci.yml")
    return [*file[".mlgate"]["before_script"], *file[job]["script"]]


@pytest.mark.parametrize("phase", ["fast", "merge"])
def test_the_three_services_run_the_same_lines(phase: str) -> None:
    one = [line.strip() for lines in github_lines(phase) for line in lines.splitlines()]
    assert gitlab_lines(f"mlgate {phase}") == one
    assert [*jenkins_stages()["install"], *jenkins_stages()[phase]] == one


def test_the_fast_job_runs_in_a_clean_folder(job: Run, tmp_path: Path) -> None:
    (tmp_path / "tissue" / "requirements.txt").write_text("scikit-learn\n")
    code, said = job(github_lines("fast"), REQUIREMENTS="requirements.txt", EXTRAS="golden")
    assert code == 0, said
    assert "WOULD PROMOTE tissue v2" in said
    assert "all 4 required gates passed" in said
    assert (tmp_path / "pip.asked").read_text() == " install -r requirements.txt\n install pytest-mlgates[golden]\n"
    assert (tmp_path / "tissue" / ".mlgates" / "report" / "junit.xml").is_file()


def test_the_merge_job_promotes(job: Run) -> None:
    code, said = job(github_lines("merge"), REQUIREMENTS="absent", EXTRAS="golden")
    assert code == 0, said
    assert "tissue v2 is 'live' now, replacing v1" in said


@pytest.mark.parametrize(
    ("phase", "asked"),
    [
        ("fast", "core --mlgate"),
        ("merge", " --mlgate --mlgate-apply"),
        ("drill", " --mlgate --mlgate-phase drill --mlgate-record"),
    ],
)
def test_the_composite_action_asks_for_its_phase(job: Run, tmp_path: Path, phase: str, asked: str) -> None:
    lines = [step["run"] for step in loaded("github/action/action.yml")["runs"]["steps"] if "run" in step]
    assert job(lines, ("pytest",), PHASE=phase, REQUIREMENTS="absent", EXTRAS="load")[0] == 0
    assert (tmp_path / "pytest.asked").read_text() == f"{asked}\n"
    assert (tmp_path / "pip.asked").read_text() == " install pytest-mlgates[load]\n"


def test_the_composite_action_knows_no_other_phase(job: Run) -> None:
    lines = [step["run"] for step in loaded("github/action/action.yml")["runs"]["steps"] if "run" in step]
    code, said = job(lines, ("pytest",), PHASE="fastt; exit 0", REQUIREMENTS="absent", EXTRAS="golden")
    assert (code, said) == (4, "phase must be fast, merge or drill, not 'fastt; exit 0'\n")


def test_what_init_writes_is_what_is_here() -> None:
    for kind in ci_files.PLACES:
        assert ci_files.text(kind) == (CI / ci_files.PLACES[kind][1]).read_text()


def test_argo_lets_a_job_decide() -> None:
    import kubernetes_validate

    template = loaded("argo/analysis-template.yaml")
    assert (template["apiVersion"], template["kind"]) == ("argoproj.io/v1alpha1", "AnalysisTemplate")
    (metric,) = template["spec"]["metrics"]
    limits = [metric[key] for key in ("count", "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit")]
    assert limits == [1, 0, 0, 0]
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "x"},
        "spec": metric["provider"]["job"]["spec"],
    }
    kubernetes_validate.validate(job, "1.36", strict=True)
    assert job["spec"]["backoffLimit"] == 0
    used = set(re.findall(r"{{args\.([\w-]+)}}", json.dumps(job)))
    assert used == {arg["name"] for arg in template["spec"]["args"]}


def argo_command(challenger: str) -> str:
    (metric,) = loaded("argo/analysis-template.yaml")["spec"]["metrics"]
    (container,) = metric["provider"]["job"]["spec"]["template"]["spec"]["containers"]
    return " ".join(container["command"]).replace("{{args.challenger}}", challenger)


@pytest.mark.parametrize(("challenger", "code"), [("1", 1), ("absent", 4)])
def test_the_jobs_exit_code_is_the_decision(job: Run, challenger: str, code: int) -> None:
    """The champion itself brings no gain; a version that is not there is no answer either."""
    assert job([argo_command(challenger)])[0] == code


def test_the_pre_commit_hook_runs(job: Run, tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {"id", "name", "entry", "language", "files", "pass_filenames"} <= set(hook)
    for name in ("pyproject.toml", "data/golden.parquet.dvc", "golden.contract.json", "sub/mlgates.toml"):
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "src/train.py")
    (repository,) = yaml.safe_load(blocks((ROOT / "docs" / "how-to" / "ci.md").read_text())["pre-commit"])["repos"]
    assert repository["hooks"][0]["entry"] == hook["entry"]
    assert job([hook["entry"]], MLFLOW_TRACKING_URI="http://127.0.0.1:9")[0] == 0
    (tmp_path / "tissue" / "samples" / "holdout.parquet").write_bytes(b"other rows")
    assert job([hook["entry"]])[0] == 1
