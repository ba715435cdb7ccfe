"""What runs in a pod: MLflow's own scoring server, whose answers say which run they come from (X-Model-Run-Id).

    MODEL_URI=models:/NAME/3 RUN_ID=... HOST=127.0.0.1 PORT=8080 python -m pytest_mlgates.adapters.local.mlflow_pod

The same program serves in the local cluster and in a container of one's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

HEADER = "X-Model-Run-Id"


def application(model_uri: str, run_id: str) -> Any:
    """MLflow's application for the model, with the header on every answer."""
    from fastapi import Request, Response
    from mlflow.pyfunc import load_model, scoring_server

    app = scoring_server.init(load_model(model_uri))

    @app.middleware("http")  # type: ignore[untyped-decorator]
    async def says_who(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        answer = await call_next(request)
        answer.headers[HEADER] = run_id
        return answer

    return app


def main() -> int:
    import uvicorn

    told = {name: os.environ.get(name, "") for name in ("MODEL_URI", "RUN_ID")}
    missing = [name for name, value in told.items() if not value]
    if missing:
        print(f"{missing[0]} is not set: it says which model to serve", file=sys.stderr)
        return 2
    app = application(told["MODEL_URI"], told["RUN_ID"])
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080"))
    uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=10)
    return 0


if __name__ == "__main__":
    sys.exit(main())
