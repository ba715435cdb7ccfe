"""The files that users copy: valid for Kubernetes' own schema, and with no more rights than a drill uses."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from pytest_mlgates.adapters.kubernetes.cluster import KubernetesCluster
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.drill import rehearse
from pytest_mlgates.ports import Release
from pytest_mlgates.rollout.staging import set_up
from tests.cluster.cast import POLICY, FileRegistry, golden, outside, quiet
from tests.cluster.places import Here

CI = Path(__file__).parents[2] / "ci"
VERSION = "1.36"


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((CI / "kubernetes" / name).read_text()))


@pytest.mark.parametrize("name", ["serving.yaml", "drill.yaml"])
def test_the_manifests_keep_kubernetes_own_schema(name: str) -> None:
    for document in documents(name):
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_the_check_sees_a_misspelt_key() -> None:
    (deployment, _) = documents("serving.yaml")
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSION, strict=True)


def granted() -> set[tuple[str, str, str]]:
    role = next(one for one in documents("drill.yaml") if one["kind"] == "Role")
    return {
        (verb, group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.slow
def test_the_role_grants_what_a_drill_uses_and_nothing_else(standin: Here, tmp_path: Path) -> None:
    """One drill that passes and one whose dummy crashes, so that events and logs are read too."""
    server, cluster = standin.standin, standin.cluster
    assert server is not None and standin.place is not None
    cluster.deploy(Release("models:/tiny/1", "run-1"))
    cluster.settle(20)
    # Through the API server's proxies here, directly in the CronJob.
    proxies = {("create", "", "pods/proxy"), ("create", "", "services/proxy")}
    server.tokens["drill"] = "system:serviceaccount:staging:mlgates-drill"
    server.roles[server.tokens["drill"]] = lambda right: right in granted() | proxies
    config = server.kubeconfig(tmp_path / "drill", token="drill")
    cluster = KubernetesCluster(dataclasses.replace(standin.place, kubeconfig=str(config)))
    server.used.clear()
    (tmp_path / "aliases.json").write_text('{"champion": "1", "challenger": "2"}')
    registry = FileRegistry(tmp_path / "aliases.json")
    drilled = rehearse(set_up(outside(cluster, registry), golden(), POLICY, quiet), 1, quiet)
    assert drilled.restored and not drilled.trouble
    cluster.deploy(Release("models:/tiny/3?crash", "run-3"))
    with pytest.raises(CouldNotEvaluate):
        cluster.settle(20)
    # `name` asks for the version, which every service account may do.
    assert server.used - proxies == granted()


def test_pods_keep_answering_until_their_address_is_gone() -> None:
    (deployment, _) = documents("serving.yaml")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5
    shell, option, probe = container["readinessProbe"]["exec"]["command"]
    assert (shell, option) == ("sh", "-c")
    # A record of the very version that the pod is told to serve: one for all would keep every other from being ready.
    assert probe == 'exec mlgates probe "http://localhost:8080" --record "/etc/mlgates/$RUN_ID.json"'
    assert "@sha256:" in container["image"]


def test_the_workflow_is_yaml_and_holds_a_drill() -> None:
    workflow = yaml.safe_load((CI / "github" / "drill.yml").read_text())
    steps = [step.get("run", "") for step in workflow["jobs"]["drill"]["steps"]]
    assert "pytest --mlgate --mlgate-phase drill --mlgate-record" in steps
    assert workflow["concurrency"]["cancel-in-progress"] is False, "a drill that is cut off must be put right first"
