"""After a run that acted: incidents, people told, the run kept for the exporter, a new model asked for."""
