"""Tables of any size, asked for counts: by Arrow on this machine, by DuckDB, Spark or another database through ibis."""
