"""What the objects of a Kubernetes API say about a workload. Pure: dictionaries in, plain facts out."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

from pytest_mlgates.ports import Pod, Release, Revision

Object = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"
#: Put on a template by the deployment controller; a template that goes back must not bring the old one along.
HASH = "pod-template-hash"
MARK = "mlgates.dev/mark"
NOTE = "mlgates.dev/note"
#: What generated names are made of.
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
MODEL_URI, RUN_ID = "MODEL_URI", "RUN_ID"


def rolled_out(deployment: Object) -> bool:
    """Every pod is of the present template and available, and the controller has seen that template."""
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status", {})
    counts = [status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")]
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return seen and all(count == wanted for count in counts)


def gave_up(deployment: Object) -> Object:
    """The condition in which the deployment controller says that it has given up, or {}."""
    for condition in deployment.get("status", {}).get("conditions") or ():
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return dict(condition)
    return {}


def hindrance(deployment: Object) -> str:
    """Why pods cannot even be created (a quota, say), or ""."""
    if deployment["spec"].get("paused"):
        return "its rollouts are paused: `kubectl rollout resume`"
    for condition in deployment.get("status", {}).get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return str(condition.get("message", condition.get("reason", "")))
    return ""


def release_of(template: Object, container: str) -> Release | None:
    """What a pod template tells its container to serve, or None when it does not say."""
    told = environment(template, container)
    return Release(told[MODEL_URI], told.get(RUN_ID, "")) if told.get(MODEL_URI) else None


def environment(template: Object, container: str) -> dict[str, str]:
    found = [one for one in template.get("spec", {}).get("containers", ()) if one["name"] == container]
    return {v["name"]: v.get("value", "") for one in found for v in one.get("env") or ()}


def containers(deployment: Object) -> list[str]:
    return [one["name"] for one in deployment["spec"]["template"]["spec"]["containers"]]


def owned_by(one: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in one["metadata"].get("ownerReferences") or ())


def number_of(replica_set: Object) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, 0))


def revisions(replica_sets: Iterable[Object], container: str) -> tuple[Revision, ...]:
    found = []
    for one in replica_sets:
        release = release_of(one["spec"]["template"], container) or Release("", "")
        labels = one["spec"]["template"]["metadata"].get("labels") or {}
        found.append(Revision(number_of(one), release, labels.get(MARK, "")))
    return tuple(sorted(found, key=lambda revision: revision.number))


def bare(template: Object) -> Object:
    """A template as a person wrote it, to be compared or gone back to: without what the controllers put there."""
    written: Object = copy.deepcopy(template)
    (written["metadata"].get("labels") or {}).pop(HASH, None)
    written["metadata"].pop("creationTimestamp", None)
    return written


def present(deployment: Object, replica_sets: Iterable[Object]) -> Object | None:
    """The ReplicaSet of what the deployment is told to be now; None when its controller has not made it yet."""
    told = bare(deployment["spec"]["template"])
    known = sorted(replica_sets, key=number_of)
    same = [one for one in known if bare(one["spec"]["template"]) == told]
    seen = deployment.get("status", {}).get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    # A newer server may fill in what an older one left out: then none is the same, and the latest is meant.
    found = same or (known if seen else [])
    return found[-1] if found else None


def live(pod: Object) -> bool:
    """A pod that is going away keeps phase Running, its address and its answers; its deletionTimestamp tells."""
    return not pod["metadata"].get("deletionTimestamp") and pod.get("status", {}).get("phase") not in (
        "Succeeded",
        "Failed",
    )


def ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def pod_of(pod: Object, container: str) -> Pod:
    return Pod(
        name=pod["metadata"]["name"],
        uid=pod["metadata"]["uid"],
        address=pod.get("status", {}).get("podIP", ""),
        ready=live(pod) and ready(pod),
        run_id=environment(pod, container).get(RUN_ID, ""),
        restarts=sum(one.get("restartCount", 0) for one in pod.get("status", {}).get("containerStatuses") or ()),
    )


def crashing(pod: Object, times: int) -> bool:
    """Its container has ended `times` times or more, and is down again."""
    for one in pod.get("status", {}).get("containerStatuses") or ():
        down = any(key in one.get("state", {}) for key in ("waiting", "terminated"))
        if down and one.get("restartCount", 0) >= times and not ready(pod):
            return True
    return False


def waiting(pod: Object) -> str:
    """Why a container of the pod does not run, or the pod has no node, or ""."""
    status = pod.get("status", {})
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        held = one.get("state", {}).get("waiting")
        if held:
            return f"{held.get('reason', '')}: {held.get('message', '')}".strip(": ")
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}".strip(": ")
    return ""


def selector(deployment: Object) -> str:
    """The deployment's own selector in the words of a query."""
    chosen = deployment["spec"]["selector"]
    parts = [f"{key}={value}" for key, value in (chosen.get("matchLabels") or {}).items()]
    for one in chosen.get("matchExpressions") or ():
        key, how, values = one["key"], one["operator"], ",".join(one.get("values") or ())
        parts.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }[how]
        )
    return ",".join(parts)


def concerns(name: str, deployment: str) -> bool:
    """Whether an object of that name is the deployment, one of its ReplicaSets or of their pods. Kubernetes makes
    names of these signs only, so that `scorer-canary` is nobody's part of `scorer`."""
    return re.fullmatch(rf"{re.escape(deployment)}(-[{_SAFE}]+(-[{_SAFE}]+)?)?", name) is not None


def happening(event: Object) -> str:
    of = event.get("involvedObject", {})
    when = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
    return f"{when} {of.get('kind', '')} {of.get('name', '')}: {event.get('reason', '')}: {event.get('message', '')}"
