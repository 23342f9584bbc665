"""Metrics against loops written from their definitions."""

from dataclasses import replace
from itertools import chain
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.evaluate.job import EvaluatedCorpora, evaluate_system
from emonas.evaluate.runs import RunFiles
from emonas.storage.cost import NetworkCost, write_network_cost
from emonas.storage.inflated import BEST_EPOCH, BEST_SEED, POOLED, SCALED
from emonas.storage.manifest import Utterance, write_manifest
from emonas.storage.metrics import Metrics, read_metrics
from emonas.storage.predictions import Predictions, read_predictions, write_predictions

CLASSES = ("angry", "happy", "neutral", "sad")
FOLDS = ("speaker-a", "speaker-b", "speaker-c")
SEEDS = (0, 1)
True_ = dict[tuple[str, int], list[tuple[str, str]]]


def _write_runs(folder: Path, names: str = "{fold}-{row}") -> tuple[list[RunFiles], True_]:
    """Random predictions; speaker-b utters nothing sad, and the folds differ in size."""
    runs, pairs = [], {}
    for number, fold in enumerate(FOLDS):
        kept = CLASSES[:3] if fold == "speaker-b" else CLASSES
        truth = np.random.default_rng(number).choice(kept, size=17 + 9 * number)
        for seed in SEEDS:
            logits = np.random.default_rng([number, seed]).normal(size=(len(truth), 4))
            part = Predictions(
                utterances=tuple(names.format(fold=fold, row=row) for row in range(len(truth))),
                corpora=("corpus",) * len(truth),
                labels=tuple(truth.tolist()),
                classes=CLASSES,
                logits=logits.astype(np.float32),
                embedding=np.zeros((len(truth), 2), dtype=np.float32),
            )
            run = folder / f"seed {seed}" / fold
            write_predictions(run / "predictions.h5", {"test": part})
            cost = NetworkCost(search=72_000, derived=1000 + number, macs=500, example=[[1, 4]])
            write_network_cost(run / "cost.json", cost)
            runs.append(RunFiles(fold, seed, run / "predictions.h5", run / "cost.json"))
            chosen = [CLASSES[max(range(4), key=list(row).__getitem__)] for row in part.logits]
            pairs[fold, seed] = list(zip(truth.tolist(), chosen, strict=True))
    return runs, pairs


def _ua(pairs: list[tuple[str, str]]) -> float:
    recalls = []
    for label in CLASSES:
        answers = [answer for true, answer in pairs if true == label]
        if answers:
            recalls.append(sum(answer == label for answer in answers) / len(answers))
    return sum(recalls) / len(recalls)


def _wa(pairs: list[tuple[str, str]]) -> float:
    return sum(true == answer for true, answer in pairs) / len(pairs)


def _evaluate(tmp_path: Path, runs: list[RunFiles], pooled: bool, repeated: bool) -> Metrics:
    output = tmp_path / "metrics.json"
    nobody = EvaluatedCorpora({})
    evaluate_system("loso", "rnn", runs, nobody, pooled=pooled, repeated=repeated, output=output)
    return read_metrics(output)


@pytest.mark.parametrize("metric", ["ua", "wa"])
def test_pooled_figures_are_those_of_a_seeds_pooled_predictions(tmp_path, metric):
    runs, pairs = _write_runs(tmp_path)
    by_hand = {"ua": _ua, "wa": _wa}[metric]
    seeds = [by_hand([pair for fold in FOLDS for pair in pairs[fold, seed]]) for seed in SEEDS]
    folds = [mean(by_hand(pairs[fold, seed]) for seed in SEEDS) for fold in FOLDS]
    figure = getattr(_evaluate(tmp_path, runs, pooled=True, repeated=False), metric)
    assert figure.mean == pytest.approx(mean(seeds))
    assert figure.std == pytest.approx(stdev(seeds))
    assert figure.folds_mean == pytest.approx(mean(folds))
    assert figure.folds_std == pytest.approx(stdev(folds))
    assert figure.mean != pytest.approx(figure.folds_mean, abs=1e-4)


@pytest.mark.parametrize("repeated", [False, True])
def test_figures_over_folds_and_their_deviation(tmp_path, repeated):
    runs, pairs = _write_runs(tmp_path)
    figure = _evaluate(tmp_path, runs, pooled=False, repeated=repeated).ua
    seeds = [mean(_ua(pairs[fold, seed]) for fold in FOLDS) for seed in SEEDS]
    folds = [mean(_ua(pairs[fold, seed]) for seed in SEEDS) for fold in FOLDS]
    assert figure.mean == pytest.approx(mean(seeds))
    assert figure.std == pytest.approx(stdev(folds if repeated else seeds))


