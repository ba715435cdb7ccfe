"""The baseline: what the columns of the training data were like, kept with the model, without a single row of them."""
