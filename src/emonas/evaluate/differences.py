"""The job that holds systems under one protocol against themselves under others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emonas.evaluate.counts import Spoken
from emonas.evaluate.domains import domains_of, within_domain
from emonas.evaluate.intervals import draw, intervals_of
from emonas.evaluate.resampling import Mean
from emonas.evaluate.runs import Run, RunFiles, Speakers, all_labels, figure, read_run, spoken
from emonas.jobs import report_line
from emonas.storage.differences import Apart, Between, Differences, Scores, write_differences


@dataclass(frozen=True)
class ProtocolRuns:
    """Systems under a protocol: the files of every fold and seed, by system; `pooled` as of their
    metrics.
    """

    protocol: str
    pooled: bool
    runs: Mapping[str, Sequence[RunFiles]]


@dataclass(frozen=True)
class _Side:
    """One system under a protocol."""

    protocol: str
    pooled: bool
    runs: Sequence[Run]

    def within(self, domain: str) -> "_Side":
        """On the test utterances of a domain alone."""
        return replace(self, runs=list(within_domain(self.runs, domain)))

    def spoken(self, speakers: Speakers) -> list[Spoken]:
        """Folds of two protocols have nothing in common, whatever they are called."""
        found = spoken(self.runs, speakers)
        return [replace(group, fold=f"{self.protocol}/{group.fold}") for group in found]


def subtract_protocols(
    tested: ProtocolRuns, others: Sequence[ProtocolRuns], speakers: Speakers, output: Path
) -> None:
    """Take the figures of systems under other protocols off those under one, and write that.

    The intervals are paired: speakers are drawn jointly, and one who was drawn twice counts twice
    on both sides; one whom a single side tests is drawn too. Seeds are drawn jointly where both
    sides have the same, and folds apart.

    Args:
        tested: the protocol whose figures come first.
        others: those whose figures are taken off, each with systems that are in `tested`.
        speakers: who speaks, by corpus and utterance of all of them.
        output: where the differences are written.

    Raises:
        EmonasError: a file of predictions is damaged.
    """
    found = []
    for other in others:
        for system, files in other.runs.items():
            first = _side(tested, tested.runs[system])
            second = _side(other, files)
            domains = sorted(domains_of(first.runs) & domains_of(second.runs))
            apart = Apart(
                system=system,
                less=other.protocol,
                **_between(first, second, speakers),
                domains={
                    name: Scores(**_between(first.within(name), second.within(name), speakers))
                    for name in domains
                },
            )
            found.append(apart)
            report_line(
                f"{system}: UA {apart.ua.mean:+.4f} under {tested.protocol} against "
                f"{other.protocol}"
            )
    write_differences(output, Differences(protocol=tested.protocol, systems=found))


def _side(tested: ProtocolRuns, files: Sequence[RunFiles]) -> _Side:
    ordered = sorted(files, key=lambda run: run.seed)
    return _Side(tested.protocol, tested.pooled, [read_run(run) for run in ordered])


def _between(first: _Side, second: _Side, speakers: Speakers) -> dict[str, Between]:
    """UA and WA of the first less those of the second."""
    means: list[Mean[Spoken]] = []
    for side in (first, second):
        groups = side.spoken(speakers)
        means += [Mean(groups, side.pooled), Mean(groups)]
    drawn = draw(means, all_labels([*first.runs, *second.runs]))
    own = of_folds = None
    if drawn is not None:
        own, of_folds = intervals_of(drawn[0] - drawn[2]), intervals_of(drawn[1] - drawn[3])
    found = {}
    for metric in ("ua", "wa"):
        one, other = (figure(side.runs, metric, side.pooled) for side in (first, second))
        found[metric] = Between(
            mean=one.mean - other.mean,
            folds_mean=one.folds_mean - other.folds_mean,
            interval=own and getattr(own, metric),
            folds_interval=of_folds and getattr(of_folds, metric),
        )
    return found
