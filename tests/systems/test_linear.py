import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emonas.kinds import kind_options
from emonas.learning.batches import Examples
from emonas.learning.supervised import apply_network
from emonas.storage.weights import write_weights
from emonas.systems.building import build_network
from emonas.systems.kinds.linear import solve
from emonas.systems.normalising import Normaliser
from emonas.systems.shapes import NetworkShape
from emonas.systems.trained import TrainedFiles, load_network, system_weights

CPU = torch.device("cpu")
WIDTHS = {"frames": (6,), "vectors": (6,), "both": (6, 5)}


def stream(labels, generator, width, frames):
    """Hard to tell, the third feature constant."""
    arrays = []
    for label in labels:
        array = generator.normal(size=(generator.integers(2, 12) if frames else 1, width))
        array[:, 0] += 0.8 * label
        array[:, 1] *= 1 + 0.5 * label
        array[:, 2] = 4.0
        arrays.append(array.astype(np.float32))
    return arrays


def examples(count, classes, seed, kind="frames"):
    """More utterances of class 0 than of the others."""
    generator = np.random.default_rng(seed)
    labels = np.r_[np.arange(classes), generator.choice(classes, count - classes)]
    labels[classes : count // 2] = 0
    framed = {"frames": (True,), "vectors": (False,), "both": (True, False)}[kind]
    streams = tuple(
        stream(labels, generator, width, frames)
        for width, frames in zip(WIDTHS[kind], framed, strict=True)
    )
    return Examples(streams, labels.astype(np.int64))


def pooled(*parts):
    """Every stream of the parts together, its deviation left out where it is of vectors."""
    columns = []
    for streams in zip(*(part.streams for part in parts), strict=True):
        arrays = [array.astype(np.float64) for stream in streams for array in stream]
        columns.append(np.asarray([array.mean(axis=0) for array in arrays]))
        if any(len(array) > 1 for array in arrays):
            columns.append(np.asarray([array.std(axis=0) for array in arrays]))
    return np.concatenate(columns, axis=1)


def logistic(strength, weighted=True):
    weights = "balanced" if weighted else None
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, class_weight=weights, max_iter=5000)
    )


def lda(classes, shrinkage="auto", weighted=True):
    priors = [1 / classes] * classes if weighted else None
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage, priors=priors)
    return make_pipeline(StandardScaler(), model)


def options_of(kind="frames", **more):
    inputs = [f"f{width}" for width in WIDTHS[kind]]
    return kind_options("network", {"network": "linear", "inputs": inputs, **more})


def solved(train, validation, classes, kind="frames", **more):
    options = options_of(kind, **more)
    network = build_network(options, None, NetworkShape(WIDTHS[kind], classes))
    return network, solve(network, options, train, validation)


