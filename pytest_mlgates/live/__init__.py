"""Is what serves bad, for how long, and whose fault is it? Pure: figures and times in, readings out.

The same functions judge a live service (`measure/live/`) and simulated incidents (`benchmarks/incidents.py`).
"""
