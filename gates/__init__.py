"""The gates `pytest --mlgate` runs. Each file is one gate, named like the file, and reads as its documentation."""
