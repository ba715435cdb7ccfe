"""A workload that goes where the alias goes, and drills of the way back."""
