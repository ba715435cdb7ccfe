"""What an API server asks of an object before it keeps it: defaults filled in, then checked field by field."""

from __future__ import annotations

import copy
import re
from typing import Any

import kubernetes_validate

from tests.cluster.standin.store import Object, Refused

VERSION = "1.36"
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_POD = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_CONTAINER = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": "IfNotPresent",
}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
_DEPLOYMENT = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": _ROLLING}
#: What admission gives each pod beside that.
_TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in ("not-ready", "unreachable")
]


def kept(resource: str, given: Object, old: Object | None = None) -> Object:
    """`given` with its defaults. Raises Refused with 400 for a field that does not exist, 422 for one that is wrong."""
    new = copy.deepcopy(given)
    if resource == "deployments":
        _typed(new)
        _filled(new["spec"], _DEPLOYMENT)
        _template(new["spec"]["template"])
        _deployment(new, old)
    elif resource == "pods":
        _typed(new)
        _template(new)
        new["spec"] = admitted(new["spec"])
    return new


def admitted(spec: Object) -> Object:
    """A pod's spec as admission leaves it, which is not what its template says."""
    return {"serviceAccountName": "default", "tolerations": copy.deepcopy(_TOLERATIONS), **spec}


def _typed(new: Object) -> None:
    for variable in [v for c in _pod_of(new).get("containers", []) for v in c.get("env", [])]:
        if not isinstance(variable.get("value", ""), str):
            raise Refused(400, "BadRequest", "cannot unmarshal into Go struct field EnvVar.value of type string")
    checked = {key: value for key, value in new.items() if key != "status"}
    try:
        kubernetes_validate.validate(checked, VERSION, strict=True)
    except kubernetes_validate.ValidationError as problem:
        path = ".".join(map(str, problem.absolute_path))
        if problem.validator == "additionalProperties":
            raise Refused(400, "BadRequest", f"strict decoding error: {path}: {problem.message}") from None
        raise Refused(422, "Invalid", f"{new['kind']} is invalid: {path}: {problem.message}") from None


def _pod_of(new: Object) -> Object:
    spec = new.get("spec") or {}
    return dict((spec.get("template") or {}).get("spec") or {} if new["kind"] == "Deployment" else spec)


def _template(template: Object) -> None:
    _filled(template["spec"], _POD)
    for container in template["spec"]["containers"]:
        if not container.get("image"):
            raise Refused(422, "Invalid", f"spec.containers[{container['name']}].image: Required value")
        _filled(container, _CONTAINER)
        for port in container.get("ports", []):
            _filled(port, {"protocol": "TCP"})
        for name in ("readinessProbe", "startupProbe", "livenessProbe"):
            if name in container:
                _filled(container[name], _PROBE)
        for variable in container.get("env", []):
            if variable.get("value") and variable.get("valueFrom"):
                raise Refused(422, "Invalid", "env: may not be specified when `value` is not empty")
            if not variable.get("value"):
                variable.pop("value", None)  # empty is left out
    for key, value in (template.get("metadata", {}).get("labels") or {}).items():
        if not _LABEL.fullmatch(value):
            raise Refused(422, "Invalid", f"metadata.labels: Invalid value: {value!r} of {key}")


def _deployment(new: Object, old: Object | None) -> None:
    labels = new["spec"]["template"].get("metadata", {}).get("labels") or {}
    for key, value in new["spec"]["selector"].get("matchLabels", {}).items():
        if labels.get(key) != value:
            raise Refused(422, "Invalid", "`selector` does not match template `labels`")
    if old is not None and new["spec"]["selector"] != old["spec"]["selector"]:
        raise Refused(422, "Invalid", "spec.selector: Invalid value: field is immutable")


def _filled(target: Any, defaults: Object) -> None:
    for key, value in defaults.items():
        target.setdefault(key, copy.deepcopy(value))
