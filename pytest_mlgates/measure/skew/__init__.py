"""A sample of live rows against what the model was taught on, column by column."""
