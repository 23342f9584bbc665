"""What a system reaches in each domain, against loops written from the definitions."""

import logging
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.evaluate.job import EvaluatedCorpora, evaluate_system
from emonas.evaluate.runs import RunFiles
from emonas.storage.cost import NetworkCost, write_network_cost
from emonas.storage.manifest import Utterance, write_manifest
from emonas.storage.metrics import read_metrics
from emonas.storage.predictions import Predictions, write_predictions

CLASSES = ("angry", "happy", "neutral", "sad")
OWN = {"de": ("angry", "sad"), "en": ("angry", "happy", "sad"), "fr": ("happy", "sad")}
FOLDS = ("one", "two", "three")
SEEDS = (0, 1)
GATED = ("ge2e", "mfcc")
SPEAKERS = tuple("stuvwxyz")
SIZES = {"de": 18, "en": 33, "fr": 24}


def domains_of(fold):
    """The second fold tests nothing French."""
    return ["de", "en"] if fold == "two" else ["de", "en", "fr"]


def predictions(fold, seed):
    """German and French know their classes alone; English may be answered anything."""
    number = FOLDS.index(fold)
    names = [name for name in domains_of(fold) for _ in range(SIZES[name] + number)]
    truth = np.random.default_rng(number)
    labels = tuple(str(truth.choice(OWN[name])) for name in names)
    draw = np.random.default_rng([number, seed])
    logits = draw.normal(size=(len(names), 4)).astype(np.float32)
    for row, name in enumerate(names):
        if name != "en":
            logits[row, [label not in OWN[name] for label in CLASSES]] = -np.inf
    return Predictions(
        utterances=tuple(f"{fold}{row}" for row in range(len(names))),
        corpora=("talk",) * len(names),
        labels=labels,
        classes=CLASSES,
        logits=logits,
        embedding=np.zeros((len(names), 1), np.float32),
        domains=tuple(names),
        gates=draw.dirichlet([2, 1], size=len(names)).astype(np.float32),
        gated=GATED,
    )


PARTS = {(fold, seed): predictions(fold, seed) for fold in FOLDS for seed in SEEDS}


def speaker(row):
    return SPEAKERS[row % len(SPEAKERS)]


@pytest.fixture
def manifest(tmp_path):
    rows = [
        Utterance(
            utterance=name,
            audio="a.wav",
            corpus="talk",
            language="",
            speaker=speaker(row),
            gender="",
            session="",
            style="",
            text="",
            emotion="sad",
            seconds=1.0,
            sampling_rate=16000,
            digest="",
        )
        for fold in FOLDS
        for row, name in enumerate(PARTS[fold, 0].utterances)
    ]
    write_manifest(tmp_path / "talk.csv", rows)
    return tmp_path / "talk.csv"


def evaluate(folder: Path, manifest: Path, pooled=False, repeated=False, parts=PARTS):
    runs = []
    for (fold, seed), part in parts.items():
        path = folder / fold / str(seed)
        write_predictions(path / "p.h5", {"test": part})
        write_network_cost(path / "c.json", NetworkCost(None, 5, 7, [[1, 1]]))
        runs.append(RunFiles(fold, seed, path / "p.h5", path / "c.json"))
    corpora = EvaluatedCorpora({"talk": manifest})
    evaluate_system("p", "s", runs, corpora, pooled, repeated, folder / "metrics.json")
    return read_metrics(folder / "metrics.json")


def pairs(fold, seed, domain, speakers=SPEAKERS):
    """True and predicted labels of a domain's utterances in a fold."""
    part = PARTS[fold, seed]
    found = []
    for row, name in enumerate(part.domains):
        if name == domain and speaker(row) in speakers:
            scores = list(part.logits[row])
            found.append((part.labels[row], CLASSES[scores.index(max(scores))]))
    return found


def ua(rows):
    by_class = {}
    for true, answer in rows:
        by_class.setdefault(true, []).append(answer == true)
    return mean(mean(hits) for hits in by_class.values())


def wa(rows):
    return mean(true == answer for true, answer in rows)


BY_HAND = {"ua": ua, "wa": wa}