def test_every_fold_and_seed_stands_there_with_its_own_classes(tmp_path):
    runs, pairs = _write_runs(tmp_path)
    metrics = _evaluate(tmp_path, runs, pooled=True, repeated=False)
    assert {(score.fold, score.seed) for score in metrics.folds} == set(pairs)
    for score in metrics.folds:
        own = pairs[score.fold, score.seed]
        assert score.ua == pytest.approx(_ua(own))
        assert score.wa == pytest.approx(_wa(own))
        assert score.utterances == len(own)
        assert score.classes == (3 if score.fold == "speaker-b" else 4)


def test_confusion_counts_true_by_predicted_over_all_runs(tmp_path):
    runs, pairs = _write_runs(tmp_path)
    metrics = _evaluate(tmp_path, runs, pooled=True, repeated=False)
    every = [pair for run in pairs.values() for pair in run]
    assert metrics.labels == list(CLASSES)
    for row, true in enumerate(CLASSES):
        for column, answer in enumerate(CLASSES):
            assert metrics.confusion[row][column] == every.count((true, answer))


def test_parameters_are_the_mean_over_the_folds_networks(tmp_path):
    runs, _ = _write_runs(tmp_path)
    metrics = _evaluate(tmp_path, runs, pooled=False, repeated=False)
    assert metrics.parameters.derived == 1001
    assert metrics.parameters.search == 72_000
    assert metrics.macs == 500


def test_one_seed_has_no_deviation(tmp_path):
    runs, _ = _write_runs(tmp_path)
    metrics = _evaluate(tmp_path, [run for run in runs if run.seed == 0], True, False)
    assert metrics.seeds == 1
    assert metrics.ua.std == 0


def test_a_missing_or_double_run_is_an_error(tmp_path):
    runs, _ = _write_runs(tmp_path)
    with pytest.raises(EmonasError, match="speaker-a with seed 0 is missing"):
        _evaluate(tmp_path, runs[1:], True, False)
    with pytest.raises(EmonasError, match="twice"):
        _evaluate(tmp_path, [*runs, runs[0]], True, False)
    with pytest.raises(EmonasError, match="no run"):
        _evaluate(tmp_path, [], True, False)


def test_an_utterance_of_two_folds_cannot_be_pooled_but_a_repeated_split_may_have_it(tmp_path):
    runs, _ = _write_runs(tmp_path, names="utterance-{row}")
    with pytest.raises(EmonasError, match="tested by two folds"):
        _evaluate(tmp_path, runs, pooled=True, repeated=False)
    assert _evaluate(tmp_path, runs, pooled=False, repeated=True).seeds == 2


def test_the_order_of_the_runs_changes_no_figure(tmp_path):
    runs, _ = _write_runs(tmp_path)
    forward = _evaluate(tmp_path, runs, True, False)
    backward = _evaluate(tmp_path, runs[::-1], True, False)
    assert backward.ua == forward.ua
    assert backward.confusion == forward.confusion


@pytest.mark.parametrize("pooled", [True, False])
def test_habits_that_inflate_are_scored_beside(tmp_path, pooled):
    """As loops over seeds and folds, for each metric."""
    runs, pairs = _write_runs(tmp_path)
    again, others = _write_runs(tmp_path / "again", "again {fold}-{row}")
    for run, other in zip(runs, again, strict=True):
        test = read_predictions(other.predictions, "test")
        habits = {BEST_EPOCH: test, SCALED: replace(test, logits=test.logits[::-1])}
        write_predictions(run.predictions.with_name("inflated.h5"), habits)
    runs = [replace(run, inflated=run.predictions.with_name("inflated.h5")) for run in runs]
    metrics = _evaluate(tmp_path, runs, pooled=pooled, repeated=False)

    def by_seed(found, scored, together):
        """The score of each seed."""
        if together:
            return [scored([*chain(*(found[f, seed] for f in FOLDS))]) for seed in SEEDS]
        return [mean(scored(found[fold, seed]) for fold in FOLDS) for seed in SEEDS]

    def answers(run):
        test = read_predictions(run.inflated, SCALED)
        return list(zip(test.labels, test.predicted, strict=True))

    reversed_ = {(run.fold, run.seed): answers(run) for run in runs}
    best = max(range(2), key=lambda seed: by_seed(pairs, _ua, pooled)[seed])
    for key, scored in (("ua", _ua), ("wa", _wa)):
        honest = mean(by_seed(pairs, scored, pooled))
        wanted = {
            BEST_SEED: (by_seed(pairs, scored, pooled)[best], honest),
            POOLED: (mean(by_seed(pairs, scored, True)), mean(by_seed(pairs, scored, False))),
            BEST_EPOCH: (mean(by_seed(others, scored, pooled)), honest),
            SCALED: (mean(by_seed(reversed_, scored, pooled)), honest),
        }
        for habit, (reached, without) in wanted.items():
            found = metrics.inflated[habit]
            assert getattr(found, key) == pytest.approx(reached), (habit, key)
            assert getattr(found, f"honest_{key}") == pytest.approx(without), (habit, key)
        assert honest == pytest.approx(getattr(metrics, key).mean)
    assert list(metrics.inflated) == list(wanted)


