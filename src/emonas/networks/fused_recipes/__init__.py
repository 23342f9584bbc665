"""A recipe's recurrent cell on a processor: the same numbers as `recipes.py`, the reference.

* Each thread walks through all steps with a part of the batch of its own, in one compiled loop, so
  that threads never wait for each other.
* What frames add to all linear nodes is one product for some steps at once, and so are the
  gradients of all weights.
* What is left of a step is a product for each state or node that linear nodes read, and pointwise
  operations on values that stand side by side in memory, which one interpreter runs for any recipe.
"""
