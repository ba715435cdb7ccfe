"""A pod that is up in a tenth of a second: the standard library only, so that `python -c` can run it anywhere.

MODEL_URI says what it does: `models:/tiny/N` answers the sum of each row plus N; `models:/tiny/N?KEY` misbehaves:
`crash` ends at once, `silent` is never ready, `lies` answers another version's values, `nameless` leaves out its run,
`mute` writes no log, `json` writes JSON.
On SIGTERM it goes on answering for TINY_LINGER seconds, as a pod does until its address is gone everywhere.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NUMBER, _, TRICK = os.environ["MODEL_URI"].rpartition("/")[2].partition("?")


#: Version -> the coefficients of a linear model that says 1 above 0: answers as a registry's own versions would.
LINEAR = json.loads(os.environ.get("TINY_LINEAR", "{}"))


def predicted(row):
    number = str(int(NUMBER) + 1) if TRICK == "lies" else NUMBER
    if LINEAR:
        return int(sum(c * x for c, x in zip(LINEAR[number], row, strict=True)) > 0)
    return int(number) + sum(row)


class Pod(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer(503 if TRICK == "silent" else 200, b"\n")

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = [[float(value) for value in row] for row in asked["dataframe_split"]["data"]]
        self.answer(200, json.dumps({"predictions": [predicted(row) for row in rows]}).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if TRICK != "nameless":
            self.send_header("X-Model-Run-Id", os.environ["RUN_ID"])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def main():
    if TRICK == "crash":
        sys.exit("this model cannot be loaded")
    host = os.environ.get("HOST") or os.environ.get("POD_IP") or "0.0.0.0"
    server = Server((host, int(os.environ.get("PORT", "8080"))), Pod)

    def stop(*_):
        linger = float(os.environ.get("TINY_LINGER", "0"))
        threading.Thread(target=lambda: (time.sleep(linger), server.shutdown())).start()

    signal.signal(signal.SIGTERM, stop)
    time.sleep(float(os.environ.get("TINY_START", "0")))
    said = {"mute": "", "json": '{"level": "info"}\n'}.get(TRICK, f"serving {os.environ['MODEL_URI']}\n")
    print(said, end="", flush=True)
    server.serve_forever(poll_interval=0.05)


main()