def test_a_habit_that_no_file_tells_has_no_score(tmp_path):
    runs, _ = _write_runs(tmp_path)
    one = [run for run in runs if run.seed == 0]
    metrics = _evaluate(tmp_path, one, pooled=True, repeated=False)
    assert list(metrics.inflated) == [POOLED]


@pytest.fixture
def spoken(tmp_path: Path) -> tuple[list[RunFiles], dict[str, Path]]:
    """Seven speakers: six of one fold, one of the other two, and who says what."""
    runs, _ = _write_runs(tmp_path)
    none = dict.fromkeys(("audio", "language", "gender", "session", "style", "text", "digest"), "")
    rows = []
    for run in (run for run in runs if run.seed == 0):
        for number, name in enumerate(read_predictions(run.predictions, "test").utterances):
            speaker = f"s{number % 6}" if run.fold == "speaker-c" else "alone"
            told = {"corpus": "corpus", "emotion": "sad", "seconds": 1.0, "sampling_rate": 16000}
            rows.append(Utterance(utterance=name, speaker=speaker, **told, **none))
    path = tmp_path / "manifest.csv"
    write_manifest(path, rows)
    return runs, {"corpus": path}


def test_a_fold_has_an_interval_over_its_own_speakers_where_they_are_five(spoken, tmp_path):
    runs, manifests = spoken
    output = tmp_path / "metrics.json"
    evaluate_system("p", "rnn", runs, EvaluatedCorpora(manifests), False, False, output)
    metrics = read_metrics(output)
    generator = np.random.default_rng(1)
    for score in metrics.folds:
        if score.fold != "speaker-c":
            assert (score.speakers, score.ua_interval, score.wa_interval) == (1, None, None)
            continue
        (run,) = (run for run in runs if (run.fold, run.seed) == (score.fold, score.seed))
        test = read_predictions(run.predictions, "test")
        pairs = list(zip(test.labels, test.predicted, strict=True))
        draws = []
        for _ in range(4000):
            drawn = generator.integers(0, 6, 6)
            chosen = [pair for speaker in drawn for pair in pairs[speaker::6]]
            draws.append((_ua(chosen), _wa(chosen)))
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        assert score.speakers == 6
        assert score.ua_interval == pytest.approx((low[0], high[0]), abs=0.02)
        assert score.wa_interval == pytest.approx((low[1], high[1]), abs=0.02)


def test_the_mean_over_folds_has_an_interval_of_its_own_where_folds_are_pooled(spoken, tmp_path):
    runs, manifests = spoken
    output = tmp_path / "metrics.json"
    found = {}
    for pooled in (True, False):
        evaluate_system("p", "rnn", runs, EvaluatedCorpora(manifests), pooled, False, output)
        found[pooled] = read_metrics(output)
    assert found[False].ua.folds_interval == found[False].ua.interval
    assert found[True].ua.folds_interval == found[False].ua.interval
    assert found[True].ua.interval != found[True].ua.folds_interval
    # Between the sides of a habit that changes nothing there is nothing.
    pooling = found[True].inflated[POOLED]
    low, high = pooling.ua_interval
    assert low < pooling.ua - pooling.honest_ua < high
    unknown = _evaluate(tmp_path, runs, pooled=True, repeated=False)
    assert unknown.ua.folds_interval is None
    assert unknown.inflated[POOLED].ua_interval is None
    assert {score.speakers for score in unknown.folds} == {None}


def test_training_again_that_changes_no_answer_adds_nothing(spoken, tmp_path):
    runs, manifests = spoken
    again = []
    for run in runs:
        test = read_predictions(run.predictions, "test")
        path = run.predictions.with_name("inflated.h5")
        write_predictions(path, {BEST_EPOCH: test})
        again.append(replace(run, inflated=path))
    output = tmp_path / "metrics.json"
    evaluate_system("p", "rnn", again, EvaluatedCorpora(manifests), True, False, output)
    habit = read_metrics(output).inflated[BEST_EPOCH]
    assert (habit.ua_interval, habit.wa_interval) == ((0.0, 0.0), (0.0, 0.0))
