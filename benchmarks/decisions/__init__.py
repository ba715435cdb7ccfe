"""A simulation with known truth that checks the goals of the statistics policy: `python benchmarks/decisions`."""
