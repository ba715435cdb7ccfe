"""Looks at everything a run will need, and says of each what to do. Nothing here judges or changes anything."""
