"""The tiny pod, answering as the linear models of tests/plugin/build_template.py do."""

import json
import os
import runpy
import sys
from pathlib import Path

LINEAR = {"1": [1.0, 0.6, 0.0, 0.0], "2": [1.0, 1.0, 1.0, 0.0], "3": [1.0, 0.2, -0.6, 0.0]}
number = os.environ["MODEL_URI"].rpartition("/")[2]
tricks = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
os.environ["TINY_LINEAR"] = json.dumps(LINEAR)
os.environ["MODEL_URI"] += tricks.get(number, "")
runpy.run_path(str(Path(__file__).with_name("tiny_pod.py")))
