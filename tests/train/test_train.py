import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import balanced_accuracy_score

import emonas.systems.predicting
import emonas.train.job
from emonas.errors import EmonasError
from emonas.jobs import Progress
from emonas.learning.options import RuntimeOptions
from emonas.networks.streams import Stream
from emonas.search.named_recipes import named_recipe
from emonas.storage.folds import write_part
from emonas.storage.genotype import CellsGenotype, Edge, RecurrentGenotype, write_genotype
from emonas.storage.predictions import read_predictions
from emonas.storage.tables import read_table
from emonas.storage.weights import write_weights
from emonas.systems.building import build_network, build_searched, count_parameters
from emonas.systems.material import Material
from emonas.systems.shapes import NetworkShape
from emonas.systems.trained import TrainedFiles
from emonas.train.transfer import TransferJob, predict_transfer

TRAINING = {"epochs": 5, "batch": 8, "learning_rate": 0.02, "mask_time": 0.4, "mask_features": 0.3}
GRU = {"network": "recurrent", "cell": "gru", "hidden": 6, "dropout": 0.3, "training": TRAINING}
LAST = {**GRU, "training": {**TRAINING, "select": "last"}}
LINEAR = {"network": "linear", "strengths": [0.01, 1.0]}
EXACT = ("predictions", "history", "cost", "weights")
CLASSES = ("angry", "neutral", "sad")


def contents(outputs):
    return {name: getattr(outputs, name).read_bytes() for name in EXACT}


def weights(outputs, prefix=""):
    return {k: v for k, v in load_file(outputs.weights).items() if k.startswith(prefix)}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def frames_of(store, names):
    return np.concatenate([store.frames[name] for name in names]).astype(np.float64)


def test_every_part_is_predicted_in_its_order_by_the_weights_that_are_kept(store):
    outputs = store.train(GRU)
    kept = weights(outputs)
    network = build_network(store.job(GRU).system, None, NetworkShape((4,), 3)).eval()
    network.load_state_dict(
        {
            name.removeprefix("network."): tensor
            for name, tensor in kept.items()
            if name.startswith("network.")
        }
    )
    own = frames_of(store, store.parts["train"])
    for part, names in store.parts.items():
        found = read_predictions(outputs.predictions, part)
        assert found.utterances == tuple(sorted(names))
        assert found.corpora == ("toy",) * len(names)
        assert found.labels == tuple(store.labels[name] for name in sorted(names))
        assert found.classes == CLASSES
        for row, name in enumerate(sorted(names)):
            frames = (store.frames[name] - own.mean(axis=0)) / own.std(axis=0)
            tensor = torch.from_numpy(frames.astype(np.float32))[None]
            output = network(Stream(tensor, torch.tensor([len(frames)])))
            for wanted, rows in (
                (output.logits, found.logits),
                (output.embedding, found.embedding),
            ):
                np.testing.assert_allclose(rows[row], wanted[0].detach(), atol=1e-4)


def test_the_kept_epoch_is_the_first_best_on_validation(store):
    outputs = store.train(GRU)
    history = read_table(outputs.history, ("epoch", "train_loss", "validation_ua", "kept"))
    assert history["epoch"].tolist() == ["1", "2", "3", "4", "5"]
    figures = history["validation_ua"].astype(float).tolist()
    first_best = figures.index(max(figures))
    assert history["kept"].tolist() == [str(int(row == first_best)) for row in range(5)]
    found = read_predictions(outputs.predictions, "validation")
    assert balanced_accuracy_score(found.labels, found.predicted) == pytest.approx(max(figures))


def test_the_cost_is_that_of_the_network(store):
    cost = json.loads(store.train(GRU).cost.read_text())
    network = build_network(store.job(GRU).system, None, NetworkShape((4,), 3))
    assert cost["search"] is None
    assert cost["derived"] == count_parameters(network) == 3 * 6 * (4 + 6 + 2) + 7 + 7 * 3
    ((steps, width),) = cost["example"]
    assert width == 4
    assert cost["macs"] == steps * (3 * 6 * (4 + 6) + 2 * 6) + 6 * 3
    costs = read_table(store.train(GRU).costs, ("epoch", "seconds", "memory", "architectures"))
    assert len(costs) == 5


def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(store):
    first = contents(store.train(GRU, "a"))
    torch.rand(5)
    assert contents(store.train(GRU, "b")) == first
    assert contents(store.train(GRU, "c", seed=1))["weights"] != first["weights"]


@pytest.mark.parametrize("system", [GRU, LINEAR])
def test_nothing_of_a_test_utterance_changes_a_weight(store, system):
    before = store.train(system, "a")
    name = store.parts["test"][3]
    store.frames[name] = store.frames[name] * 100 + 5
    store.labels[store.parts["test"][4]] = "bored"
    store.parts["test"].pop(0)
    after = store.train(system, "b")
    assert equal(weights(before), weights(after))
    for part in ("train", "validation"):
        one, two = (read_predictions(outputs.predictions, part) for outputs in (before, after))
        np.testing.assert_array_equal(one.logits, two.logits)
    tested = read_predictions(after.predictions, "test")
    assert "bored" in tested.labels
    assert tested.classes == CLASSES


