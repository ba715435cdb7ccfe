"""Where a version comes from: what its tags say, whether it is true, and how they are written, once."""
