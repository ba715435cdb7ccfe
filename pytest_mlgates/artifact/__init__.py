"""What a model version's files would do when loaded, found out without loading them.

Formats are told by their bytes. Pickles are followed opcode by opcode and every name they import is held against an
allow-list for the model's flavour; skops' schemas, MLmodel, YAML and JSON are read for the names they ask for; archives
are opened member by member. Whatever is unknown, damaged or ambiguous is refused.
"""

from __future__ import annotations

from pytest_mlgates.artifact.folder import Scan, scan
from pytest_mlgates.artifact.problem import Problem

__all__ = ["Problem", "Scan", "scan"]
