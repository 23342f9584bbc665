"""Comparisons of systems on the same utterances."""

import numpy as np
import pytest

from emonas.evaluate.compare import compare_systems
from emonas.evaluate.job import EvaluatedCorpora, evaluate_system
from emonas.evaluate.runs import RunFiles
from emonas.storage.comparisons import read_comparisons
from emonas.storage.cost import NetworkCost, write_network_cost
from emonas.storage.metrics import read_metrics
from emonas.storage.predictions import Predictions, read_predictions, write_predictions

CLASSES = ("angry", "happy", "sad")
SPEAKERS = 8
FOLDS = 4
SPOKEN = {("corpus", f"{s}-{row}"): f"corpus:{s}" for s in range(SPEAKERS) for row in range(12)}


def system(folder, skill, seeds, names=SPOKEN):
    """The runs of a system that answers rightly as often as its skill; each fold has speakers."""
    runs = []
    for fold in range(FOLDS):
        heard = [name for _, name in names if int(name.split("-")[0]) % FOLDS == fold]
        truth = np.random.default_rng(fold).integers(0, 3, size=len(heard))
        for seed in range(seeds):
            mind = np.random.default_rng([fold, seed, int(100 * skill)])
            guesses = mind.integers(0, 3, size=len(heard))
            said = np.where(mind.random(len(heard)) < skill, truth, guesses)
            part = Predictions(
                utterances=tuple(heard),
                corpora=("corpus",) * len(heard),
                labels=tuple(CLASSES[label] for label in truth),
                classes=CLASSES,
                logits=np.eye(3, dtype=np.float32)[said],
                embedding=np.zeros((len(heard), 2), dtype=np.float32),
            )
            run = folder / f"seed{seed}" / f"fold{fold}"
            write_predictions(run / "predictions.h5", {"test": part})
            write_network_cost(run / "cost.json", NetworkCost(None, 10, 10, [[1, 4]]))
            runs.append(RunFiles(f"fold{fold}", seed, run / "predictions.h5", run / "cost.json"))
    return runs


def compare(tmp_path, runs, pooled=True, speakers=SPOKEN):
    output = tmp_path / "comparisons.json"
    compare_systems("loso", runs, speakers, pooled, output)
    return read_comparisons(output)


@pytest.mark.parametrize("pooled", [False, True])
def test_a_difference_is_that_of_the_figures_whatever_the_seeds(tmp_path, pooled):
    runs = {"good": system(tmp_path / "g", 0.9, 3), "poor": system(tmp_path / "p", 0.3, 1)}
    figures = {}
    for name, found in runs.items():
        path = tmp_path / f"{name}.json"
        evaluate_system("loso", name, found, EvaluatedCorpora({}), pooled, False, path)
        figures[name] = read_metrics(path)
    pair = compare(tmp_path, runs, pooled).of("good", "poor")
    for metric in ("ua", "wa"):
        apart = figures["good"].figure(metric).mean - figures["poor"].figure(metric).mean
        assert getattr(pair, metric).difference == pytest.approx(apart)
    assert pair.speakers == SPEAKERS
    assert pair.ua.p == pytest.approx(2 / 2**SPEAKERS)
    assert pair.ua.holds


def test_pairs_are_adjusted_together_and_read_both_ways(tmp_path):
    skills = {"a": 0.9, "b": 0.55, "c": 0.5}
    runs = {name: system(tmp_path / name, skill, 2) for name, skill in skills.items()}
    found = compare(tmp_path, runs)
    values = sorted((pair.ua.p, pair.ua.adjusted) for pair in found.pairs)
    assert len(values) == 3
    assert values[0][1] == pytest.approx(3 * values[0][0])
    assert values[1][1] == pytest.approx(max(values[0][1], 2 * values[1][0]))
    assert not found.of("b", "c").ua.holds
    there, back = found.of("a", "b"), found.of("b", "a")
    assert (back.first, back.ua.difference) == ("b", -there.ua.difference)
    assert back.wa.adjusted == there.wa.adjusted
    assert found.of("a", "z") is None


def test_what_can_not_be_compared_is_said(tmp_path):
    half = dict(list(SPOKEN.items())[:60])
    runs = {"all": system(tmp_path / "a", 0.9, 1), "half": system(tmp_path / "h", 0.9, 1, half)}
    found = compare(tmp_path, runs)
    assert found.pairs == []
    assert found.left_out == {"half": "its test utterances are others"}
    unknown = compare(tmp_path, runs, speakers=half)
    assert "who speaks is not known" in unknown.left_out["all"]
    assert compare(tmp_path, {}).pairs == []


def test_a_difference_has_the_interval_of_speakers_drawn_for_both(tmp_path):
    """WA of folds of two speakers with twelve utterances each, of one seed, against a loop."""
    runs = {"good": system(tmp_path / "g", 0.9, 1), "poor": system(tmp_path / "p", 0.4, 1)}
    right = {
        name: {
            key: answer == truth
            for files in found
            for test in (read_predictions(files.predictions, "test"),)
            for key, truth, answer in zip(test.utterances, test.labels, test.predicted, strict=True)
        }
        for name, found in runs.items()
    }
    ahead = [
        np.mean(
            [right["good"][f"{s}-{row}"] - float(right["poor"][f"{s}-{row}"]) for row in range(12)]
        )
        for s in range(SPEAKERS)
    ]
    generator = np.random.default_rng(1)
    draws = [np.mean(generator.choice(ahead, SPEAKERS)) for _ in range(6000)]
    for pooled in (True, False):
        found = compare(tmp_path, runs, pooled)
        wanted = np.quantile(draws, [0.025, 0.975])
        assert found.of("good", "poor").wa.interval == pytest.approx(wanted, abs=0.012)
        low, high = found.of("good", "poor").ua.interval
        assert found.of("poor", "good").ua.interval == (-high, -low)


def test_of_few_speakers_a_difference_has_no_interval(tmp_path):
    few = {key: name for key, name in SPOKEN.items() if name in [f"corpus:{s}" for s in range(4)]}
    runs = {name: system(tmp_path / name, 0.6, 1, few) for name in ("one", "other")}
    (pair,) = compare(tmp_path, runs).pairs
    assert pair.ua.interval is None
    assert pair.ua.difference == 0
