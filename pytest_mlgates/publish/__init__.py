"""The evidence for readers: files beside it, the model card, and what is kept with the run of a version."""
