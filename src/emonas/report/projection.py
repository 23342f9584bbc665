"""Embeddings in two dimensions, and a number for how well they keep classes apart."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

Vectors = npt.NDArray[np.float64]
_FEWEST = 5
_PERPLEXITY = 30.0
_SEED = 0


def refusal(vectors: Vectors) -> str:
    """Why vectors (vectors, width) can't be put into two dimensions; empty where they can."""
    count, width = vectors.shape
    if count < _FEWEST:
        return f"too few utterances: {count}, where {_FEWEST} are needed"
    if width < 2:
        return "the embeddings have less than two numbers"
    if not np.isfinite(vectors).all():
        return "the embeddings are not finite"
    return "" if np.ptp(vectors, axis=0).any() else "the embeddings are all the same"


def in_two_dimensions(vectors: Vectors) -> Vectors:
    """t-SNE (van der Maaten and Hinton, 2008) of vectors (vectors, width): (vectors, 2).

    The perplexity is 30, or less where the count asks for it: a vector has three neighbours for
    each of its perplexity.
    """
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    # Sums over threads depend on how many there are.
    with threadpool_limits(1):
        places = TSNE(perplexity=perplexity, init="pca", random_state=_SEED).fit_transform(vectors)
    return np.asarray(places, dtype=np.float64)


def class_silhouette(vectors: Vectors, labels: Sequence[str]) -> float | None:
    """The silhouette score (Rousseeuw, 1987) of classes by cosine distance, over all vectors.

    None where it has no meaning: there is one class, or one vector a class.
    """
    from sklearn.metrics import silhouette_score

    if not 1 < len(set(labels)) < len(vectors):
        return None
    return float(silhouette_score(vectors, list(labels), metric="cosine"))
