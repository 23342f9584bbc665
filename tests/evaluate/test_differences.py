"""Systems less themselves under another protocol, against loops over what was predicted."""

import numpy as np
import pytest

from emonas.evaluate.differences import ProtocolRuns, subtract_protocols
from emonas.evaluate.job import EvaluatedCorpora, evaluate_system
from emonas.evaluate.runs import RunFiles
from emonas.storage.cost import NetworkCost, write_network_cost
from emonas.storage.differences import read_differences
from emonas.storage.metrics import read_metrics
from emonas.storage.predictions import Predictions, read_predictions, write_predictions

CLASSES = ("happy", "sad")
NAMES = [f"s{number}" for number in range(8)]
ROWS = 10
SPOKEN = {("corpus", f"{name}-{row}"): f"corpus:{name}" for name in NAMES for row in range(ROWS)}


def written(folder, fold, seed, names, skill, draw):
    """One fold and seed that tests all utterances of some speakers."""
    heard = [f"{name}-{row}" for name in names for row in range(ROWS)]
    truth = np.array([row % 2 for _ in names for row in range(ROWS)])
    mind = np.random.default_rng([draw, seed, *map(ord, fold)])
    said = np.where(mind.random(len(heard)) < skill, truth, 1 - truth)
    part = Predictions(
        utterances=tuple(heard),
        corpora=("corpus",) * len(heard),
        labels=tuple(CLASSES[label] for label in truth),
        classes=CLASSES,
        logits=np.eye(2, dtype=np.float32)[said],
        embedding=np.zeros((len(heard), 2), dtype=np.float32),
        domains=tuple("en" if row < ROWS // 2 else "de" for _ in names for row in range(ROWS)),
    )
    run = folder / f"seed{seed}" / fold
    write_predictions(run / "predictions.h5", {"test": part})
    write_network_cost(run / "cost.json", NetworkCost(None, 10, 10, [[1, 4]]))
    return RunFiles(fold, seed, run / "predictions.h5", run / "cost.json")


def by_speaker(folder, skill=0.6, names=NAMES, seeds=2, draw=0):
    """A fold a speaker."""
    runs = [written(folder, name, s, [name], skill, draw) for s in range(seeds) for name in names]
    return ProtocolRuns("apart", True, {"rnn": runs})


def at_random(folder, skill=0.8, seeds=2):
    """Three folds that test all speakers each."""
    folds = [f"run{number}" for number in range(3)]
    runs = [written(folder, fold, s, NAMES, skill, 1) for s in range(seeds) for fold in folds]
    return ProtocolRuns("random", False, {"rnn": runs})


def subtracted(tmp_path, first, second, speakers=SPOKEN):
    output = tmp_path / "differences.json"
    subtract_protocols(first, [second], speakers, output)
    found = read_differences(output)
    assert found.of("rnn", "elsewhere") is None
    return found.of("rnn", second.protocol)


def right_by_speaker(tested):
    """The share of right answers, (seeds, folds, speakers); NaN of a speaker who is not tested."""
    found = {}
    for run in tested.runs["rnn"]:
        test = read_predictions(run.predictions, "test")
        right = np.array([t == p for t, p in zip(test.labels, test.predicted, strict=True)])
        own = [name.split("-")[0] for name in test.utterances]
        shares = [
            right[[o == name for o in own]].mean() if name in own else np.nan for name in NAMES
        ]
        found.setdefault(run.seed, []).append(shares)
    return np.array(list(found.values()))


def test_a_difference_is_that_of_the_metrics(tmp_path):
    sides = at_random(tmp_path / "random"), by_speaker(tmp_path / "apart")
    found = subtracted(tmp_path, *sides)
    metrics = []
    for side in sides:
        path = tmp_path / f"{side.protocol}.json"
        runs = side.runs["rnn"]
        evaluate_system(side.protocol, "rnn", runs, EvaluatedCorpora({}), side.pooled, False, path)
        metrics.append(read_metrics(path))
    assert list(found.domains) == ["de", "en"]
    for key in ("ua", "wa"):
        whole = [of.figure(key) for of in metrics]
        english = [getattr(of.domains["en"], key) for of in metrics]
        for between, (one, other) in (
            (getattr(found, key), whole),
            (getattr(found.domains["en"], key), english),
        ):
            assert between.mean == pytest.approx(one.mean - other.mean)
            assert between.folds_mean == pytest.approx(one.folds_mean - other.folds_mean)
            assert between.interval[0] < between.mean < between.interval[1]


def test_its_interval_draws_speakers_and_seeds_for_both_and_folds_of_either(tmp_path):
    """WA, whose mean over equally long speakers is the mean of their shares."""
    sides = at_random(tmp_path / "random"), by_speaker(tmp_path / "apart")
    found = subtracted(tmp_path, *sides)
    random, apart = map(right_by_speaker, sides)
    apart = np.nanmean(apart, axis=1)
    generator = np.random.default_rng(1)
    draws = []
    for _ in range(6000):
        speakers = generator.integers(0, 8, 8)
        seeds, folds = generator.integers(0, 2, 2), generator.integers(0, 3, 3)
        first = random[np.ix_(seeds, folds, speakers)].mean()
        draws.append(first - apart[np.ix_(seeds, speakers)].mean())
    wanted = np.quantile(draws, [0.025, 0.975])
    assert found.wa.interval == pytest.approx(wanted, abs=0.012)
    assert found.wa.folds_interval == pytest.approx(wanted, abs=0.012)


def test_the_same_predictions_under_two_protocols_differ_by_nothing(tmp_path):
    first, second = (by_speaker(tmp_path / name) for name in ("one", "other"))
    found = subtracted(tmp_path, ProtocolRuns("same", True, first.runs), second)
    for scores in (found, *found.domains.values()):
        for between in (scores.ua, scores.wa):
            assert (between.mean, between.interval, between.folds_interval) == (
                0.0,
                (0.0, 0.0),
                (0.0, 0.0),
            )


def test_unknown_or_few_speakers_leave_the_difference_without_an_interval(tmp_path):
    random = at_random(tmp_path / "random")
    few = by_speaker(tmp_path / "few", names=NAMES[:4])
    every = by_speaker(tmp_path / "every")
    known = {key: name for key, name in SPOKEN.items() if name != "corpus:s3"}
    for found in (
        subtracted(tmp_path, random, few),
        subtracted(tmp_path, few, random),
        subtracted(tmp_path, random, every, known),
    ):
        assert found.ua.interval is found.ua.folds_interval is None
        assert abs(found.ua.mean) > 0.1
