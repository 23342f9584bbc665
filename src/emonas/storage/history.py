"""Names of columns of `history.csv` that the report looks for."""

CONTRASTIVE = "contrastive_share"
"""The share of batches in which the contrastive loss acted."""
AGAIN = "#"
"""Between the name of a candidate and how often it has been trained from other initial weights."""
COSINE = "cosine_"
"""What columns begin with that hold the cosine of two tasks' gradients; the tasks follow."""
