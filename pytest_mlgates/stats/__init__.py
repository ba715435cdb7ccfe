"""Statistics behind the gates: pure functions on numpy arrays; nothing here knows of pytest or verdicts."""