@pytest.mark.parametrize("system", [GRU, LINEAR])
def test_another_corpus_is_predicted_by_what_was_trained(store, system):
    """Its utterances are those of this one, under a name of its own, so what is right is known."""
    outputs = store.train(system)
    names = store.parts["test"] + store.parts["train"][:3]
    elsewhere = store.folder / "elsewhere"
    table = pd.DataFrame({"utterance": names, "corpus": "else", "label": "sad", "domain": ""})
    write_part(elsewhere / "else.csv", table)
    paths, _ = store.write()
    job = TransferJob(
        trained=TrainedFiles(store.job(system).system, outputs.weights),
        predictions=outputs.predictions,
        part=elsewhere / "else.csv",
        material=Material({"f": {"else": paths["f"]["toy"]}}),
        runtime=RuntimeOptions(device="cpu"),
    )
    predict_transfer(job, elsewhere / "else.h5")
    found = read_predictions(elsewhere / "else.h5", "test")
    assert found.utterances == tuple(sorted(names))
    assert (set(found.corpora), set(found.labels)) == ({"else"}, {"sad"})
    own = {}
    for part in ("train", "test"):
        known = read_predictions(outputs.predictions, part)
        own |= dict(zip(known.utterances, known.logits, strict=True))
    wanted = np.stack([own[name] for name in found.utterances])
    np.testing.assert_allclose(found.logits, wanted, atol=1e-5)


def test_validation_chooses_the_epoch_and_changes_nothing_else(store):
    before = store.train(LAST, "a")
    name = store.parts["validation"][3]
    store.frames[name] = store.frames[name] * 100 + 5
    store.labels[store.parts["validation"][4]] = "bored"
    assert equal(weights(before), weights(store.train(LAST, "b")))
    store.parts["validation"] = []
    outputs = store.train(LAST, "c")
    assert equal(weights(before), weights(outputs))
    assert read_predictions(outputs.predictions, "validation").utterances == ()
    with pytest.raises(EmonasError, match=r"training\.select: validation_ua"):
        store.train(GRU, "d")


def test_a_training_utterance_does_change_them(store):
    before = store.train(LAST, "a")
    store.labels[store.parts["train"][0]] = "neutral"
    assert not equal(weights(before, "network"), weights(store.train(LAST, "b"), "network"))


