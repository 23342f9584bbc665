"""What learns: how a kind of system is built, and how files become its batches."""
