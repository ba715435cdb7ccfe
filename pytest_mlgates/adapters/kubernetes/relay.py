"""A door on loopback to the pods behind an API server: what `kubectl proxy` is, for one workload only.

Load and questions are plain HTTP; who we are is added here, so that no credential leaves this process.
"""

from __future__ import annotations

import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from urllib3.exceptions import ProtocolError

from pytest_mlgates.adapters.kubernetes.api import Api

_KEPT = {"accept", "content-type", "traceparent", "tracestate"}
_HOP = {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding", "date", "server"}
_TIMEOUT = 30.0


class Relay:
    """Passes `/TOKEN/service/...` and `/TOKEN/pod/NAME/...` on to the proxies of the API server, nothing else."""

    def __init__(self, api: Api, namespace: str, service: str, service_port: int, port: int) -> None:
        token = secrets.token_urlsafe(16)
        base = f"{api.host}/api/v1/namespaces/{namespace}"
        prefixes = {
            f"/{token}/service/": f"{base}/services/{service}:{service_port}/proxy/",
            f"/{token}/pod/": f"{base}/pods/",
        }
        pool = api.transport.rest_client.pool_manager

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                known = next((one for one in prefixes if self.path.startswith(one)), None)
                if known is None:
                    self._tell(404, {}, b"not here")
                    return
                rest = self.path.removeprefix(known)
                if known.endswith("/pod/"):
                    name, _, path = rest.partition("/")
                    rest = f"{name}:{port}/proxy/{path}"
                headers = {name: value for name, value in self.headers.items() if name.lower() in _KEPT}
                trouble: Exception | None = None
                for _ in range(2):
                    try:
                        answer = pool.request(
                            self.command,
                            prefixes[known] + rest,
                            body=body or None,
                            headers=headers | api.auth(),
                            timeout=_TIMEOUT,
                            retries=False,
                            redirect=False,
                        )
                        self._tell(answer.status, answer.headers, answer.data)
                        return
                    except BrokenPipeError:
                        return  # whoever asked has gone
                    except Exception as problem:  # noqa: BLE001 - whatever went wrong on the way is the answer
                        trouble = problem
                    # An idle connection may be closed just when it is used again; a pod's trouble comes as a status.
                    if not isinstance(trouble, ProtocolError):
                        break
                self._tell(502, {}, f"the API server did not answer: {trouble}".encode())

            do_GET = do_POST = _any

            def _tell(self, status: int, headers: Any, content: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                return None

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                return None  # whoever asked has gone

        self._server = Quiet(("127.0.0.1", 0), Door)
        self._base = f"http://127.0.0.1:{self._server.server_port}/{token}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def service(self) -> str:
        return f"{self._base}/service"

    def pod(self, name: str) -> str:
        return f"{self._base}/pod/{name}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
