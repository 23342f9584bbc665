"""The stage's one job: the test predictions of a system's runs become its metrics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean

from emonas.errors import EmonasError
from emonas.evaluate.scores import Scores, confusion, score, spread
from emonas.jobs import report_line
from emonas.storage.cost import NetworkCost, read_network_cost
from emonas.storage.metrics import Figure, FoldScore, Metrics, Parameters, write_metrics
from emonas.storage.predictions import Predictions, read_predictions


@dataclass(frozen=True)
class RunFiles:
    """The files of one fold and seed of a trained or fused system."""

    fold: str
    seed: int
    predictions: Path
    cost: Path


@dataclass(frozen=True)
class _Run:
    files: RunFiles
    test: Predictions
    scores: Scores


def evaluate_system(
    protocol: str,
    system: str,
    runs: Sequence[RunFiles],
    pooled: bool,
    repeated: bool,
    output: Path,
) -> None:
    """Score a system on the test parts of all its folds and seeds, and write its metrics.

    Args:
        protocol: the protocol's name.
        system: the system's name.
        runs: the files of every fold and seed.
        pooled: `mean` is that of a seed's pooled test predictions, averaged over the seeds; for
            protocols whose folds can lack a class. Otherwise it is the mean over folds.
        repeated: a fold is a repeated random split, so `std` is over folds, not seeds.
        output: where the metrics are written.

    Raises:
        EmonasError: a run is missing or stands there twice, or an utterance would be pooled twice.
    """
    _refuse_gaps(system, runs)
    scored = [_read(run) for run in sorted(runs, key=lambda run: run.seed)]
    if pooled:
        _refuse_double_utterances(system, scored)
    labels = _labels(scored)
    costs = [read_network_cost(run.cost) for run in runs]
    metrics = Metrics(
        protocol=protocol,
        system=system,
        seeds=len({run.seed for run in runs}),
        pooled=pooled,
        ua=_figure(scored, "ua", pooled, repeated),
        wa=_figure(scored, "wa", pooled, repeated),
        folds=[_fold_score(run) for run in scored],
        confusion=confusion(*_together(scored), labels).tolist(),
        labels=labels,
        parameters=_parameters(costs),
        macs=round(fmean(cost.macs for cost in costs)),
    )
    write_metrics(output, metrics)
    report_line(f"{protocol}, {system}: UA {metrics.ua.mean:.4f}, WA {metrics.wa.mean:.4f}")


def _refuse_gaps(system: str, runs: Sequence[RunFiles]) -> None:
    if not runs:
        raise EmonasError(f"systems.{system}: there is no run to evaluate; give it folds and seeds")
    keys = [(run.fold, run.seed) for run in runs]
    wanted = {
        (fold, seed) for fold in {key[0] for key in keys} for seed in {key[1] for key in keys}
    }
    if len(keys) != len(set(keys)):
        raise EmonasError(f"systems.{system}: a fold and seed stands there twice; give each once")
    if missing := sorted(wanted - set(keys)):
        fold, seed = missing[0]
        raise EmonasError(
            f"systems.{system}: fold {fold} with seed {seed} is missing; run every fold with "
            "every seed"
        )


def _read(files: RunFiles) -> _Run:
    test = read_predictions(files.predictions, "test")
    if not test.labels:
        raise EmonasError(f"{files.predictions}: the test part is empty; check the protocol")
    return _Run(files, test, score(test.labels, test.predicted))


def _refuse_double_utterances(system: str, runs: Sequence[_Run]) -> None:
    seen: set[tuple[int, str, str]] = set()
    for run in runs:
        for corpus, utterance in zip(run.test.corpora, run.test.utterances, strict=True):
            key = (run.files.seed, corpus, utterance)
            if key in seen:
                raise EmonasError(
                    f"{run.files.predictions}: {utterance} of {corpus} is tested by two folds of "
                    f"{system}, so its folds can't be pooled; make the protocol's folds disjoint"
                )
            seen.add(key)


def _labels(runs: Sequence[_Run]) -> list[str]:
    named = chain.from_iterable((*run.test.classes, *run.test.labels) for run in runs)
    return sorted(set(named))


def _together(runs: Iterable[_Run]) -> tuple[list[str], list[str]]:
    """The true and the predicted labels of several runs, one after another."""
    kept = list(runs)
    true = chain.from_iterable(run.test.labels for run in kept)
    return list(true), list(chain.from_iterable(run.test.predicted for run in kept))


def _figure(runs: Sequence[_Run], metric: str, pooled: bool, repeated: bool) -> Figure:
    by_seed: dict[int, list[_Run]] = {}
    by_fold: dict[str, list[float]] = {}
    for run in runs:
        by_seed.setdefault(run.files.seed, []).append(run)
        by_fold.setdefault(run.files.fold, []).append(getattr(run.scores, metric))
    folds = [fmean(values) for values in by_fold.values()]
    if pooled:
        seeds = [getattr(score(*_together(group)), metric) for group in by_seed.values()]
    else:
        seeds = [fmean(getattr(run.scores, metric) for run in group) for group in by_seed.values()]
    return Figure(
        mean=fmean(seeds),
        std=spread(folds if repeated else seeds),
        folds_mean=fmean(folds),
        folds_std=spread(folds),
    )


def _fold_score(run: _Run) -> FoldScore:
    scores = run.scores
    return FoldScore(
        fold=run.files.fold,
        seed=run.files.seed,
        ua=scores.ua,
        wa=scores.wa,
        utterances=scores.utterances,
        classes=scores.classes,
    )


def _parameters(costs: Sequence[NetworkCost]) -> Parameters:
    """The mean over runs, rounded: a fold's genotype decides how large its derived network is."""
    search = [cost.search for cost in costs if cost.search is not None]
    return Parameters(
        search=round(fmean(search)) if search else None,
        derived=round(fmean(cost.derived for cost in costs)),
    )
