"""What an API server keeps: objects with resourceVersion and generation, changed one at a time, and watched."""

from __future__ import annotations

import copy
import datetime
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str, str]
#: Resources whose `status` only their controllers write.
_WITH_STATUS = {"deployments", "replicasets", "pods", "namespaces"}
_KINDS = {
    "namespaces": ("v1", "Namespace"),
    "pods": ("v1", "Pod"),
    "services": ("v1", "Service"),
    "events": ("v1", "Event"),
    "serviceaccounts": ("v1", "ServiceAccount"),
    "resourcequotas": ("v1", "ResourceQuota"),
    "deployments": ("apps/v1", "Deployment"),
    "replicasets": ("apps/v1", "ReplicaSet"),
}


class Refused(Exception):
    """An answer that is no success: HTTP status, reason as Kubernetes spells it, and message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


class Store:
    """`changed` is notified after every change; `log` holds every change in order, for watches."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.objects: dict[Key, Object] = {}
        self.log: list[tuple[int, str, Key, Object]] = []
        self._version = 0
        self.oldest = 0

    def get(self, resource: str, namespace: str, name: str) -> Object:
        with self.changed:
            found = self.objects.get((resource, namespace, name))
            if found is None:
                group = ".apps" if _KINDS[resource][0].startswith("apps") else ""
                raise Refused(404, "NotFound", f'{resource}{group} "{name}" not found')
            return copy.deepcopy(found)

    def list(self, resource: str, namespace: str, keep: Callable[[Object], bool] = lambda _: True) -> list[Object]:
        with self.changed:
            found = [o for (r, n, _), o in self.objects.items() if r == resource and n == namespace]
            return [copy.deepcopy(one) for one in found if keep(one)]

    @property
    def version(self) -> int:
        return self._version

    def create(self, resource: str, namespace: str, given: Object) -> Object:
        with self.changed:
            self._namespace_must_exist(resource, namespace)
            given = copy.deepcopy(given)
            meta = given.setdefault("metadata", {})
            name = meta.setdefault("name", meta.get("generateName", "") + uuid.uuid4().hex[:5])
            if (resource, namespace, name) in self.objects:
                raise Refused(409, "AlreadyExists", f'{resource} "{name}" already exists')
            if resource in _WITH_STATUS:
                given["status"] = {"phase": "Active"} if resource == "namespaces" else {}
            meta |= {"namespace": namespace, "uid": str(uuid.uuid4()), "generation": 1, "creationTimestamp": now()}
            given["apiVersion"], given["kind"] = _KINDS[resource]
            return self._put("ADDED", (resource, namespace, name), given)

    def update(self, resource: str, namespace: str, name: str, given: Object, *, status: bool = False) -> Object:
        """`status` writes status alone, as controllers do; without it status is ignored. The generation counts
        changes of the spec."""
        with self.changed:
            old = self.get(resource, namespace, name)
            wanted = given["metadata"].get("resourceVersion")
            if wanted and wanted != old["metadata"]["resourceVersion"]:
                raise Refused(
                    409,
                    "Conflict",
                    f'Operation cannot be fulfilled on {resource} "{name}": the object has been modified; please '
                    "apply your changes to the latest version and try again",
                )
            new = copy.deepcopy(given)
            if status:
                new = {**old, "status": new["status"]}
            else:
                new["status"] = old.get("status", {})
                for fixed in ("uid", "generation", "creationTimestamp", "name", "namespace"):
                    new["metadata"][fixed] = old["metadata"][fixed]
            new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
            if new == old:
                return old
            if new.get("spec") != old.get("spec"):
                new["metadata"]["generation"] = old["metadata"]["generation"] + 1
            return self._put("MODIFIED", (resource, namespace, name), new)

    def delete(self, resource: str, namespace: str, name: str, uid: str = "", version: str = "") -> Object:
        """A pod is only marked; it goes when its process has. So is what has finalizers, until they are gone."""
        with self.changed:
            old = self.get(resource, namespace, name)
            if uid and uid != old["metadata"]["uid"]:
                raise Refused(409, "Conflict", "the UID in the precondition does not match the UID in record")
            if version and version != old["metadata"]["resourceVersion"]:
                raise Refused(409, "Conflict", "the ResourceVersion in the precondition does not match")
            lingers = resource == "pods" and old.get("status", {}).get("podIP")
            if lingers or old["metadata"].get("finalizers"):
                if "deletionTimestamp" not in old["metadata"]:
                    grace = int(old.get("spec", {}).get("terminationGracePeriodSeconds", 0)) if lingers else 0
                    old["metadata"] |= {"deletionTimestamp": now(grace), "deletionGracePeriodSeconds": grace}
                    return self._put("MODIFIED", (resource, namespace, name), old)
                return old
            return self.forget((resource, namespace, name))

    def forget(self, key: Key) -> Object:
        with self.changed:
            old = self.objects.pop(key)
            self._version += 1
            old["metadata"]["resourceVersion"] = str(self._version)
            self.log.append((self._version, "DELETED", key, old))
            self.changed.notify_all()
            return old

    def watch(
        self, resource: str, namespace: str, since: int, until: Callable[[], bool]
    ) -> Iterator[tuple[str, Object]]:
        if since < self.oldest:
            raise Refused(410, "Expired", f"too old resource version: {since} ({self.oldest})")
        place = 0
        while not until():
            with self.changed:
                if place == len(self.log):
                    self.changed.wait(0.05)
                fresh, place = self.log[place:], len(self.log)
            for version, what, (r, n, _), one in fresh:
                if version > since and r == resource and n == namespace:
                    yield what, one

    def _put(self, what: str, key: Key, new: Object) -> Object:
        self._version += 1
        new["metadata"]["resourceVersion"] = str(self._version)
        self.objects[key] = new
        self.log.append((self._version, what, key, copy.deepcopy(new)))
        self.changed.notify_all()
        return copy.deepcopy(new)

    def _namespace_must_exist(self, resource: str, namespace: str) -> None:
        if resource != "namespaces" and ("namespaces", "", namespace) not in self.objects:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
        if resource != "namespaces" and self.objects["namespaces", "", namespace]["metadata"].get("deletionTimestamp"):
            said = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise Refused(403, "Forbidden", said)


