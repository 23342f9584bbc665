"""The stage's one job: the test predictions of a system's runs become its metrics."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from emonas.errors import EmonasError
from emonas.evaluate.domains import of_domains
from emonas.evaluate.inflation import inflated_scores
from emonas.evaluate.runs import (
    Run,
    RunFiles,
    Speakers,
    all_labels,
    confusions,
    figures,
    fold_scores,
    read_run,
)
from emonas.evaluate.tasks import of_tasks
from emonas.jobs import report_line
from emonas.storage.cost import NetworkCost, read_network_cost
from emonas.storage.manifest import UNKNOWN_SPEAKER, read_manifest
from emonas.storage.metrics import Metrics, Parameters, Transferred, write_metrics

_NO_EMOTIONS: dict[str, Any] = {"confusion": [], "labels": []}


@dataclass(frozen=True)
class EvaluatedCorpora:
    """The manifests of all tested corpora by name, and those among them that every fold's model
    was tested on besides its own test part.
    """

    manifests: Mapping[str, Path]
    transfer: Sequence[str] = ()

    def speakers(self) -> Speakers:
        """Who speaks each utterance of each corpus, as `corpus:speaker`."""
        found = {}
        for corpus, path in self.manifests.items():
            table = read_manifest(path)
            for utterance, speaker in zip(table["utterance"], table["speaker"], strict=True):
                if speaker not in ("", UNKNOWN_SPEAKER):
                    found[corpus, utterance] = f"{corpus}:{speaker}"
        return found


def evaluate_system(
    protocol: str,
    system: str,
    runs: Sequence[RunFiles],
    corpora: EvaluatedCorpora,
    pooled: bool,
    repeated: bool,
    output: Path,
) -> None:
    """Score a system on the test parts of all its folds and seeds, and write its metrics.

    Args:
        protocol: the protocol's name.
        system: the system's name.
        runs: the files of every fold and seed.
        corpora: who speaks, and the other corpora that every model was tested on.
        pooled: `mean` is that of a seed's pooled test predictions, averaged over the seeds; for
            protocols whose folds can lack a class. Otherwise it is the mean over folds.
        repeated: a fold is a repeated random split, so `std` is over folds, not seeds.
        output: where the metrics are written.

    Raises:
        EmonasError: a run is missing or stands there twice, an utterance would be pooled twice, or
            only some runs have domains.
    """
    _refuse_gaps(system, runs)
    ordered = sorted(runs, key=lambda run: run.seed)
    scored = [read_run(run) for run in ordered]
    if pooled:
        _refuse_double_utterances(system, scored)
    speakers = corpora.speakers()
    emotions = all(run.scores is not None for run in scored)
    transferred = corpora.transfer if emotions else ()
    costs = [read_network_cost(run.cost) for run in runs]
    metrics = Metrics(
        protocol=protocol,
        system=system,
        seeds=len({run.seed for run in runs}),
        pooled=pooled,
        **(_of_emotions(scored, speakers, pooled, repeated) if emotions else _NO_EMOTIONS),
        folds=fold_scores(scored, speakers),
        parameters=_parameters(costs),
        macs=round(fmean(cost.macs for cost in costs)),
        shortened=sum(cost.shortened for cost in costs),
        left_out=sum(cost.left_out for cost in costs),
        tasks=of_tasks(scored, speakers, pooled, repeated),
        transfer={corpus: _transferred(ordered, corpus, speakers) for corpus in transferred},
    )
    write_metrics(output, metrics)
    for line in _told(metrics):
        report_line(line)


def _of_emotions(
    runs: Sequence[Run], speakers: Speakers, pooled: bool, repeated: bool
) -> dict[str, Any]:
    """What of the metrics is about emotion, by key."""
    labels = all_labels(runs)
    return {
        **figures(runs, labels, speakers, pooled, repeated),
        "confusion": confusions(runs, labels),
        "labels": labels,
        "domains": of_domains(runs, speakers, pooled, repeated),
        "inflated": inflated_scores(runs, speakers, pooled),
    }


def _told(metrics: Metrics) -> Iterator[str]:
    """The figures in a line each."""
    scores = {
        f"{metrics.protocol}, {metrics.system}": metrics,
        **{f"of {domain}": within for domain, within in metrics.domains.items()},
        **metrics.tasks,
        **{f"on {corpus}": found for corpus, found in metrics.transfer.items()},
    }
    for what, found in scores.items():
        named = {key: getattr(found, key, None) for key in ("ua", "wa", "wer", "cer")}
        told = [f"{key.upper()} {value.mean:.4f}" for key, value in named.items() if value]
        if told:
            yield f"{what}: {', '.join(told)}"


def _transferred(runs: Sequence[RunFiles], corpus: str, speakers: Speakers) -> Transferred:
    """What the models of all folds and seeds reach on another corpus, on average."""
    scored = [read_run(run, corpus) for run in runs]
    labels = all_labels(scored)
    return Transferred(
        **figures(scored, labels, speakers, pooled=False, repeated=False),
        folds=fold_scores(scored, speakers),
        confusion=confusions(scored, labels),
        labels=labels,
    )


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


def _refuse_double_utterances(system: str, runs: Sequence[Run]) -> None:
    seen: set[tuple[int, str, str]] = set()
    for run in runs:
        for corpus, utterance in run.utterances:
            key = (run.files.seed, corpus, utterance)
            if key in seen:
                raise EmonasError(
                    f"{run.files.predictions}: {utterance} of {corpus} is tested by two folds of "
                    f"{system}, so its folds can't be pooled; make the protocol's folds disjoint"
                )
            seen.add(key)


def _parameters(costs: Sequence[NetworkCost]) -> Parameters:
    """The mean over runs, rounded: a fold's genotype decides how large its derived network is."""
    search = [cost.search for cost in costs if cost.search is not None]
    return Parameters(
        search=round(fmean(search)) if search else None,
        derived=round(fmean(cost.derived for cost in costs)),
    )
