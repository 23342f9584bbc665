"""Mean scores under bootstrap draws of speakers, seeds and folds, several under the same draws."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

from emonas.evaluate.counts import Counts, Metric, Misheard, Spoken

RESAMPLES = 2000
Group = TypeVar("Group", bound=Spoken | Misheard)


@dataclass(frozen=True)
class Chance:
    """What is drawn beside speakers: `seed` or `fold`, and which there are."""

    kind: str
    keys: tuple[Hashable, ...]


_Times = Mapping[Chance, Counts]
"""How often each key of a chance was drawn, (draws, keys)."""


@dataclass(frozen=True)
class Mean(Generic[Group]):
    """The mean over seeds of what a system reaches in `groups`, of one seed and fold each.

    A seed's score is the mean over its folds, or where they are `pooled` that of all of its
    predictions together. With `best`, the seed that scores highest by the first metric stands for
    all: it is chosen anew in every draw, among the seeds drawn.
    """

    groups: Sequence[Group]
    pooled: bool = False
    best: bool = False

    @property
    def chances(self) -> list[Chance]:
        """What is drawn: seeds where there are several, and folds where they share speakers."""
        found = [self._seeds]
        if _share_speakers(self.groups):
            found.append(self._folds)
        return [chance for chance in found if len(chance.keys) > 1]

    def scores(
        self, counts: Counts, speakers: Counts, times: _Times, metrics: Sequence[Metric]
    ) -> Counts:
        """The mean of each metric, (metrics, draws).

        Where none of its speakers was drawn, each of them counts once; so does each fold where the
        drawn ones test nobody who was drawn.

        Args:
            counts: of the groups, (speakers, groups, classes, classes); of error rates (speakers,
                groups, 1, 2).
            speakers: how often each was drawn, (draws, speakers).
            times: the same of seeds and folds.
            metrics: of (..., classes, classes).
        """
        spoke = np.asarray(counts.any(axis=(1, 2, 3)), dtype=np.float64)
        speakers = np.where(speakers @ spoke[:, None] > 0, speakers, spoke)
        heard = speakers @ _shares(counts)
        folds = heard * self._of_groups(times, self._folds, len(speakers))
        folds = np.where(folds.any(axis=-1, keepdims=True), folds, heard)
        drawn = np.tensordot(speakers, counts, axes=1)
        members = _members(self.groups, self._seeds)
        if self.pooled:
            often = np.divide(folds, heard, out=np.zeros_like(folds), where=heard > 0)
            together = np.einsum("dg,sg,dgij->dsij", often, members, drawn, optimize=True)
            seeds = np.stack([metric(together) for metric in metrics])
        else:
            scores = np.stack([metric(drawn) for metric in metrics])
            seeds = (scores * folds) @ members.T / (folds @ members.T)
        weights = times.get(self._seeds, np.ones((len(speakers), len(members))))
        return _best(seeds, weights) if self.best else (seeds * weights).sum(-1) / weights.sum(-1)

    @property
    def _seeds(self) -> Chance:
        return Chance("seed", tuple(dict.fromkeys(group.seed for group in self.groups)))

    @property
    def _folds(self) -> Chance:
        return Chance("fold", tuple(dict.fromkeys(group.fold for group in self.groups)))

    def _of_groups(self, times: _Times, chance: Chance, draws: int) -> Counts:
        """How often each group's key was drawn, (draws, groups); once where it is not drawn."""
        if chance not in times:
            return np.ones((draws, len(self.groups)))
        return np.asarray(times[chance] @ _members(self.groups, chance))


def drawn_scores(
    means: Sequence[Mean[Group]], counts: Sequence[Counts], metrics: Sequence[Metric]
) -> Counts:
    """The means under `RESAMPLES` draws with replacement, (means, metrics, draws).

    All are taken under the same draws: of the speakers of the first axis of their `counts`, and of
    the seeds, and the folds, that are the same for several of them. The draws depend on nothing but
    how many there are of each.
    """
    chances = list(dict.fromkeys(chance for mean in means for chance in mean.chances))
    number = len(counts[0])

    def scores(*indices: npt.NDArray[np.int64], axis: int) -> Counts:
        speakers = _times(indices[0], number, axis)
        rows = zip(chances, indices[1:], strict=True)
        times = {chance: _times(drawn, len(chance.keys), axis) for chance, drawn in rows}
        pairs = zip(means, counts, strict=True)
        return np.stack([mean.scores(own, speakers, times, metrics) for mean, own in pairs])

    result = bootstrap(
        [np.arange(number), *(np.arange(len(chance.keys)) for chance in chances)],
        scores,
        n_resamples=RESAMPLES,
        batch=250,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return np.asarray(result.bootstrap_distribution, dtype=np.float64)


def _shares(counts: Counts) -> Counts:
    """What part of a group's speakers each is, (speakers, groups)."""
    there = (counts.sum(axis=(2, 3)) > 0).astype(np.float64)
    return np.asarray(there / there.sum(axis=0))


def _best(seeds: Counts, weights: Counts) -> Counts:
    """The scores of the drawn seed with the highest first metric, of (metrics, draws, seeds); of
    several such, that with the highest of the others.
    """
    chosen = weights > 0
    found = []
    for scores in seeds:
        found.append(np.where(chosen, scores, -np.inf).max(axis=-1))
        chosen = chosen & (scores == found[-1][:, None])
    return np.stack(found)


def _share_speakers(groups: Sequence[Group]) -> bool:
    """Whether any speaker is tested in several folds."""
    tested = {(speaker, group.fold) for group in groups for speaker in group.speakers}
    return len(tested) > len({speaker for speaker, _ in tested})


def _members(groups: Sequence[Group], chance: Chance) -> Counts:
    """Whether a group is of a key, (keys, groups)."""
    own = [getattr(group, chance.kind) for group in groups]
    return np.array([[key == other for other in own] for key in chance.keys], np.float64)


def _times(indices: npt.NDArray[np.int64], number: int, axis: int) -> Counts:
    """How often each of a number of things was drawn, (..., number)."""
    drawn = [(indices == one).sum(axis=axis) for one in range(number)]
    return np.stack(drawn, axis=-1).astype(np.float64)
