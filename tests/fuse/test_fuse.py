import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from sklearn.metrics import balanced_accuracy_score

import emonas.fuse.job
from emonas.errors import EmonasError
from emonas.fuse.job import FuseJob, fuse_streams
from emonas.fuse.options import FusionOptions
from emonas.fuse.transfer import FuseTransferJob, fuse_transfer
from emonas.jobs import Progress
from emonas.learning.options import RuntimeOptions
from emonas.storage.cost import NetworkCost, read_network_cost, write_network_cost
from emonas.storage.predictions import Predictions, read_predictions, write_predictions
from emonas.storage.tables import read_table
from emonas.systems.outputs import SystemOutputs

CLASSES = ("angry", "happy", "neutral", "sad")
SIZES = {"train": 40, "validation": 18, "test": 22}
WIDTHS = {"cnn": 5, "rnn": 3, "third": 4}
COSTS = {
    "cnn": NetworkCost(72_000, 50_000, 7_000_000, [[140, 140]]),
    "rnn": NetworkCost(None, 730_000, 90_000, [[727, 512]]),
    "third": NetworkCost(None, 11, 13, [[1, 8]]),
}
EXACT = ("predictions", "history", "cost", "weights")


def predictions(part, width, seed):
    """Each stream knows the class from some noise of its own."""
    generator = np.random.default_rng([seed, SIZES[part]])
    count = SIZES[part]
    numbers = np.arange(count) % 4
    logits = generator.normal(size=(count, 4)) + 1.5 * np.eye(4)[numbers]
    embedding = generator.normal(size=(count, width))
    embedding[:, :3] += np.eye(4)[numbers][:, :3]
    return Predictions(
        utterances=tuple(f'{part} "{row:02d}", ü' for row in range(count)),
        corpora=("toy",) * count,
        labels=tuple(CLASSES[number] for number in numbers),
        classes=CLASSES,
        logits=logits.astype(np.float32),
        embedding=embedding.astype(np.float32),
    )


@pytest.fixture
def streams():
    return {
        name: {part: predictions(part, width, seed) for part in SIZES}
        for seed, (name, width) in enumerate(WIDTHS.items())
    }


@pytest.fixture
def fuse(tmp_path, streams):
    """Write the streams as they are now and fuse them; gives the paths of the outputs."""

    def run(name="out", seed=0, *, fuse=("cnn", "rnn"), **options):
        values = {"method": "ism", "dominant": "rnn", **options}
        values["training"] = {"epochs": 4, "batch": 8, **values.get("training", {})}
        folder = tmp_path / "a folder"
        for stream in fuse:
            write_predictions(folder / stream / "p.h5", streams[stream])
            write_network_cost(folder / stream / "cost.json", COSTS[stream])
        files = {
            "predictions": "predictions.h5",
            "history": "history.csv",
            "costs": "cost.csv",
            "cost": "cost.json",
            "weights": "weights.safetensors",
        }
        outputs = SystemOutputs(**{key: folder / name / file for key, file in files.items()})
        fuse_streams(
            FuseJob(
                name="toy/fused/seed0/fold0",
                options=FusionOptions.model_validate({"fuse": fuse, **values}),
                seed=seed,
                predictions={stream: folder / stream / "p.h5" for stream in fuse},
                costs={stream: folder / stream / "cost.json" for stream in fuse},
                runtime=RuntimeOptions(device="cpu"),
                resume=folder / "resume",
                code="1",
            ),
            outputs,
        )
        return outputs

    return run


def weights(outputs):
    return load_file(outputs.weights)


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def change(streams, part, **values):
    for stream in streams.values():
        stream[part] = replace(stream[part], **values)


def affine(kept, name, values):
    return values @ kept[f"network.{name}.weight"].numpy().T + kept[f"network.{name}.bias"].numpy()


