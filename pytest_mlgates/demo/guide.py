"""What a newcomer can look at and try in a finished demo."""

from __future__ import annotations

import shlex
from pathlib import Path

from pytest_mlgates.demo.place import resolved

TEXT = """\
What to look at:
  .mlgates/report/report.html    the decision and why, for people: open it in a browser
  .mlgates/report/evidence.json  what was measured, on how many rows, with which interval, and the decision
  data/golden.parquet.dvc        the pointer that pins the golden set
  README.md                      what is where, and a gate of your own in ten lines

What to try next:
  cd {root}
  python -c "import mlflow; c = mlflow.MlflowClient('sqlite:///mlflow.db'); \
print(c.get_model_version_by_alias('employment', 'champion').version)"
      which version the alias `champion` names now
  pytest --mlgate
      nothing to promote: the challenger is the champion already
  mlgates history
      who was champion when, why, and on which evidence
  pytest --mlgate --mlgate-challenger 3
      held: version 3 is subtly worse, and the interval proves it
  echo x >> data/golden.parquet
  pytest --mlgate --mlgate-challenger 3
      the golden set is broken, so nothing is judged on it
  dvc checkout --force data/golden.parquet.dvc
      and now it is whole again
  mlgates rollback --reason "trying the way back"
      the version that served before is champion again; `mlgates history` says so
"""
#: What a demo with a cluster adds.
CLUSTER = """\
  pytest --mlgate --mlgate-phase drill
      the way there and back, tried on staging under load, with its timeline; kill it half-way and run it again
  mlgates cluster
      what serves now, and where
  mlgates cluster stop
      ends the pods, which go on serving until then
"""


def next_steps(directory: Path) -> str:
    """What to look at and what to try after the first promotion; one command a line, to paste."""
    return TEXT.format(root=shlex.quote(str(resolved(directory))))