def now(later: float = 0) -> str:
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=later)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def labelled(selector: str) -> Callable[[Object], bool]:
    """A label selector: `a=b`, `a!=b`, `a`, `!a`, `a in (b,c)`. Refuses what it does not know."""
    parts = []
    depth, part = 0, ""
    for sign in selector + ",":
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and not depth:
            parts.append(part.strip())
            part = ""
        else:
            part += sign

    def keep(one: Object) -> bool:
        labels = one["metadata"].get("labels") or {}
        return all(_holds(labels, part) for part in parts if part)

    return keep


def _holds(labels: dict[str, str], part: str) -> bool:
    if " in " in part:
        key, _, values = part.partition(" in ")
        return labels.get(key.strip()) in [v.strip() for v in values.strip(" ()").split(",")]
    if "!=" in part:
        key, _, value = part.partition("!=")
        return labels.get(key) != value
    if "=" in part:
        key, _, value = part.replace("==", "=").partition("=")
        return labels.get(key) == value
    if part.startswith("!"):
        return part[1:] not in labels
    if not part.replace("-", "").replace("/", "").replace(".", "").isalnum():
        raise Refused(400, "BadRequest", f"unable to parse requirement: {part}")
    return part in labels


def fielded(selector: str) -> Callable[[Object], bool]:
    pairs = [part.partition("=") for part in selector.split(",") if part]

    def keep(one: Object) -> bool:
        for path, _, value in pairs:
            place: Any = one
            for key in path.split("."):
                place = place.get(key, {}) if isinstance(place, dict) else {}
            if place != value:
                return False
        return True

    return keep
