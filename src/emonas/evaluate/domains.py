"""What a system reaches on the test utterances of each domain, such as a language."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from emonas.errors import EmonasError, make_again
from emonas.evaluate.runs import Run, Speakers, confusions, figures, fold_scores
from emonas.evaluate.scores import score
from emonas.storage.metrics import OfDomain


def of_domains(
    runs: Sequence[Run], speakers: Speakers, pooled: bool, repeated: bool
) -> dict[str, OfDomain]:
    """Score each domain's test utterances alone; none where the predictions have no domains.

    A run that tests nothing of a domain has no part in that domain's figures.

    Raises:
        EmonasError: some runs have domains, and others none.
    """
    names = sorted(domains_of(runs))
    if names:
        _refuse_runs_without(runs)
    return {
        name: _of_domain(list(within_domain(runs, name)), speakers, pooled, repeated)
        for name in names
    }


def _of_domain(runs: Sequence[Run], speakers: Speakers, pooled: bool, repeated: bool) -> OfDomain:
    labels = sorted({label for run in runs for label in (*run.test.labels, *run.test.predicted)})
    return OfDomain(
        **figures(runs, labels, speakers, pooled, repeated),
        folds=fold_scores(runs, speakers),
        confusion=confusions(runs, labels),
        labels=labels,
        gates=_mean_gates(runs),
    )


def domains_of(runs: Sequence[Run]) -> set[str]:
    """The domains of the test utterances."""
    return {domain for run in runs for domain in run.test.domains}


def within_domain(runs: Sequence[Run], domain: str) -> Iterator[Run]:
    """The runs with the test utterances of a domain alone; without those that test none of it."""
    for run in runs:
        test = run.test
        rows = [row for row, name in enumerate(test.domains) if name == domain]
        if not rows:
            continue
        part = replace(
            test,
            utterances=tuple(test.utterances[row] for row in rows),
            corpora=tuple(test.corpora[row] for row in rows),
            labels=tuple(test.labels[row] for row in rows),
            logits=test.logits[rows],
            embedding=test.embedding[rows],
            domains=(domain,) * len(rows),
            gates=None if test.gates is None else test.gates[rows],
        )
        yield Run(run.files, part, score(part.labels, part.predicted))


def _mean_gates(runs: Sequence[Run]) -> dict[str, float]:
    """The mean weight of each gated feature over the utterances of all runs."""
    weights: dict[str, list[float]] = {}
    for run in runs:
        if run.test.gates is not None:
            for feature, column in zip(run.test.gated, run.test.gates.T, strict=True):
                weights.setdefault(feature, []).extend(column.tolist())
    return {feature: float(np.mean(values)) for feature, values in weights.items()}


def _refuse_runs_without(runs: Sequence[Run]) -> None:
    for run in runs:
        if not run.test.domains:
            path = run.files.predictions
            raise EmonasError(
                f"{path}: names no domain, and other folds or seeds do; {make_again(path)}"
            )
