import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emonas.kinds import kind_options
from emonas.learning.batches import Examples
from emonas.learning.supervised import apply_network
from emonas.systems.building import build_network
from emonas.systems.kinds.linear import solve

CPU = torch.device("cpu")


def examples(count, classes, seed, frames=True):
    """More utterances of class 0 than of the others, and hard to tell."""
    generator = np.random.default_rng(seed)
    labels = np.r_[np.arange(classes), generator.choice(classes, count - classes)]
    labels[classes : count // 2] = 0
    arrays = []
    for label in labels:
        array = generator.normal(size=(generator.integers(2, 12) if frames else 1, 6))
        array[:, 0] += 0.8 * label
        array[:, 1] *= 1 + 0.5 * label
        array[:, 2] = 4.0
        arrays.append(array.astype(np.float32))
    return Examples((arrays,), labels.astype(np.int64))


def pooled(part, vectors):
    if vectors:
        return np.concatenate(part.streams[0]).astype(np.float64)
    wide = [a.astype(np.float64) for a in part.streams[0]]
    return np.asarray([np.r_[a.mean(axis=0), a.std(axis=0)] for a in wide])


def pipeline(strength, weighted=True):
    weights = "balanced" if weighted else None
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, class_weight=weights, max_iter=5000)
    )


def solved(train, validation, classes, **more):
    options = kind_options("network", {"network": "linear", "inputs": ["f"], **more})
    network = build_network(options, None, (6,), classes)
    return network, solve(network, options, train, validation)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("vectors", [False, True])
@pytest.mark.parametrize("weighted", [True, False])
def test_it_is_scikit_learns_pipeline_with_the_best_c(classes, vectors, weighted):
    train = examples(150, classes, 1, frames=not vectors)
    validation = examples(70, classes, 2, frames=not vectors)
    strengths = (1e-4, 1e-3, 0.01, 0.1, 1.0)
    network, outcome = solved(
        train, validation, classes, strengths=strengths, vectors=vectors, class_weights=weighted
    )
    models = [pipeline(c, weighted).fit(pooled(train, vectors), train.labels) for c in strengths]
    scores = [
        balanced_accuracy_score(validation.labels, model.predict(pooled(validation, vectors)))
        for model in models
    ]
    assert [row["validation_ua"] for row in outcome.history] == pytest.approx(scores)
    assert [row["strength"] for row in outcome.history] == list(strengths)
    assert outcome.best_epoch == 1 + scores.index(max(scores))
    best = models[outcome.best_epoch - 1]
    for part in (train, validation):
        output = apply_network(network, part, 9, CPU)
        wanted = best.predict_proba(pooled(part, vectors))
        found = output.logits.softmax(dim=1).numpy()
        np.testing.assert_allclose(found, wanted, atol=2e-3)
        np.testing.assert_allclose(
            output.embedding, best[0].transform(pooled(part, vectors)), atol=1e-3
        )


def test_of_equal_strengths_the_first_is_taken():
    train = examples(60, 3, 1)
    _, outcome = solved(train, train, 3, strengths=(0.1, 0.1, 0.1))
    assert outcome.best_epoch == 1


def test_validation_chooses_c_and_changes_nothing_else():
    train = examples(100, 3, 1)
    one, _ = solved(train, examples(40, 3, 2), 3, strengths=(0.1,))
    two, _ = solved(train, examples(40, 3, 3), 3, strengths=(0.1,))
    assert all(torch.equal(a, b) for a, b in zip(one.buffers(), two.buffers(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_without_validation_the_strongest_regularisation_is_taken():
    _, outcome = solved(examples(60, 3, 1), None, 3, strengths=(0.1, 0.001, 1.0))
    assert outcome.best_epoch == 2
    assert "validation_ua" not in outcome.history[0]


def test_a_class_that_validation_lacks_counts_nothing():
    train, validation = examples(100, 3, 1), examples(60, 3, 2)
    kept = validation.take(np.flatnonzero(validation.labels != 1))
    _, outcome = solved(train, kept, 3, strengths=(0.1,))
    predicted = pipeline(0.1).fit(pooled(train, False), train.labels).predict(pooled(kept, False))
    recalls = [(predicted[kept.labels == k] == k).mean() for k in (0, 2)]
    assert outcome.history[0]["validation_ua"] == pytest.approx(np.mean(recalls))