def test_the_weights_hold_the_normaliser_of_the_training_part(store):
    kept = weights(store.train(GRU), "normaliser")
    own = frames_of(store, store.parts["train"])
    np.testing.assert_allclose(kept["normaliser.0.mean"], own.mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(kept["normaliser.0.deviation"], own.std(axis=0), rtol=1e-4)
    assert not weights(store.train({**GRU, "normalise": "none"}, "b"), "normaliser")


def test_class_weights_are_used(store):
    store.parts["train"] = [
        name for name in store.parts["train"] if store.labels[name] != "sad" or "0" in name
    ]
    plain = store.train(LAST, "a")
    weighted = store.train({**LAST, "training": {**LAST["training"], "class_weights": True}}, "b")
    assert not equal(weights(plain, "network"), weights(weighted, "network"))


class StoppedError(Exception):
    pass


class Stopping(Progress):
    def step(self, done, text):
        if done == 3:
            raise StoppedError


def test_a_killed_training_goes_on_to_the_same_bytes(store, monkeypatch):
    wanted = contents(store.train(GRU, "a"))
    with monkeypatch.context() as patch:
        patch.setattr(emonas.train.job, "Progress", Stopping)
        with pytest.raises(StoppedError):
            store.train(GRU, "b")
    assert not (store.folder / "b").exists()
    assert list((store.folder / "resume" / "train").glob("*/state.pt"))
    assert contents(store.train(GRU, "b")) == wanted
    assert list((store.folder / "resume" / "train").iterdir()) == []


def test_other_features_begin_anew(store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(emonas.train.job, "Progress", Stopping)
        with pytest.raises(StoppedError):
            store.train(GRU, "a")
    for name in store.parts["train"]:
        store.frames[name] = store.frames[name][:, ::-1].copy()
    found = contents(store.train(GRU, "b"))
    (store.folder / "resume").rename(store.folder / "away")
    assert found == contents(store.train(GRU, "c"))


def test_a_training_killed_after_its_last_epoch_keeps_its_state(store, monkeypatch):
    wanted = contents(store.train(GRU, "a"))

    def fail(*_):
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(emonas.train.job, "write_outputs", fail)
        with pytest.raises(StoppedError):
            store.train(GRU, "b")
    epochs = []
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "step", lambda _, done, __: epochs.append(done))
        assert contents(store.train(GRU, "b")) == wanted
    assert epochs == [5]


def test_a_linear_system_is_solved(store):
    outputs = store.train(LINEAR)
    history = read_table(outputs.history, ("epoch", "strength", "validation_ua", "kept"))
    assert history["strength"].astype(float).tolist() == [0.01, 1.0]
    for part in ("train", "validation"):
        found = read_predictions(outputs.predictions, part)
        kept = history[history["kept"] == "1"][f"{part}_ua"].astype(float)
        assert kept.tolist() == pytest.approx(
            [balanced_accuracy_score(found.labels, found.predicted)]
        )
    assert found.embedding.shape == (12, 8)


RECURRENT = RecurrentGenotype(method="test", name="gru", recipe=named_recipe("gru"))
EDGES = tuple(Edge(node=0, source=s, operation="sep_conv_3x3") for s in (0, 1))
CELLS = CellsGenotype(method="test", channels=2, cells=3, nodes=1, normal=EDGES, reduction=EDGES)
CELLS_SYSTEM = {"network": "cells", "training": {"epochs": 2, "batch": 8}}


def fixed_length(store, steps=9, width=8):
    generator = np.random.default_rng(1)
    for name in store.frames:
        store.frames[name] = generator.normal(size=(steps, width)).astype(np.float32)


def test_the_cells_that_a_search_found_are_trained_and_costed(store):
    fixed_length(store)
    write_genotype(store.folder / "genotype.json", CELLS)
    outputs = store.train(CELLS_SYSTEM, genotype=store.folder / "genotype.json")
    system = store.job(CELLS_SYSTEM).system
    cost = json.loads(outputs.cost.read_text())
    assert cost["search"] == count_parameters(build_searched(system, CELLS, NetworkShape((8,), 3)))
    assert cost["derived"] == count_parameters(build_network(system, CELLS, NetworkShape((8,), 3)))
    assert cost["derived"] < cost["search"]
    assert cost["example"] == [[9, 8]]


def test_cells_drawn_by_chance_have_no_search_network(store):
    fixed_length(store)
    drawn = CELLS.model_copy(update={"method": "random"})
    write_genotype(store.folder / "genotype.json", drawn)
    outputs = store.train(CELLS_SYSTEM, genotype=store.folder / "genotype.json")
    assert json.loads(outputs.cost.read_text())["search"] is None


def test_searched_weights_are_used_as_they_are(store):
    fixed_length(store)
    torch.manual_seed(8)
    system = store.job(CELLS_SYSTEM).system
    network = build_searched(system, CELLS, NetworkShape((8,), 3)).eval()
    write_genotype(store.folder / "genotype.json", CELLS)
    write_weights(store.folder / "searched.safetensors", network.state_dict())
    outputs = store.train(
        CELLS_SYSTEM,
        genotype=store.folder / "genotype.json",
        searched=store.folder / "searched.safetensors",
    )
    kept = {k.removeprefix("network."): v for k, v in weights(outputs, "network.").items()}
    assert equal(kept, dict(network.state_dict()))
    assert len(read_table(outputs.history, ("epoch", "kept"))) == 0
    own = frames_of(store, store.parts["train"])
    found = read_predictions(outputs.predictions, "test")
    name = found.utterances[2]
    frames = (store.frames[name] - own.mean(axis=0)) / own.std(axis=0)
    tensor = torch.from_numpy(frames.astype(np.float32))[None]
    wanted = network(Stream(tensor, torch.tensor([9]))).logits[0].detach()
    np.testing.assert_allclose(found.logits[2], wanted, atol=1e-4)


def test_an_utterance_without_features_is_told(store):
    store.parts["test"].append("nobody")
    store.labels["nobody"] = "sad"
    with pytest.raises(EmonasError, match=r"f\.h5: holds no utterance nobody"):
        store.train(GRU)
    assert not (store.folder / "out").exists()


def test_a_genotype_of_another_kind_is_told(store):
    write_genotype(store.folder / "genotype.json", RECURRENT)
    with pytest.raises(EmonasError, match=r"cells needs a genotype of CellsGenotype"):
        store.train(CELLS_SYSTEM, genotype=store.folder / "genotype.json")
    outputs = store.train({**GRU, "cell": None}, genotype=store.folder / "genotype.json")
    cost = json.loads(outputs.cost.read_text())
    assert cost["search"] == cost["derived"]


def test_a_part_is_predicted_piece_by_piece(store, monkeypatch):
    whole = store.train(GRU, "a")
    monkeypatch.setattr(emonas.systems.predicting, "BATCHES_AT_A_TIME", 1)
    pieces = store.train(GRU, "b")
    for part, names in store.parts.items():
        assert len(names) > TRAINING["batch"]
        one, two = (read_predictions(outputs.predictions, part) for outputs in (whole, pieces))
        assert (one.utterances, one.labels) == (two.utterances, two.labels)
        np.testing.assert_allclose(one.logits, two.logits, atol=1e-5)
        np.testing.assert_allclose(one.embedding, two.embedding, atol=1e-5)
