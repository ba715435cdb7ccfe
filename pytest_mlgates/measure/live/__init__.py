"""What serves, now: answers, scores, features, late labels, age, and what a metrics server says of it."""