@pytest.mark.parametrize("metric", BY_HAND)
@pytest.mark.parametrize("domain", OWN)
def test_pooled_figures_are_of_a_seeds_utterances_of_the_domain(tmp_path, manifest, domain, metric):
    scored = BY_HAND[metric]
    found = getattr(evaluate(tmp_path, manifest, pooled=True).domains[domain], metric)
    seeds = [scored([p for fold in FOLDS for p in pairs(fold, seed, domain)]) for seed in SEEDS]
    assert found.mean == pytest.approx(mean(seeds))
    assert found.std == pytest.approx(stdev(seeds))
    with_it = [fold for fold in FOLDS if domain in domains_of(fold)]
    folds = [mean(scored(pairs(fold, seed, domain)) for seed in SEEDS) for fold in with_it]
    assert found.folds_mean == pytest.approx(mean(folds))
    assert found.folds_std == pytest.approx(stdev(folds))


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("domain", OWN)
def test_a_mean_over_folds_leaves_those_without_the_domain_out(
    tmp_path, manifest, domain, repeated
):
    found = evaluate(tmp_path, manifest, repeated=repeated).domains[domain]
    with_it = [fold for fold in FOLDS if domain in domains_of(fold)]
    scores = {(f, s): ua(pairs(f, s, domain)) for f in with_it for s in SEEDS}
    seeds = [mean(scores[fold, seed] for fold in with_it) for seed in SEEDS]
    folds = [mean(scores[fold, seed] for seed in SEEDS) for fold in with_it]
    assert found.ua.mean == pytest.approx(mean(seeds))
    assert found.ua.std == pytest.approx(stdev(folds if repeated else seeds))
    assert {(row.fold, row.seed): row.ua for row in found.folds} == pytest.approx(scores)
    for row in found.folds:
        own = pairs(row.fold, row.seed, domain)
        assert row.utterances == len(own)
        assert row.classes == len({true for true, _ in own})


def test_confusions_are_of_the_classes_of_the_domain_and_what_was_answered(tmp_path, manifest):
    metrics = evaluate(tmp_path, manifest)
    for domain, found in metrics.domains.items():
        every = [pair for f in FOLDS for seed in SEEDS for pair in pairs(f, seed, domain)]
        assert found.labels == sorted({label for pair in every for label in pair})
        assert found.confusion == [
            [every.count((true, answer)) for answer in found.labels] for true in found.labels
        ]
    assert metrics.domains["de"].labels == list(OWN["de"])
    assert metrics.domains["en"].labels == list(CLASSES)
    assert list(metrics.domains) == sorted(OWN)


def test_gates_are_averaged_over_the_test_utterances_of_all_folds_and_seeds(tmp_path, manifest):
    for domain, found in evaluate(tmp_path, manifest).domains.items():
        for column, feature in enumerate(GATED):
            weights = [
                float(part.gates[row, column])
                for part in PARTS.values()
                for row, name in enumerate(part.domains)
                if name == domain
            ]
            assert found.gates[feature] == pytest.approx(mean(weights))


def test_the_system_s_own_figures_stay_over_all_utterances_together(tmp_path, manifest):
    metrics = evaluate(tmp_path, manifest, pooled=True)
    seeds = [
        ua([p for f in FOLDS for domain in domains_of(f) for p in pairs(f, seed, domain)])
        for seed in SEEDS
    ]
    assert metrics.ua.mean == pytest.approx(mean(seeds))
    assert metrics.labels == list(CLASSES)
    # English knows a class that nobody of the others can be.
    assert metrics.ua.mean != pytest.approx(mean(d.ua.mean for d in metrics.domains.values()))


@pytest.mark.parametrize("pooled", [False, True])
def test_an_interval_is_over_the_speakers_of_the_domain(tmp_path, manifest, pooled):
    metrics = evaluate(tmp_path, manifest, pooled=pooled)
    for domain, found in metrics.domains.items():
        low, high = found.wa.interval
        assert low < found.wa.mean < high
        alone = [
            wa(own)
            for f in FOLDS
            for s in SEEDS
            for name in SPEAKERS
            if (own := pairs(f, s, domain, {name}))
        ]
        if pooled:
            assert min(alone) <= low + 1e-9
            assert high <= max(alone) + 1e-9
    widths = {d: np.ptp(found.wa.interval) for d, found in metrics.domains.items()}
    assert all(np.ptp(metrics.wa.interval) < width for width in widths.values())


def test_a_domain_with_few_speakers_has_no_interval(tmp_path, manifest):
    kept = {}
    for key, part in PARTS.items():
        names = ["xx" if row % 8 < 4 else name for row, name in enumerate(part.domains)]
        kept[key] = Predictions(**{**vars(part), "domains": tuple(names)})
    metrics = evaluate(tmp_path, manifest, parts=kept)
    assert metrics.domains["xx"].ua.interval is None
    assert metrics.ua.interval is not None


def test_the_log_says_what_each_domain_reached(tmp_path, manifest, caplog):
    caplog.set_level(logging.INFO, "emonas")
    metrics = evaluate(tmp_path, manifest)
    for domain, found in metrics.domains.items():
        line = f"of {domain}: UA {found.ua.mean:.4f}, WA {found.wa.mean:.4f}"
        assert line in caplog.messages


def test_without_domains_there_are_none_and_some_alone_are_told(tmp_path, manifest):
    bare = {key: Predictions(**{**vars(part), "domains": ()}) for key, part in PARTS.items()}
    assert evaluate(tmp_path, manifest, parts=bare).domains == {}
    mixed = {**PARTS, ("three", 1): bare["three", 1]}
    with pytest.raises(EmonasError, match=r"three/1/p\.h5: names no domain, and other folds"):
        evaluate(tmp_path, manifest, parts=mixed)
