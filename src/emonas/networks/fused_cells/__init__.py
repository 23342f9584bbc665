"""The search network's cells on a processor: the same numbers, in less time and memory.

`search_cells.py` is what they compute, one operation after the other, and the reference. Here

* all edges out of one state take its rectified image together,
* depthwise convolutions run as compiled loops, over all rows of a plane in one go,
* batch norm is folded into the pointwise convolution before it: mean and variance of a linear map
  follow from the mean and the covariance of what it maps, so the normalised images never exist,
* an edge's alphas go into the same matrices, and a node is one sum of products.
"""
