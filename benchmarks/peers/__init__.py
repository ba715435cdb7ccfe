"""Other packages' way of doing the same work, as their users would write it."""
