"""One training loop for every network of every stage."""
