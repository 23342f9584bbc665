import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import emonas.systems.data
from emonas.errors import EmonasError
from emonas.jobs import Progress
from emonas.learning.batches import Batch, Batches, Examples
from emonas.learning.optimisers import learning_rate
from emonas.learning.options import RuntimeOptions, TrainingOptions
from emonas.learning.resume import ResumePoint
from emonas.networks.cell_operations import OPERATIONS
from emonas.networks.cell_skeleton import cell_edges
from emonas.networks.search_cells import SearchNetwork
from emonas.search.bilevel import AlphaSteps, BilevelLearner, settle_statistics
from emonas.search.derivation import derive
from emonas.search.job import SearchFiles, SearchJob, SearchOutputs, search_architecture
from emonas.search.methods import darts
from emonas.search.outcome import SearchProblem
from emonas.storage.features import FeatureFacts, FeatureFile, write_features
from emonas.storage.folds import write_part
from emonas.storage.genotype import read_genotype
from emonas.storage.weights import read_weights
from emonas.systems.building import build_searched
from emonas.systems.data import FoldData
from emonas.systems.kinds.cells import Options as CellsOptions
from emonas.systems.normalising import Normaliser
from emonas.systems.shapes import NetworkShape

SYSTEM = CellsOptions(inputs=("spectrogram",))
TINY = darts.Options(channels=2, cells=3, nodes=2, epochs=4, batch=8, alpha_learning_rate=0.1)
CPU = RuntimeOptions(device="cpu")
OUTPUTS = ("genotype.json", "history.csv", "weights.safetensors")


