"""`mlgates probe URL`: does it answer the golden record right? One line and an exit code, for Kubernetes and people."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "ask an endpoint about the golden record: exit 0 when it answers right, 1 when it does not"
RECORD = "golden.record.json"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="base of the endpoint, e.g. http://localhost:8080")
    parser.add_argument("--record", metavar="FILE", default=RECORD, help=f"default: {RECORD}")
    parser.add_argument(
        "--wire", metavar="SPEC", help='another protocol than the record\'s: mlflow, kserve {"model": ..}'
    )
    parser.add_argument("--tolerance", type=float, metavar="SHARE", help="default: the record's, 0.0001")
    parser.add_argument("--output", choices=["auto", "scores", "labels"], default="auto", help="what it must answer")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="S", help="seconds for the answer (default 5)")
    parser.add_argument("--wait", type=float, default=0.0, metavar="S", help="wait so long for one that is starting")
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME=VALUE", help='"Authorization=Bearer env:TOKEN"'
    )
    parser.add_argument("--ca", default="", metavar="FILE", help="certificates of the authorities to trust, PEM")
    parser.add_argument("--insecure", action="store_true", help="do not verify the certificate")


def run(given: argparse.Namespace) -> int:
    from pytest_mlgates.errors import CouldNotEvaluate
    from pytest_mlgates.golden_record import read_record

    record = read_record(Path(given.record))
    try:
        kind, worst = _worst_deviation(given, record)
    except CouldNotEvaluate as problem:
        print(f"NOT READY: {problem}")
        return 1
    tolerance = record.tolerance if given.tolerance is None else given.tolerance
    said = f"{given.url}: {kind} of {record.model}, {len(record.rows)} golden rows, largest deviation {worst:.2g}"
    right = worst <= tolerance
    print(f"{'READY' if right else 'NOT READY'}: {said} (tolerance {tolerance:g})")
    return 0 if right else 1


def _worst_deviation(given: argparse.Namespace, record: object) -> tuple[str, float]:
    import os
    from urllib.parse import urlsplit

    from pytest_mlgates.adapters.serving.http_endpoint import HttpEndpoint, secret_headers
    from pytest_mlgates.errors import UsageError
    from pytest_mlgates.golden_record import GoldenRecord
    from pytest_mlgates.wires.likeness import closest, declared

    assert isinstance(record, GoldenRecord)
    if urlsplit(given.url).scheme not in ("http", "https") or not urlsplit(given.url).hostname:
        raise UsageError(f"{given.url!r} is no URL: write http://host:port")
    told = [header.partition("=") for header in given.header]
    if not all(value for _, _, value in told):
        raise UsageError('write --header "NAME=VALUE", with secrets as env:NAME')
    headers = secret_headers({name: value for name, _, value in told}, os.environ)
    endpoint = HttpEndpoint(
        "endpoint",
        given.url,
        given.wire or record.wire,
        headers=headers,
        timeout=given.timeout,
        verify_tls=not given.insecure,
        ca=given.ca,
    )
    found = endpoint.until_answering_plain(record.columns, record.rows, given.wait)
    kind, deviations = closest(found, declared(record.kinds, given.output, record.model), endpoint.name)
    return kind, max(deviations)
