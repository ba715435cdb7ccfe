"""The process behind an endpoint of our own: MLflow's scoring server for one model, on a socket that was handed down.

    python serving_child.py SOCKET FILES PLAN

It is the application that `mlflow models serve` runs, without the command around it: one process less to measure, and
a port that is ours before anything starts, so that nobody else can take it meanwhile. The model may do here what it may
do where it is scored: `PLAN` is JSON, as `isolation.confine` takes it. The socket is open, so it needs no other.
"""

from __future__ import annotations

import json
import socket
import sys


def main(handed: int, files: str, plan: str) -> None:
    from pytest_mlgates.adapters.scoring import isolation, scoring_child

    port, told = socket.socket(fileno=handed), json.loads(plan)
    scoring_child.confined(isolation, {**told, "read": [*isolation.packages(), files]})
    import uvicorn
    from mlflow.pyfunc import load_model, scoring_server

    application = scoring_server.init(load_model(files))
    config = uvicorn.Config(application, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[port])


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
