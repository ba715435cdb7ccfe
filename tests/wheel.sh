#!/usr/bin/env bash
# The wheel, in an environment and a folder of its own, judges a repository outside the checkout, with and without xdist.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/build"
"$place/build/bin/pip" install -q build
"$place/build/bin/python" -m build --quiet --wheel --outdir "$place/dist" "$here"
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q "$(echo "$place"/dist/*.whl)[golden]" pytest-xdist
cd "$place"
export PATH="$place/venv/bin:$PATH" VIRTUAL_ENV="$place/venv"
mlgates demo --build-only "$place/demo" >/dev/null
cd "$place/demo"
pytest -q --mlgate --mlgate-report "$place/one"
pytest -q --mlgate --mlgate-report "$place/two" -n 2
# Templates, style sheet and schema are in the wheel.
test -s "$place/one/report.html" && test -s "$place/one/summary.md" && test -s "$place/one/results.sarif"
python -c 'from importlib.resources import files; files("pytest_mlgates.report").joinpath("evidence.schema.json").read_text()'
python - "$place/one/evidence.json" "$place/two/evidence.json" <<'PY'
import json, sys
one, two = (json.load(open(path)) for path in sys.argv[1:])
for evidence in (one, two):
    evidence.pop("measured_times")
    evidence["settings"].pop("report")
assert one == two, "the evidence differs between -n 2 and one process"
print("the wheel gives the same evidence with and without -n 2")
PY
pytest -q --mlgate --mlgate-apply
pytest -q --mlgate | grep "nothing to promote"
