"""Whether two systems differ by more than chance: permutation by speaker, and Holm's correction.

If two systems were equally good, it would not matter which of them had answered a speaker's
utterances. So each speaker's predictions, of all seeds and folds together, are swapped or not, and
the difference is held against those of all such swaps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import permutation_test

from emonas.evaluate.counts import Counts, Metric
from emonas.storage.comparisons import SWAPS


@dataclass(frozen=True)
class Tested:
    """How much a figure of one system is above another's, and the two-sided p of that."""

    difference: float
    p: float


def permute_speakers(first: Counts, second: Counts, metric: Metric) -> Tested:
    """Compare the means over groups of a metric, two-sided.

    Args:
        first: one system's confusions, (speakers, groups, classes, classes).
        second: the other's on the same utterances.
        metric: of (..., classes, classes).
    """
    speakers = len(first)
    # What one system gets, and the other loses, with each speaker that is swapped.
    swaps = second - first
    totals = first.sum(axis=0), second.sum(axis=0)

    def difference(rows: npt.NDArray[np.int64], _: object, axis: int = -1) -> Counts:
        swapped = np.moveaxis(rows >= speakers, axis, -1).astype(np.float64)
        moved = np.tensordot(swapped, swaps, axes=1)
        means = [metric(total).mean(axis=-1) for total in (totals[0] + moved, totals[1] - moved)]
        return np.asarray(means[0] - means[1])

    result = permutation_test(
        (np.arange(speakers), np.arange(speakers, 2 * speakers)),
        difference,
        permutation_type="samples",
        vectorized=True,
        n_resamples=SWAPS,
        batch=500,
        rng=np.random.default_rng(0),
    )
    return Tested(float(result.statistic), float(result.pvalue))


def adjust_by_holm(values: Sequence[float]) -> list[float]:
    """The p values of a family of tests, so that all of them together err with the level of one
    (Holm, 1979: the smallest of m is multiplied by m, the next by m - 1, and none is below the one
    before).
    """
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.maximum.accumulate(np.asarray(values)[order] * factors)
    return [float(value) for value in np.minimum(adjusted, 1)]
