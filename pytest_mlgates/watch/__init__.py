"""One run of a phase after the other, each a bounded child process, and what a person on call reads of them."""