def examples(count: int, seed: int, frames: int = 10) -> Examples:
    """Class 0 is noise, class 1 has stripes in it."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    arrays = []
    for label in labels:
        array = 0.3 * generator.standard_normal((frames, 8)).astype(np.float32)
        array[::2] += 2 * label
        arrays.append(array)
    return Examples((arrays,), labels.astype(np.int64))


def problem(train: Examples, validation: Examples | None) -> SearchProblem:
    data = FoldData(("angry", "sad"), NetworkShape((8,), 2), train, validation, Normaliser())
    return SearchProblem(SYSTEM, 0, torch.device("cpu"), ResumePoint(), "demo/fold0", data)


def learner(order: str = "first", alphas: int = 10, seed: int = 0) -> BilevelLearner:
    torch.manual_seed(seed)
    return BilevelLearner(
        SearchNetwork(2, 3, 2, nodes=2),
        TrainingOptions(optimiser="sgd", learning_rate=0.05, clip=5.0),
        AlphaSteps(order, 0.1, (0.5, 0.999), 0.0),
        Batches(examples(alphas, seed=1), 4, seed=5, shuffle=True),
        torch.device("cpu"),
    )


@pytest.fixture
def job(tmp_path: Path) -> SearchJob:
    """A fold on disk, with test utterances in the same feature file."""
    folder = tmp_path / "a folder"
    everything = examples(40, seed=2)
    names = [f"u{row:02d}" for row in range(40)]
    facts = FeatureFacts("spectrogram", {}, 0.0)
    with write_features(folder / "spectrogram.h5", facts) as writer:
        for name, array in zip(names, everything.streams[0], strict=True):
            writer.append(name, array)
    table = pd.DataFrame(
        {
            "utterance": names,
            "corpus": "toy",
            "label": [("angry", "sad")[label] for label in everything.labels],
            "domain": "",
        }
    )
    for part, rows in (("train", slice(0, 20)), ("validation", slice(20, 30))):
        write_part(folder / f"{part}.csv", table[rows])
    return SearchJob(
        name="demo/cnn/seed0/fold0",
        system=SYSTEM,
        search=TINY,
        seed=0,
        files=SearchFiles(
            features={"spectrogram": {"toy": folder / "spectrogram.h5"}},
            train=folder / "train.csv",
            validation=folder / "validation.csv",
        ),
        runtime=CPU,
        resume=folder / "resume",
        code="abc",
    )


def outputs(folder: Path) -> SearchOutputs:
    names = ("genotype.json", "history.csv", "cost.csv", "weights.safetensors")
    return SearchOutputs(*(folder / name for name in names))


def test_derive_against_a_brute_force_reading() -> None:
    for seed in range(20):
        theta = torch.randn(14, 8, generator=torch.Generator().manual_seed(seed))
        if seed % 4 == 0:
            theta = theta.round()  # ties
        softmax = theta.double().softmax(dim=1)
        rows = {edge: row for row, edge in enumerate(cell_edges(4))}
        everything, two = [], []
        for node in range(4):
            found = []
            for source in range(2 + node):
                row = softmax[rows[node, source]]
                best = 1
                for column in range(2, 8):
                    if row[column] > row[best]:
                        best = column
                found.append((source, OPERATIONS[best], float(row[best])))
            everything += [(node, source, name) for source, name, _ in found]
            chosen: list[tuple[int, str, float]] = []
            while len(chosen) < 2:
                left = [entry for entry in found if entry not in chosen]
                top = max(strength for _, _, strength in left)
                chosen.append(next(entry for entry in left if entry[2] == top))
            two += [(node, source, name) for source, name, _ in sorted(chosen)]
        assert [(e.node, e.source, e.operation) for e in derive(theta, 4, "all")] == everything
        assert [(e.node, e.source, e.operation) for e in derive(theta, 4)] == two


@pytest.mark.parametrize("order", ["first", "second"])
def test_search_learns_and_its_alphas_move(order: str) -> None:
    torch.manual_seed(0)
    found = darts.search(
        TINY.model_copy(update={"order": order, "epochs": 8}),
        problem(examples(32, 0), examples(16, 1)),
    )
    first, last = found.history[0], found.history[-1]
    assert len(found.history) == len(found.costs) == 8
    assert last["validation_ua"] >= 0.9
    assert last["train_loss"] < first["train_loss"]
    assert last["alpha_entropy"] < first["alpha_entropy"] < np.log(8)
    weights = torch.stack([found.weights["alphas_normal"], found.weights["alphas_reduction"]])
    for cell, alphas in zip(("normal", "reduction"), weights.softmax(dim=2), strict=True):
        for row, (node, source) in enumerate(cell_edges(2)):
            for column, name in enumerate(OPERATIONS):
                logged = last[f"alpha_{cell}_{source}-{node + 2}_{name}"]
                assert logged == pytest.approx(float(alphas[row, column]))
    assert found.genotype.normal == derive(weights[0], 2)
    assert found.genotype.reduction == derive(weights[1], 2)


@pytest.mark.parametrize("order", ["first", "second"])
def test_a_step_of_the_alphas_leaves_weights_and_statistics_alone(order: str) -> None:
    learning = learner(order)
    learning.begin_epoch(1)
    batch = examples(8, seed=3).batch()
    learning.train_batch(batch)
    before = {name: value.clone() for name, value in learning.network.state_dict().items()}
    learning._step_alphas(batch, examples(8, seed=4).batch())
    for name, value in learning.network.state_dict().items():
        assert torch.equal(value, before[name]) == ("alphas" not in name), name


def test_a_step_of_the_weights_leaves_the_alphas_alone() -> None:
    """Against SGD's first step by hand, whose momentum starts with the clipped gradient."""
    learning = learner()
    learning.begin_epoch(1)
    before = [weight.detach().clone() for weight in learning.network.weights()]
    steps: list[list[torch.Tensor]] = []
    step = learning._step_alphas

    def remember(*batches) -> None:
        step(*batches)
        steps.append([alphas.detach().clone() for alphas in learning.network.alphas()])

    learning._step_alphas = remember
    batch = examples(8, seed=3).batch()
    learning.train_batch(batch)
    assert all(torch.equal(*pair) for pair in zip(steps[0], learning.network.alphas(), strict=True))
    gradients = [weight.grad for weight in learning.network.weights()]
    rate = learning_rate(TrainingOptions(learning_rate=0.05), 1)
    for weight, value, gradient in zip(learning.network.weights(), before, gradients, strict=True):
        torch.testing.assert_close(weight.detach(), value - rate * gradient)


def test_alphas_batches_begin_anew_each_epoch_and_never_end() -> None:
    learning = learner(alphas=10)
    seen = []
    for epoch in (1, 2, 1):
        learning.begin_epoch(epoch)
        batches = [next(learning._held_batches) for _ in range(6)]
        seen.append(torch.cat([batch.streams[0].frames.flatten(1).sum(dim=1) for batch in batches]))
    first, second = seen[0][:10], seen[0][10:20]
    assert torch.equal(first.sort().values, second.sort().values)
    assert not torch.equal(first, second)
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], seen[2])


