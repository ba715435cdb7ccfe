"""What a repository and its registry say of themselves, read for `mlgates init`. Nothing here writes."""
