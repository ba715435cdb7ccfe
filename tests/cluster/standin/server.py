"""A stand-in for a Kubernetes API server, for this project's own tests: it is not a cluster, and says so.

It speaks the part of the API that the adapter uses, over HTTP, with selectors, resourceVersion, generation, conflicts,
watches and the three patches; its pods are real processes. What it does not know it refuses.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cluster.standin import patches
from tests.cluster.standin.controllers import Controllers, admit
from tests.cluster.standin.kubelet import Runtime
from tests.cluster.standin.rules import kept
from tests.cluster.standin.store import Object, Refused, Store, fielded, labelled

BANNER = "stand-in API server, not a cluster"
#: (verb, group, resource): what a role grants.
Right = tuple[str, str, str]
_ROUTE = re.compile(
    r"/(?:api/v1|apis/apps/v1)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[a-z]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>log|proxy)(?P<rest>/.*)?)?"
)
_APPS = {"deployments", "replicasets"}


class StandIn:
    """`used` are the (verb, group, resource) that were asked for; `before_patch` runs before each patch is applied.

    `tokens` maps a token to its user, and `roles` a user to its rights, where not all are granted. `fault` decides what
    becomes of a request ("PATCH /apis/..."): "" nothing, "away" no answer, "lost" done but not answered, "busy" 503.
    """

    def __init__(self, runtime: Runtime | None = None) -> None:
        self.store = Store()
        self.controllers = Controllers(self.store, runtime)
        self.used: set[tuple[str, str, str]] = set()
        self.before_patch: Callable[[], None] = lambda: None
        self.fault: Callable[[str], str] = lambda _: ""
        self.tokens = {"all": "admin", "read": "reader"}
        self.roles: dict[str, Callable[[Right], bool]] = {"reader": lambda r: r[0] in ("get", "list", "watch")}
        outer = self

        class Bound(Handler):
            standin = outer

        self._server = Server(("127.0.0.1", 0), Bound)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def kubeconfig(self, file: Path, *, context: str = "standin", token: str = "all") -> Path:
        """A kubeconfig with one context, and no current one."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
        }
        file.write_text(json.dumps(config))
        return file

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.controllers.close()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no fault of this server's; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | Refused):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    standin: StandIn

    def log_message(self, *args: Any) -> None:
        pass

    def _any(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        self._fault = self.standin.fault(f"{self.command} {self.path}")
        try:
            if self._fault == "away":
                raise ConnectionResetError
            if self._fault == "busy":
                raise Refused(503, "ServiceUnavailable", "the server is currently unable to handle the request")
            self._route(body)
        except Refused as refusal:
            self._tell(
                refusal.status,
                {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "status": "Failure",
                    "message": str(refusal),
                    "reason": refusal.reason,
                    "code": refusal.status,
                },
            )
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def _route(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        who = self.standin.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if who is None:
            raise Refused(401, "Unauthorized", "Unauthorized")
        if parts.path.rstrip("/") == "/version":
            self._tell(200, {"major": "1", "minor": "36", "gitVersion": BANNER})
            return
        found = _ROUTE.fullmatch(parts.path)
        if found is None:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        namespace, resource, name, sub = (found[k] or "" for k in ("namespace", "resource", "name", "sub"))
        if (parts.path.startswith("/api/v1/namespaces") and not found["namespace"]) or resource == "namespaces":
            namespace = ""
        verb = self._verb(name, query)
        group = "apps" if resource in _APPS else ""
        right = (verb, group, f"{resource}/{sub}" if sub else resource)
        self.standin.used.add(right)
        if not self.standin.roles.get(who, lambda _: True)(right):
            what = f"{resource}.{group}" if group else resource
            raise Refused(
                403,
                "Forbidden",
                f'{what} "{name}" is forbidden: User "{who}" cannot {verb} resource "{right[2]}" in API group '
                f'"{group}" in the namespace "{namespace}"',
            )
        if sub == "proxy":
            self._proxy(
                resource, namespace, name, (found["rest"] or "/") + (f"?{parts.query}" if parts.query else ""), body
            )
        elif sub == "log":
            pod = self.standin.store.get("pods", namespace, name)
            previous = query.get("previous") == "true"
            lines = self.standin.controllers.kubelet.log_of(pod, previous=previous).splitlines(keepends=True)
            self._bytes(200, "".join(lines[-int(query.get("tailLines", 1000)) :]).encode(), "text/plain")
        else:
            self._object(verb, resource, namespace, name, query, body)

    def _verb(self, name: str, query: dict[str, str]) -> str:
        if self.command == "GET":
            return "watch" if query.get("watch") in ("1", "true", "True") else "get" if name else "list"
        return {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[self.command]

    def _object(self, verb: str, resource: str, namespace: str, name: str, query: dict[str, str], body: bytes) -> None:
        store = self.standin.store
        labels, fields = labelled(query.get("labelSelector", "")), fielded(query.get("fieldSelector", ""))

        def keep(one: Object) -> bool:
            return labels(one) and fields(one)

        if verb == "get":
            self._tell(200, store.get(resource, namespace, name))
        elif verb == "list":
            with store.changed:
                items, version = store.list(resource, namespace, keep), store.version
            self._tell(200, {"kind": "List", "metadata": {"resourceVersion": str(version)}, "items": items})
        elif verb == "watch":
            self._watch(resource, namespace, query, keep)
        elif verb == "create":
            given = json.loads(body)
            if resource == "pods":
                admit(store, namespace)
            kinds = {"deployments": ("apps/v1", "Deployment"), "pods": ("v1", "Pod")}
            version, kind = kinds.get(resource, ("", ""))
            given = kept(resource, {"apiVersion": version, "kind": kind, **given}) if kind else given
            self._tell(201, store.create(resource, namespace, given))
        elif verb == "update":
            old = store.get(resource, namespace, name)
            self._tell(200, store.update(resource, namespace, name, kept(resource, json.loads(body), old)))
        elif verb == "patch":
            self.standin.before_patch()
            self._tell(200, self._patched(resource, namespace, name, json.loads(body)))
        else:
            only = (json.loads(body) if body else {}).get("preconditions", {})
            if resource == "namespaces":
                for key in [key for key in list(store.objects) if key[1] == name]:
                    store.delete(*key)
            gone = store.delete(resource, namespace, name, only.get("uid", ""), only.get("resourceVersion", ""))
            # What goes at once is answered by a Status, what lingers by itself.
            lingers = gone["metadata"].get("deletionTimestamp")
            self._tell(200, gone if lingers else {"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def _patched(self, resource: str, namespace: str, name: str, patch: Any) -> Object:
        store = self.standin.store
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        with store.changed:
            old = store.get(resource, namespace, name)
            try:
                if kind == "application/json-patch+json":
                    new = patches.json_patch(old, patch)
                elif kind == "application/strategic-merge-patch+json":
                    new = patches.strategic(old, patch)
                elif kind == "application/merge-patch+json":
                    new = patches.merge(old, patch)
                else:
                    raise Refused(
                        415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {kind}"
                    )
            except patches.Invalid as problem:
                raise Refused(
                    422, "Invalid", f"the server rejected our request due to an error in our request: {problem}"
                ) from None
            return store.update(resource, namespace, name, kept(resource, new, old))

    def _watch(self, resource: str, namespace: str, query: dict[str, str], keep: Callable[[Object], bool]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        until = time.monotonic() + float(query.get("timeoutSeconds", 30))
        since = int(query.get("resourceVersion") or 0)
        seen: set[str] = set()
        try:
            self._changes(resource, namespace, since, until, keep, seen)
        except Refused as refusal:  # the answer has begun: it is told as an event
            told = {"kind": "Status", "code": refusal.status, "reason": refusal.reason, "message": str(refusal)}
            self._event("ERROR", told)
        self.wfile.write(b"0\r\n\r\n")

    def _changes(
        self,
        resource: str,
        namespace: str,
        since: int,
        until: float,
        keep: Callable[[Object], bool],
        seen: set[str],
    ) -> None:
        for what, one in self.standin.store.watch(resource, namespace, since, lambda: time.monotonic() > until):
            uid = one["metadata"]["uid"]
            if not keep(one):
                if uid not in seen:
                    continue
                what = "DELETED"
            seen.add(uid)
            self._event(what, one)

    def _event(self, what: str, one: Object) -> None:
        line = json.dumps({"type": what, "object": one}).encode() + b"\n"
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()

    def _proxy(self, resource: str, namespace: str, name: str, path: str, body: bytes) -> None:
        name, _, port = name.partition(":")
        if resource == "services":
            service = self.standin.store.get("services", namespace, name)
            addresses = self.standin.controllers.endpoints.get((namespace, name), [])
            if not addresses:
                raise Refused(503, "ServiceUnavailable", f'no endpoints available for service "{name}"')
            address = addresses[time.monotonic_ns() % len(addresses)]
            ports = service["spec"]["ports"]
            port = str(next(p.get("targetPort", p["port"]) for p in ports if port in (str(p["port"]), p.get("name"))))
        else:
            address = self.standin.store.get("pods", namespace, name)["status"].get("podIP", "")
        connection = http.client.HTTPConnection(address, int(port), timeout=10)
        try:
            headers = {"Content-Type": self.headers.get("Content-Type", "")} if body else {}
            connection.request(self.command, path, body or None, headers)
            answer = connection.getresponse()
            self._bytes(answer.status, answer.read(), answer.headers["Content-Type"], answer.headers)
        except OSError as problem:
            raise Refused(503, "ServiceUnavailable", f"error trying to reach service: {problem}") from None
        finally:
            connection.close()

    def _tell(self, status: int, told: Any) -> None:
        self._bytes(status, json.dumps(told).encode(), "application/json")

    def _bytes(self, status: int, content: bytes, kind: str, headers: Any = None) -> None:
        if self._fault == "lost":
            raise ConnectionResetError
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for key, value in (headers or {}).items():
            if key.lower().startswith("x-"):
                self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)