def test_train_half_splits_the_training_part_by_class() -> None:
    train, validation = examples(30, seed=0), examples(6, seed=1)
    options = TINY.model_copy(update={"alphas_on": "train-half"})
    first, second = darts._parts(options, problem(train, validation))
    rows = [array.tobytes() for half in (first, second) for array in half.streams[0]]
    assert sorted(rows) == sorted(array.tobytes() for array in train.streams[0])
    for half in (first, second):
        assert set(np.bincount(half.labels).tolist()) <= {7, 8}
    assert darts._parts(TINY, problem(train, validation)) == (train, validation)
    darts.search(options.model_copy(update={"epochs": 1}), problem(train, None))


def searched_in_double(order: str, *, fused: bool) -> tuple[SearchNetwork, BilevelLearner]:
    """Three epochs from one seed."""
    torch.manual_seed(0)
    network = SearchNetwork(3, 3, 2, nodes=3, fused=fused)
    learning = BilevelLearner(
        network,
        TrainingOptions(optimiser="sgd", learning_rate=0.05, clip=5.0),
        AlphaSteps(order, 0.1, (0.5, 0.999), 0.0),
        Batches(examples(12, seed=1), 4, seed=5, shuffle=True),
        torch.device("cpu"),
    )
    network.double()
    for epoch in (1, 2, 3):
        learning.begin_epoch(epoch)
        for batch in Batches(examples(16, seed=2), 8, seed=6, shuffle=True).epoch(epoch):
            learning.train_batch(batch)
    return network, learning


