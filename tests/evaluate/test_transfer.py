"""What models reach on another corpus, against loops written from the definitions."""

from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from emonas.evaluate.job import EvaluatedCorpora, evaluate_system
from emonas.evaluate.runs import RunFiles
from emonas.storage.cost import NetworkCost, write_network_cost
from emonas.storage.manifest import Utterance, write_manifest
from emonas.storage.metrics import read_metrics
from emonas.storage.predictions import Predictions, write_predictions

CLASSES = ("angry", "happy", "sad")
FOLDS = ("one", "two", "three")
SPEAKERS = tuple("tuvwxyz")
COUNT = 30


def predictions(corpus, count, seed, classes=CLASSES):
    generator = np.random.default_rng(seed)
    return Predictions(
        utterances=tuple(f"u{row:02d}" for row in range(count)),
        corpora=(corpus,) * count,
        labels=tuple(classes[row % len(classes)] for row in range(count)),
        classes=CLASSES,
        logits=generator.normal(size=(count, 3)).astype(np.float32),
        embedding=np.zeros((count, 1), np.float32),
    )


def manifest(path: Path, corpus: str) -> Path:
    rows = [
        Utterance(
            f"u{row:02d}",
            "a.wav",
            corpus,
            "",
            SPEAKERS[row % 7],
            "",
            "",
            "",
            "",
            "sad",
            1.0,
            16000,
            "",
        )
        for row in range(COUNT)
    ]
    write_manifest(path, rows)
    return path


@pytest.fixture
def evaluated(tmp_path):
    """Two seeds of three folds; the other corpus has no one angry."""
    runs, there = [], {}
    for number, fold in enumerate(FOLDS):
        for seed in (0, 1):
            folder = tmp_path / fold / str(seed)
            there[fold, seed] = predictions("there", COUNT, [number, seed], CLASSES[1:])
            write_predictions(folder / "p.h5", {"test": predictions("here", 12, number)})
            write_predictions(folder / "there.h5", {"test": there[fold, seed]})
            write_network_cost(folder / "c.json", NetworkCost(None, 5, 7, [[1, 1]]))
            elsewhere = {"there": folder / "there.h5"}
            runs.append(RunFiles(fold, seed, folder / "p.h5", folder / "c.json", elsewhere))
    manifests = {name: manifest(tmp_path / f"{name}.csv", name) for name in ("here", "there")}
    output = tmp_path / "metrics.json"
    evaluate_system(
        "p", "s", runs, EvaluatedCorpora(manifests, ["there"]), False, False, output=output
    )
    return read_metrics(output), there


def recall_mean(part, rows=range(COUNT)):
    by_class = {}
    for row in rows:
        label = part.labels[row]
        by_class.setdefault(label, []).append(part.predicted[row] == label)
    return mean(mean(hits) for hits in by_class.values())


def test_the_models_of_all_folds_are_averaged(evaluated):
    metrics, there = evaluated
    found = metrics.transfer["there"]
    scores = {key: recall_mean(part) for key, part in there.items()}
    assert found.ua.mean == pytest.approx(mean(scores.values()))
    seeds = [mean(scores[fold, seed] for fold in FOLDS) for seed in (0, 1)]
    folds = [mean(scores[fold, seed] for seed in (0, 1)) for fold in FOLDS]
    assert found.ua.std == pytest.approx(stdev(seeds))
    assert found.ua.folds_std == pytest.approx(stdev(folds))
    assert {(row.fold, row.seed): row.ua for row in found.folds} == pytest.approx(scores)
    assert all((row.utterances, row.classes) == (COUNT, 2) for row in found.folds)


def test_their_confusions_add_up_and_name_classes_that_nobody_uttered(evaluated):
    metrics, there = evaluated
    found = metrics.transfer["there"]
    pairs = [pair for p in there.values() for pair in zip(p.labels, p.predicted, strict=True)]
    assert found.labels == list(CLASSES)
    assert found.confusion == [[pairs.count((a, b)) for b in CLASSES] for a in CLASSES]
    assert sum(found.confusion[0]) == 0


def test_the_interval_is_over_the_other_corpus_speakers_and_over_the_models(evaluated):
    """Against a loop: all models are tested on the same speakers, so that folds are drawn too."""
    metrics, there = evaluated
    generator = np.random.default_rng(0)
    rows = {name: [row for row in range(COUNT) if SPEAKERS[row % 7] == name] for name in SPEAKERS}
    means = []
    for _ in range(3000):
        heard = [row for name in generator.choice(SPEAKERS, len(SPEAKERS)) for row in rows[name]]
        folds, seeds = generator.choice(FOLDS, len(FOLDS)), generator.choice((0, 1), 2)
        models = [there[fold, seed] for fold in folds for seed in seeds]
        means.append(mean(recall_mean(of, heard) for of in models))
    low, high = metrics.transfer["there"].ua.interval
    assert (low, high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.02)
    assert low < metrics.transfer["there"].ua.mean < high
    assert metrics.ua.interval is not None
