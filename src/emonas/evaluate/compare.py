"""The job that compares every two systems of a protocol on the same test utterances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from emonas.evaluate.counts import Counts, Metric, Spoken, speaker_counts, ua_of, wa_of
from emonas.evaluate.intervals import Interval, Intervals, draw, intervals_of
from emonas.evaluate.permutation import Tested, adjust_by_holm, permute_speakers
from emonas.evaluate.resampling import Mean
from emonas.evaluate.runs import Run, RunFiles, Speakers, all_labels, by_seed, read_run, spoken
from emonas.jobs import report_line
from emonas.storage.comparisons import Comparisons, Difference, Pair, write_comparisons

_METRICS: dict[str, Metric] = {"ua": ua_of, "wa": wa_of}
_Tests = dict[tuple[str, str], Tested]


@dataclass(frozen=True)
class _System:
    """What was heard in each fold, and the confusions of its answers, averaged over the seeds:
    (speakers, groups, classes, classes). The mean over seeds of UA and WA is that of such averages,
    because every seed hears the same utterances.
    """

    heard: Mapping[str, frozenset[tuple[str, str]]]
    counts: Counts


def compare_systems(
    protocol: str,
    runs: Mapping[str, Sequence[RunFiles]],
    speakers: Speakers,
    pooled: bool,
    output: Path,
) -> None:
    """Compare every two systems, and write what was found.

    Args:
        protocol: the protocol's name.
        runs: the files of every fold and seed, by system.
        speakers: who speaks, by corpus and utterance.
        pooled: a figure is that of the pooled test predictions, and else the mean over folds.
        output: where the comparisons are written.

    Raises:
        EmonasError: a file of predictions is damaged.
    """
    read = {name: [read_run(files) for files in found] for name, found in runs.items()}
    left_out = {name: why for name, found in read.items() if (why := _why_not(found, speakers))}
    chosen = {name: found for name, found in read.items() if name not in left_out}
    names = sorted(
        {speakers[key] for found in chosen.values() for run in found for key in run.utterances}
    )
    labels = all_labels(run for found in chosen.values() for run in found)
    systems = {
        name: _system(found, speakers, names, labels, pooled) for name, found in chosen.items()
    }
    heard = next(iter(systems.values())).heard if systems else {}
    for name, system in systems.items():
        if system.heard != heard:
            left_out[name] = "its test utterances are others"
    compared = {name: systems[name].counts for name in systems if name not in left_out}
    tested = {metric: _test(compared, of) for metric, of in _METRICS.items()}
    means = {name: Mean(spoken(chosen[name], speakers), pooled) for name in compared}
    pairs = _pairs(tested, _intervals(means, labels), len(names))
    write_comparisons(output, Comparisons(protocol=protocol, pairs=pairs, left_out=left_out))
    report_line(
        f"{len(pairs)} pairs of systems, {sum(pair.ua.holds for pair in pairs)} differ in UA"
    )


def _why_not(runs: Sequence[Run], speakers: Speakers) -> str:
    """Why a system can't be compared; empty where it can."""
    if any(run.scores is None for run in runs):
        return "it does not learn emotion"
    if any(key not in speakers for run in runs for key in run.utterances):
        return "who speaks is not known of every test utterance"
    return ""


def _system(
    runs: Sequence[Run],
    speakers: Speakers,
    names: Sequence[str],
    labels: Sequence[str],
    pooled: bool,
) -> _System:
    seeds = by_seed(runs).values()
    counts = [_counts(seed, speakers, names, labels) for seed in seeds]
    every = np.mean(counts, axis=0)
    heard = {run.files.fold: frozenset(run.utterances) for run in runs}
    return _System(heard, every.sum(axis=1, keepdims=True) if pooled else every)


def _counts(
    runs: Sequence[Run], speakers: Speakers, names: Sequence[str], labels: Sequence[str]
) -> Counts:
    """The confusions of one seed, a group a fold."""
    folds = sorted(runs, key=lambda run: run.files.fold)
    return speaker_counts(names, spoken(folds, speakers), labels)


def _test(systems: Mapping[str, Counts], metric: Metric) -> _Tests:
    """Each pair, in the order of the systems."""
    return {
        (first, second): permute_speakers(systems[first], systems[second], metric)
        for first, second in combinations(systems, 2)
    }


def _intervals(
    means: Mapping[str, Mean[Spoken]], labels: Sequence[str]
) -> dict[tuple[str, str], Intervals]:
    """Of the difference of each pair, all under the same draws; none where nobody can be drawn."""
    drawn = draw(list(means.values()), labels) if means else None
    if drawn is None:
        return {}
    scores = dict(zip(means, drawn, strict=True))
    return {
        (first, second): intervals_of(scores[first] - scores[second])
        for first, second in combinations(means, 2)
    }


def _pairs(
    tested: Mapping[str, _Tests],
    intervals: Mapping[tuple[str, str], Intervals],
    speakers: int,
) -> list[Pair]:
    figures = {
        metric: _differences(
            tests, {pair: getattr(found, metric) for pair, found in intervals.items()}
        )
        for metric, tests in tested.items()
    }
    return [
        Pair(
            first=first,
            second=second,
            ua=figures["ua"][first, second],
            wa=figures["wa"][first, second],
            speakers=speakers,
        )
        for first, second in tested["ua"]
    ]


def _differences(
    tests: _Tests, intervals: Mapping[tuple[str, str], Interval]
) -> dict[tuple[str, str], Difference]:
    adjusted = adjust_by_holm([test.p for test in tests.values()])
    return {
        pair: Difference(
            difference=test.difference,
            p=test.p,
            adjusted=value,
            interval=intervals.get(pair),
        )
        for (pair, test), value in zip(tests.items(), adjusted, strict=True)
    }
