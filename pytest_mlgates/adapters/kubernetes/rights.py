"""What the cluster lets us do, as its API server says it itself (SelfSubjectAccessReview); nothing is changed."""

from __future__ import annotations

import importlib

from pytest_mlgates.adapters.kubernetes.api import Api, Refused
from pytest_mlgates.adapters.kubernetes.deployment import Place
from pytest_mlgates.errors import CouldNotEvaluate

#: (verb, group, resource, subresource) that moving a workload uses; with `proxy` also those to ask its pods.
NEEDED = (
    ("get", "apps", "deployments", ""),
    ("patch", "apps", "deployments", ""),
    ("watch", "apps", "deployments", ""),
    ("list", "apps", "replicasets", ""),
    ("delete", "apps", "replicasets", ""),
    ("list", "", "pods", ""),
    ("get", "", "pods", "log"),
    ("list", "", "events", ""),
)
_PROXY = (("create", "", "pods", "proxy"), ("create", "", "services", "proxy"))


def refused(place: Place) -> list[str]:
    """What is not allowed in the namespace, as `kubectl auth can-i` would be asked for it. Raises CouldNotEvaluate."""
    api = Api(place.kubeconfig, place.context)
    try:
        client = importlib.import_module("kubernetes.client").AuthorizationV1Api(api.transport)
        wanted = [*NEEDED, *(_PROXY if place.reach == "proxy" else ())]
        return [_words(one) for one in wanted if not _allowed(api, client, place, one)]
    except Refused as problem:
        raise CouldNotEvaluate(f"the API server does not say what we may do: {problem}") from None
    finally:
        api.close()


def _allowed(api: Api, client: object, place: Place, wanted: tuple[str, str, str, str]) -> bool:
    verb, group, resource, sub = wanted
    about = {"namespace": place.namespace, "verb": verb, "group": group, "resource": resource, "subresource": sub}
    if (verb, resource) in (("get", "deployments"), ("patch", "deployments")):
        about["name"] = place.deployment
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in about.items() if value}},
    }
    answer = api.raw(client.create_self_subject_access_review, body)  # type: ignore[attr-defined]
    return bool(isinstance(answer, dict) and (answer.get("status") or {}).get("allowed") is True)


def _words(wanted: tuple[str, str, str, str]) -> str:
    verb, group, resource, sub = wanted
    return f"{verb} {resource}{'/' + sub if sub else ''}{'.' + group if group else ''}"
