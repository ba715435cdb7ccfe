"""What stops the demo from being built."""

from __future__ import annotations

from pytest_mlgates.errors import MlgatesError


class DemoError(MlgatesError):
    """The demo cannot be built; the text says what was found and what to do. The command line exits 2."""