def is_pipeline(network, model, *parts):
    for part in parts:
        output = apply_network(network, part, 9, CPU)
        wanted = model.predict_proba(pooled(part))
        found = output.logits.softmax(dim=1).numpy()
        np.testing.assert_allclose(found, wanted, atol=2e-3)
        np.testing.assert_allclose(output.embedding, model[0].transform(pooled(part)), atol=1e-3)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("kind", ["frames", "vectors", "both"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("refit", [True, False])
def test_it_is_scikit_learns_pipeline_with_the_best_c(classes, kind, weighted, refit):
    train, validation = examples(150, classes, 1, kind), examples(70, classes, 2, kind)
    strengths = (1e-4, 1e-3, 0.01, 0.1, 1.0)
    more = {"strengths": strengths, "class_weights": weighted, "refit": refit}
    network, outcome = solved(train, validation, classes, kind, **more)
    models = [logistic(c, weighted).fit(pooled(train), train.labels) for c in strengths]
    scores = [
        balanced_accuracy_score(validation.labels, model.predict(pooled(validation)))
        for model in models
    ]
    assert [row["validation_ua"] for row in outcome.history] == pytest.approx(scores)
    assert [row["strength"] for row in outcome.history] == list(strengths)
    assert outcome.best_epoch == 1 + scores.index(max(scores))
    best = models[outcome.best_epoch - 1]
    if refit:
        labels = np.r_[train.labels, validation.labels]
        best = logistic(strengths[outcome.best_epoch - 1], weighted)
        best.fit(pooled(train, validation), labels)
    is_pipeline(network, best, train, validation)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("kind", ["frames", "both"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shrinkage", [None, 0.3])
@pytest.mark.parametrize("refit", [True, False])
def test_lda_is_scikit_learns(classes, kind, weighted, shrinkage, refit):
    train, validation = examples(150, classes, 1, kind), examples(70, classes, 2, kind)
    more = {"classifier": "lda", "class_weights": weighted, "shrinkage": shrinkage, "refit": refit}
    network, outcome = solved(train, validation, classes, kind, **more)
    model = lda(classes, shrinkage or "auto", weighted).fit(pooled(train), train.labels)
    found = model.predict(pooled(validation))
    (row,) = outcome.history
    assert row["validation_ua"] == pytest.approx(balanced_accuracy_score(validation.labels, found))
    assert outcome.best_epoch == 1
    if refit:
        model.fit(pooled(train, validation), np.r_[train.labels, validation.labels])
    is_pipeline(network, model, train, validation)


def test_lda_with_more_features_than_utterances():
    train = examples(30, 3, 1, "vectors")
    wide = np.random.default_rng(4).normal(size=(30, 200)).astype(np.float32)
    wide[:, 0] += train.labels
    part = Examples(([row[None] for row in wide],), train.labels)
    options = options_of(classifier="lda")
    network = build_network(options, None, NetworkShape((200,), 3))
    solve(network, options, part, None)
    is_pipeline(network, lda(3).fit(pooled(part), part.labels), part)


def test_without_validation_refit_changes_nothing():
    train = examples(60, 3, 1)
    one, _ = solved(train, None, 3, refit=True)
    two, _ = solved(train, None, 3)
    assert all(
        torch.equal(a, b)
        for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    )


def test_one_stream_of_one_frame_in_training_takes_longer_ones_later():
    train, later = examples(60, 3, 1, "vectors"), examples(20, 3, 2, "frames")
    network, _ = solved(train, None, 3, "vectors", strengths=(0.1,))
    means = np.asarray([array.mean(axis=0) for array in later.streams[0]])
    wanted = logistic(0.1).fit(pooled(train), train.labels).predict_proba(means)
    found = apply_network(network, later, 9, CPU).logits.softmax(dim=1).numpy()
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_it_comes_back_from_its_files(tmp_path):
    train, test = examples(60, 3, 1, "both"), examples(20, 3, 2, "both")
    network, _ = solved(train, None, 3, "both", classifier="lda")
    path = tmp_path / "weights.safetensors"
    write_weights(path, system_weights(network, Normaliser()))
    again = load_network(
        TrainedFiles(options_of("both", classifier="lda"), path), NetworkShape((6, 5), 3)
    )
    one, two = apply_network(network, test, 9, CPU), apply_network(again, test, 9, CPU)
    assert torch.equal(one.logits, two.logits)


def test_shrinkage_is_for_lda():
    with pytest.raises(ValidationError, match="shrinkage is for classifier: lda"):
        options_of(shrinkage=0.5)


def test_of_equal_strengths_the_first_is_taken():
    train = examples(60, 3, 1)
    _, outcome = solved(train, train, 3, strengths=(0.1, 0.1, 0.1))
    assert outcome.best_epoch == 1


@pytest.mark.parametrize("classifier", ["logistic", "lda"])
def test_without_refit_validation_chooses_and_changes_nothing_else(classifier):
    train = examples(100, 3, 1)
    more = {"strengths": (0.1,), "classifier": classifier}
    one, _ = solved(train, examples(40, 3, 2), 3, **more)
    two, _ = solved(train, examples(40, 3, 3), 3, **more)
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
    predicted = logistic(0.1).fit(pooled(train), train.labels).predict(pooled(kept))
    recalls = [(predicted[kept.labels == k] == k).mean() for k in (0, 2)]
    assert outcome.history[0]["validation_ua"] == pytest.approx(np.mean(recalls))