def test_ism_is_applied_to_the_embeddings_with_the_weights_that_are_kept(fuse, streams):
    outputs = fuse()
    kept = weights(outputs)
    for part in SIZES:
        found = read_predictions(outputs.predictions, part)
        other, dominant = (streams[name][part] for name in ("cnn", "rnn"))
        assert found.utterances == dominant.utterances
        assert found.labels == dominant.labels
        assert found.classes == CLASSES
        h = affine(kept, "fusion.supplements.0", other.embedding)
        a = np.tanh(affine(kept, "fusion.selectors.0", dominant.embedding) * h)
        fused = dominant.embedding + a * h
        np.testing.assert_allclose(found.embedding, fused, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            found.logits, affine(kept, "classifier", fused), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("method", ["ism", "perceptron", "concat"])
def test_other_corpora_are_predicted_as_the_test_part_is(fuse, streams, tmp_path, method):
    outputs = fuse(method=method)
    there = {}
    for name in ("cnn", "rnn"):
        part = replace(streams[name]["test"], corpora=("there",) * SIZES["test"])
        there[name] = tmp_path / name / "transfer.h5"
        write_predictions(there[name], {"test": part})
    job = FuseTransferJob(
        options=FusionOptions.model_validate(
            {"fuse": ("cnn", "rnn"), "method": method, "dominant": "rnn"}
        ),
        weights=outputs.weights,
        predictions=there,
        runtime=RuntimeOptions(device="cpu"),
    )
    fuse_transfer(job, tmp_path / "found.h5")
    found = read_predictions(tmp_path / "found.h5", "test")
    tested = read_predictions(outputs.predictions, "test")
    assert found.corpora == ("there",) * SIZES["test"]
    np.testing.assert_allclose(found.logits, tested.logits, atol=1e-6)


def test_the_perceptron_is_applied_to_the_probabilities(fuse, streams):
    outputs = fuse(method="perceptron", dominant=None)
    kept = weights(outputs)
    shapes = [tuple(t.shape) for name, t in kept.items() if name.endswith("weight")]
    assert sorted(shapes) == [(4, 4), (4, 8), (8, 8)]
    both = [streams[name]["test"].logits for name in ("cnn", "rnn")]
    state = np.concatenate([np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in both], axis=1)
    state = np.maximum(affine(kept, "body.0", state), 0)
    state = np.maximum(affine(kept, "body.2", state), 0)
    found = read_predictions(outputs.predictions, "test")
    np.testing.assert_allclose(
        found.logits, affine(kept, "classifier", state), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(("method", "width"), [("concat", 8), ("sum", 5), ("max", 5), ("min", 5)])
def test_the_other_fusions_have_their_widths(fuse, method, width):
    dominant = None if method == "concat" else "rnn"
    found = read_predictions(fuse(method=method, dominant=dominant).predictions, "train")
    assert found.embedding.shape == (40, width)


def test_fusing_learns(fuse):
    outputs = fuse(training={"epochs": 40, "learning_rate": 0.02})
    history = read_table(outputs.history, ("epoch", "train_loss", "validation_ua", "kept"))
    losses = history["train_loss"].astype(float).tolist()
    assert losses[-1] < 0.7 * losses[0]
    figures = history["validation_ua"].astype(float).tolist()
    assert history["kept"].tolist().index("1") == figures.index(max(figures))
    found = read_predictions(outputs.predictions, "validation")
    assert balanced_accuracy_score(found.labels, found.predicted) == pytest.approx(max(figures))


@pytest.mark.parametrize("method", ["ism", "perceptron"])
@pytest.mark.parametrize("part", ["validation", "test"])
def test_no_other_part_than_training_changes_a_weight(fuse, streams, method, part):
    options = {"method": method, "training": {"select": "last"}}
    before = weights(fuse("a", **options))
    count = SIZES[part]
    change(
        streams,
        part,
        labels=("sad",) * count,
        embedding=np.full((count, 5), 9, np.float32),
        logits=np.full((count, 4), 9, np.float32),
    )
    streams["rnn"][part] = replace(
        streams["rnn"][part], embedding=np.full((count, 3), -9, np.float32)
    )
    assert equal(before, weights(fuse("b", **options)))
    change(streams, "train", labels=streams["cnn"]["train"].labels[::-1])
    assert not equal(before, weights(fuse("c", **options)))


def test_a_test_part_changes_no_weight_where_validation_chooses(fuse, streams):
    before = weights(fuse("a"))
    change(streams, "test", labels=("bored",) * SIZES["test"])
    after = fuse("b")
    assert equal(before, weights(after))
    assert set(read_predictions(after.predictions, "test").labels) == {"bored"}


def test_an_unknown_class_in_validation_is_left_out_of_the_choice_but_predicted(fuse, streams):
    labels = ("bored", *streams["cnn"]["validation"].labels[1:])
    change(streams, "validation", labels=labels)
    outputs = fuse()
    found = read_predictions(outputs.predictions, "validation")
    assert found.labels == labels
    right = [(p, t) for p, t in zip(found.predicted, labels, strict=True) if t != "bored"]
    kept = read_table(outputs.history).query("kept == '1'")["validation_wa"].astype(float)
    assert kept.tolist() == pytest.approx([np.mean([p == t for p, t in right])])


def test_no_validation_part(fuse, streams):
    empty = Predictions((), (), (), CLASSES, np.zeros((0, 4)), np.zeros((0, 1)))
    for stream in streams.values():
        stream["validation"] = empty
    outputs = fuse(training={"select": "last"})
    assert read_predictions(outputs.predictions, "validation").utterances == ()
    with pytest.raises(EmonasError, match=r"training\.select: validation_ua"):
        fuse("b")


def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(fuse):
    first = fuse("a")
    second = fuse("b")
    for name in EXACT:
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()
    assert not equal(weights(first), weights(fuse("c", seed=1)))


class StoppedError(Exception):
    pass


class Stopping(Progress):
    def step(self, done, text):
        if done == 2:
            raise StoppedError


def test_a_killed_fusion_goes_on_to_the_same_bytes(fuse, monkeypatch, tmp_path):
    wanted = fuse("a")
    with monkeypatch.context() as patch:
        patch.setattr(emonas.fuse.job, "Progress", Stopping)
        with pytest.raises(StoppedError):
            fuse("b")
    resume = tmp_path / "a folder" / "resume" / "fuse"
    assert list(resume.glob("*/state.pt"))
    found = fuse("b")
    for name in EXACT:
        assert getattr(found, name).read_bytes() == getattr(wanted, name).read_bytes()
    assert list(resume.iterdir()) == []


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_streams_that_hold_other_utterances_are_refused(fuse, streams, part):
    names = streams["rnn"][part].utterances
    for changed in (("another", *names[1:]), names[::-1]):
        streams["rnn"][part] = replace(streams["rnn"][part], utterances=changed)
        with pytest.raises(
            EmonasError, match=rf"rnn.p\.h5: other utterances, labels or classes in {part} than"
        ):
            fuse()


def test_streams_of_other_corpora_classes_or_labels_are_refused(fuse, streams):
    right = streams["rnn"]["train"]
    for values in (
        {"corpora": ("other",) * 40},
        {"classes": CLASSES[::-1]},
        {"labels": right.labels[::-1]},
    ):
        streams["rnn"]["train"] = replace(right, **values)
        with pytest.raises(EmonasError, match=r"rnn.p\.h5: other .* in train than .*cnn.p\.h5"):
            fuse()


def test_the_cost_adds_up(fuse):
    found = read_network_cost(fuse().cost)
    own = (5 * 3 + 3) + (3 * 3 + 3) + (3 * 4 + 4)
    own_macs = 5 * 3 + 3 * 3 + 3 * 4
    assert found.derived == own + 50_000 + 730_000
    assert found.search == own + 72_000 + 730_000
    assert found.macs == own_macs + 7_000_000 + 90_000
    assert found.example == [[140, 140], [727, 512]]


def test_streams_without_a_search_have_none_together(fuse):
    found = read_network_cost(fuse(fuse=("rnn", "third")).cost)
    assert found.search is None
    assert found.derived == 730_000 + 11 + (4 * 3 + 3) + (3 * 3 + 3) + (3 * 4 + 4)


def test_three_streams(fuse):
    outputs = fuse(fuse=("cnn", "third", "rnn"))
    assert read_predictions(outputs.predictions, "test").embedding.shape == (22, 3)
    assert len(json.loads(outputs.cost.read_text())["example"]) == 3


def test_a_damaged_stream_is_told(fuse, streams, monkeypatch):
    del streams["rnn"]["test"]
    with pytest.raises(EmonasError, match=r"rnn.p\.h5: no whole predictions of the part test"):
        fuse()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"fuse": ["a"]}, "at least 2"),
        ({"fuse": ["a", "b"]}, "method ism needs `dominant`, one of a, b"),
        ({"fuse": ["a", "b"], "dominant": "c"}, "needs `dominant`, one of a, b"),
        ({"fuse": ["a", "b", "c"], "dominant": "a", "method": "max"}, "fuses two systems, not 3"),
        ({"fuse": ["a", "b"], "method": "mean"}, "'ism', 'concat'"),
        (
            {"fuse": ["a", "b"], "dominant": "a", "training": {"mask_time": 0.1}},
            "mask_time masks frames, and a fusion of frozen streams hears none",
        ),
    ],
)
def test_options_that_do_not_fit_are_told(values, words):
    with pytest.raises(ValidationError, match=words):
        FusionOptions.model_validate(values)
    options = FusionOptions.model_validate({"fuse": ["a", "b"], "dominant": "b"})
    assert (options.dominant_index, options.training.epochs) == (1, 100)
    assert options.training.learning_rate == 1e-3
    masked = {"mask_time": 0.1, "mask_features": 0.1}
    FusionOptions.model_validate(
        {"fuse": ["a", "b"], "dominant": "b", "joint": True, "training": masked}
    )
