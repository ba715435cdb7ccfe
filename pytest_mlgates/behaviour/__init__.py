"""Rows that nobody has seen, and what a model must keep on them. Knows nothing of golden sets, gates and verdicts."""