@pytest.mark.parametrize("order", ["first", "second"])
def test_the_search_ends_where_it_does_one_operation_after_the_other(
    order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = Batch.through
    monkeypatch.setattr(
        Batch,
        "through",
        lambda batch, network: through(
            batch._replace(
                streams=tuple(s._replace(frames=s.frames.double()) for s in batch.streams)
            ),
            network,
        ),
    )
    plain, fused = (searched_in_double(order, fused=fused)[0] for fused in (False, True))
    for one, other in zip(plain.alphas(), fused.alphas(), strict=True):
        assert one.detach().std() > 0.05
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
        assert derive(one, 3, "two-strongest") == derive(other, 3, "two-strongest")


def test_the_cells_are_fused_on_a_processor_where_numba_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    train = examples(8, seed=0)
    pixels = TINY.epochs * sum(frames.size for frames in train.streams[0])
    # Little to compute does not wait for a compiler.
    assert pixels < darts.WORTH_COMPILING
    assert not darts._network(TINY, train, 2, cpu).fused
    monkeypatch.setattr(darts, "WORTH_COMPILING", pixels + 1)
    assert not darts._network(TINY, train, 2, cpu).fused
    monkeypatch.setattr(darts, "WORTH_COMPILING", pixels)
    assert darts._network(TINY, train, 2, cpu).fused
    assert not darts._network(TINY, train, 2, gpu).fused
    assert not darts._network(TINY.model_copy(update={"fused": False}), train, 2, cpu).fused
    monkeypatch.setattr(darts, "find_spec", lambda name: None)
    with caplog.at_level("INFO", logger="emonas"):
        assert not darts._network(TINY, train, 2, cpu).fused
    assert "numba is not installed" in caplog.text


def test_a_search_by_compiled_loops_is_the_same_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the method itself; in single precision, so nearly."""
    train, validation = examples(8, seed=0), examples(4, seed=1)
    torch.manual_seed(0)
    plain = darts.search(TINY, problem(train, validation))
    torch.manual_seed(0)
    monkeypatch.setattr(darts, "WORTH_COMPILING", 0)
    fused = darts.search(TINY, problem(train, validation))
    for name in ("alphas_normal", "alphas_reduction"):
        torch.testing.assert_close(fused.weights[name], plain.weights[name], rtol=0, atol=1e-3)
    assert any(not torch.equal(fused.weights[name], plain.weights[name]) for name in plain.weights)


def test_problems_that_darts_refuses() -> None:
    train = examples(8, seed=0)
    with pytest.raises(EmonasError, match=r"search\.alphas_on"):
        darts.search(TINY, problem(train, None))
    with pytest.raises(EmonasError, match="spectrogram has utterances of 9 to 10 frames"):
        darts.search(TINY, problem(train, examples(4, seed=1, frames=9)))
    other = replace(
        problem(train, train), system=SYSTEM.model_copy(update={"network": "recurrent"})
    )
    with pytest.raises(EmonasError, match="convolutional cells"):
        darts.search(TINY, other)


def test_job_goes_on_where_it_was_interrupted(
    job: SearchJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_architecture(job, outputs(tmp_path / "whole"))

    class Interrupted(Progress):
        def step(self, done: int, text: str) -> None:
            if done == 2:
                raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(darts, "Progress", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            search_architecture(job, outputs(tmp_path / "resumed"))
    assert not (tmp_path / "resumed").exists()
    trained: list[int] = []
    begin = BilevelLearner.begin_epoch

    def record(self: BilevelLearner, epoch: int) -> None:
        trained.append(epoch)
        begin(self, epoch)

    monkeypatch.setattr(BilevelLearner, "begin_epoch", record)
    search_architecture(job, outputs(tmp_path / "resumed"))
    assert trained == [3, 4]
    for name in OUTPUTS:
        whole, resumed = (tmp_path / run / name for run in ("whole", "resumed"))
        assert whole.read_bytes() == resumed.read_bytes(), name
    assert len(pd.read_csv(tmp_path / "resumed" / "cost.csv")) == 4


def test_job_reads_no_test_utterance_and_keeps_a_network_that_can_be_built(
    job: SearchJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()

    class Recording(FeatureFile):
        def read_many(
            self, utterances: Sequence[str], layer: str | None = None
        ) -> list[np.ndarray]:
            read.update(utterances)
            return super().read_many(utterances, layer)

    monkeypatch.setattr(emonas.systems.data, "FeatureFile", Recording)
    search_architecture(job, outputs(tmp_path / "out"))
    assert read == {f"u{row:02d}" for row in range(30)}
    genotype = read_genotype(tmp_path / "out" / "genotype.json")
    network = build_searched(SYSTEM, genotype, NetworkShape((8,), 2))
    network.load_state_dict(read_weights(tmp_path / "out" / "weights.safetensors"))
    other = replace(job, seed=1)
    search_architecture(other, outputs(tmp_path / "other"))
    weights = [(tmp_path / run / "weights.safetensors").read_bytes() for run in ("out", "other")]
    assert weights[0] != weights[1]


def test_a_genotype_edited_by_hand_is_refused(job: SearchJob, tmp_path: Path) -> None:
    search_architecture(
        replace(job, search=TINY.model_copy(update={"epochs": 1})), outputs(tmp_path)
    )
    path = tmp_path / "genotype.json"
    found = json.loads(path.read_text())
    del found["digest"]
    for key, value in (("operation", "conv_7x7"), ("source", 9)):
        edited = json.loads(json.dumps(found))
        edited["normal"][0][key] = value
        path.write_text(json.dumps(edited))
        with pytest.raises(EmonasError, match=r"normal\.0"):
            read_genotype(path)


def test_settled_statistics_are_the_means_over_all_batches() -> None:
    """The first norm's inputs are computed here batch by batch; later ones follow the same code."""
    torch.manual_seed(0)
    network = SearchNetwork(2, 2, 3)
    generator = np.random.default_rng(0)
    frames = [generator.normal(size=(8, 8)).astype(np.float32) for _ in range(10)]
    batches = Batches(Examples((frames,), np.arange(10) % 3), 4, seed=1, shuffle=True)
    settle_statistics(network, batches, torch.device("cpu"))
    convolution, norm = network.stem
    images = [convolution(batch.streams[0].frames[:, None]) for batch in batches.epoch()]
    mean = torch.stack([image.mean(dim=(0, 2, 3)) for image in images]).mean(dim=0)
    variance = torch.stack([image.var(dim=(0, 2, 3)) for image in images]).mean(dim=0)
    torch.testing.assert_close(norm.running_mean, mean.detach(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(norm.running_var, variance.detach(), rtol=1e-4, atol=1e-6)
    assert norm.momentum == 0.1
