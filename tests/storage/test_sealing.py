"""A byte that changed after a file was written is found when the file is opened or read."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from emonas.errors import DamagedFileError, EmonasError
from emonas.learning.resume import ResumePoint
from emonas.storage.features import FeatureFacts, FeatureFile, write_features
from emonas.storage.folds import read_part, write_part
from emonas.storage.genotype import CellsGenotype, Edge, read_genotype, write_genotype
from emonas.storage.predictions import Predictions, read_predictions, write_predictions
from emonas.storage.sealing import word_sums
from emonas.storage.weights import read_weights, write_weights

NAMES = ("a b", "ü", "third", "empty", "last")
FLIPS = 400


def features(path, layers=("1", "2"), store="float32", width=6):
    generator = np.random.default_rng(1)
    facts = FeatureFacts("fbank", {"bands": 3}, 100.0, layers, store=store)
    with write_features(path, facts) as writer:
        for number, name in enumerate(NAMES):
            shape = (0 if name == "empty" else 3 + number, width)
            shape = (len(layers), *shape) if layers else shape
            writer.append(name, generator.normal(size=shape).astype(np.float32))


def read_features(path):
    with FeatureFile(path) as file:
        found = [file.facts, file.utterances]
        for layer in file.facts.layers or (None,):
            found += [frames.tobytes() for frames in file.read_many(file.utterances, layer)]
    return found


def predictions(path):
    generator = np.random.default_rng(2)
    part = Predictions(
        NAMES,
        ("toy",) * 5,
        ("sad", "angry", "sad", "sad", "angry"),
        ("angry", "sad"),
        generator.normal(size=(5, 2)).astype(np.float32),
        generator.normal(size=(5, 7)).astype(np.float32),
    )
    write_predictions(path, {"train": part, "test": part})


def read_both_parts(path):
    found = [read_predictions(path, part) for part in ("train", "test")]
    names = [(each.utterances, each.labels, each.classes) for each in found]
    return names, [(each.logits.tobytes(), each.embedding.tobytes()) for each in found]


def genotype(path):
    edges = tuple(Edge(node=node, source=0, operation="sep_conv_3x3") for node in (0, 1))
    given = {"normal": edges, "reduction": edges}
    write_genotype(path, CellsGenotype(method="darts", channels=4, cells=3, nodes=2, **given))


def weights(path):
    torch.manual_seed(3)
    tensors = {"a": torch.randn(20, 3), "steps": torch.tensor(3), "half": torch.ones(5).bfloat16()}
    write_weights(path, tensors)


def read_tensors(path):
    return {name: (str(each.dtype), each.tolist()) for name, each in read_weights(path).items()}


def fold(path):
    rows = {"utterance": NAMES, "corpus": "toy", "label": ("sad", "angry") * 2 + ("sad",)}
    write_part(path, pd.DataFrame({**rows, "domain": ""}))


def read_rows(path):
    return read_part(path).to_dict("records")


KINDS = {
    "features.h5": (features, read_features),
    "predictions.h5": (predictions, read_both_parts),
    "genotype.json": (genotype, read_genotype),
    "weights.safetensors": (weights, read_tensors),
    "train.csv": (fold, read_rows),
}


@pytest.mark.fault
@pytest.mark.parametrize("name", KINDS)
def test_a_flipped_byte_is_found_or_meant_nothing(tmp_path, name, tally):
    write, read = KINDS[name]
    path = tmp_path / name
    write(path)
    whole, wanted = path.read_bytes(), read(path)
    generator = np.random.default_rng(4)
    places = generator.choice(len(whole), min(FLIPS, len(whole)), replace=False)
    found = 0
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(damaged)
        problem = ""
        try:
            # What no reader looks at, such as what fills up a block, may be anything.
            assert read(path) == wanted
        except DamagedFileError as error:
            problem = str(error)
            found += 1
        assert not problem or name in problem
    tally(f"a flipped byte in {name}", len(places))
    assert found > 0.8 * len(places)


@pytest.mark.fault
@pytest.mark.parametrize("name", KINDS)
def test_a_file_that_was_cut_short_is_found(tmp_path, name, tally):
    write, read = KINDS[name]
    path = tmp_path / name
    write(path)
    whole = path.read_bytes().rstrip()
    lengths = np.linspace(0, len(whole) - 1, 40).astype(int)
    for length in lengths:
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedFileError, match=name):
            read(path)
    tally(f"{name} cut short", len(lengths))


@pytest.mark.fault
def test_a_state_that_changed_is_not_gone_on_from(tmp_path, caplog, tally):
    point = ResumePoint(tmp_path)
    state = {"epoch": 3, "weights": {"a": torch.arange(50.0)}, "names": ["x"]}
    point.save(state)
    path = tmp_path / "state.pt"
    whole = path.read_bytes()
    generator = np.random.default_rng(5)
    places = generator.choice(len(whole), FLIPS, replace=False)
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(damaged)
        found = point.load()
        if found is None:
            continue
        assert (found["epoch"], found["names"]) == (3, ["x"])
        assert torch.equal(found["weights"]["a"], torch.arange(50.0))
    assert "damaged" in caplog.text
    tally("a flipped byte in a state to go on from", len(places))


@pytest.mark.fault
def test_a_state_that_was_cut_short_is_not_gone_on_from(tmp_path, caplog, tally):
    point = ResumePoint(tmp_path)
    point.save({"epoch": 3, "weights": {"a": torch.arange(50.0)}, "names": ["x"]})
    path = tmp_path / "state.pt"
    whole = path.read_bytes()
    lengths = np.linspace(0, len(whole) - 1, 40).astype(int)
    for number, length in enumerate(lengths, 1):
        path.write_bytes(whole[:length])
        assert point.load() is None
        assert caplog.text.count("state.pt: damaged") == number
    tally("state.pt cut short", len(lengths))


@pytest.mark.parametrize("store", ["float32", "float16"])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 6])
def test_sums_are_those_of_a_loop(store, width):
    lengths = [2, 0, 3, 0]
    frames = np.random.default_rng(0).normal(size=(5, width)).astype(store)
    row = width * frames.itemsize
    size = max(size for size in (1, 2, 4, 8) if row % size == 0)
    start, wanted = 0, []
    for length in lengths:
        raw = frames[start : start + length].tobytes()
        words = (raw[at : at + size] for at in range(0, len(raw), size))
        wanted.append(sum(int.from_bytes(word, "little") for word in words) % 2**64)
        start += length
    assert word_sums(frames, lengths).tolist() == wanted


def test_frames_that_changed_are_named_by_their_utterance(tmp_path):
    path = tmp_path / "f.h5"
    features(path, layers=())
    with h5py.File(path, "r+") as file:
        file["frames"][4, 0] += 1
    with FeatureFile(path) as file:
        assert len(file.read("a b")) == 3
        with pytest.raises(DamagedFileError, match="the frames of ü are not those written"):
            file.read("ü")


def test_a_genotype_without_its_digest_is_a_persons(tmp_path):
    path = tmp_path / "genotype.json"
    genotype(path)
    edited = json.loads(path.read_text()) | {"channels": 5}
    path.write_text(json.dumps(edited))
    with pytest.raises(DamagedFileError, match="take it out if you changed them"):
        read_genotype(path)
    del edited["digest"]
    path.write_text(json.dumps(edited))
    assert read_genotype(path).channels == 5


@pytest.mark.fault
def test_a_genotype_whose_digest_has_another_name_is_damaged(tmp_path, tally):
    """Every bit of the key: it is not taken for a person's, who would have to mend it."""
    path = tmp_path / "genotype.json"
    genotype(path)
    whole = path.read_bytes()
    start = whole.index(b'"digest"')
    for place in range(start, start + len(b'"digest"')):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            with pytest.raises(DamagedFileError, match="make it again"):
                read_genotype(path)
            tally("a flipped bit in the key of a genotype's digest")
    # A key that nobody knows is a person's to mend.
    path.write_text(json.dumps(json.loads(whole) | {"digest": None, "dmgest": "0" * 64}))
    with pytest.raises(EmonasError, match="dmgest: Extra inputs are not permitted; mend it"):
        read_genotype(path)
