"""Champion against challenger on parts of the golden set, declared and found, as one family."""
