"""A pytest session with gates: what is pinned, judged, decided, done and said. Each module is one step of it."""
