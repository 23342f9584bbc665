"""The hand-made baselines of EmotionNAS as kinds of system."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.learning.batches import Batch, Examples
from emonas.learning.options import TrainingOptions
from emonas.networks.streams import Output, Stream
from emonas.systems.building import build_network, count_parameters
from emonas.systems.frame_objectives import FrameCrossEntropy, SequenceLikelihood
from emonas.systems.kinds.rnn_elm import finish
from emonas.systems.outputs import network_cost
from emonas.systems.shapes import NetworkShape

CONVOLUTIONAL = ("cnn-lstm", "cnn-gru")
FRAMED = ("rnn-elm", "ctc-rnn")
GATES = {"cnn-lstm": 4, "cnn-gru": 3, "rnn-elm": 4, "ctc-rnn": 4}


def options(kind, streams=1, **values):
    inputs = [f"feature{number}" for number in range(streams)]
    return kind_options("network", {"network": kind, "inputs": inputs, **values})


def build(kind, widths, classes=4, **values):
    return build_network(options(kind, len(widths), **values), None, NetworkShape(widths, classes))


def recurrent(kind, width, hidden, layers):
    """Two directions, two biases; a layer above hears both directions."""
    return sum(
        2 * GATES[kind] * hidden * ((2 * hidden if layer else width) + hidden + 2)
        for layer in range(layers)
    )


def linear(width, classes):
    return (width + 1) * classes


@pytest.mark.parametrize("kind", CONVOLUTIONAL)
@pytest.mark.parametrize("features", [140, 7])
def test_weights_of_the_convolutional_ones(kind, features):
    sizes = pairwise((1, 16, 32, 64))
    convolutions = sum(25 * inputs * outputs + 2 * outputs for inputs, outputs in sizes)
    width = 64 * -(-features // 8)
    wanted = convolutions + recurrent(kind, width, 128, 1)
    if kind == "cnn-lstm":
        wanted += linear(256, 4)
    else:
        wanted += linear(256, 64) + linear(64, 4)
    assert count_parameters(build(kind, (features,))) == wanted


def test_weights_of_those_that_classify_frames():
    lstm = recurrent("rnn-elm", 39, 64, 2)
    # The machine's hidden layer is not learnt; its map of 120 units has no bias.
    assert count_parameters(build("rnn-elm", (39,))) == lstm + linear(128, 4) + 120 * 4
    assert count_parameters(build("ctc-rnn", (39,))) == lstm + linear(128, 5)
    assert count_parameters(build("ctc-rnn", (30, 9))) == lstm + linear(128, 5)


FRAMES, WIDTH = 11, 6


@pytest.mark.parametrize("kind", [*CONVOLUTIONAL, *FRAMED])
def test_multiply_accumulates(kind):
    small = {"hidden": 4, "layers": 1}
    if kind in CONVOLUTIONAL:
        small |= {"channels": (2, 3), "kernel": 3}
    network = build(kind, (WIDTH,), **small)
    example = Examples(([np.zeros((FRAMES, WIDTH), np.float32)],), np.zeros(1, np.int64))

    def cells(frames, width):
        return frames * 2 * GATES[kind] * 4 * (width + 4)

    if kind in CONVOLUTIONAL:
        # 11 x 6, then 6 x 3, then 3 frames of 3 channels by 2 features.
        wanted = 11 * 6 * 9 * 2 + 6 * 3 * 9 * 2 * 3 + cells(3, 6)
        wanted += 8 * 4 if kind == "cnn-lstm" else 8 * 64 + 64 * 4
    elif kind == "rnn-elm":
        wanted = cells(FRAMES, WIDTH) + FRAMES * 8 * 4 + 16 * 120 + 120 * 4
    else:
        wanted = cells(FRAMES, WIDTH) + FRAMES * 8 * 5
    assert network_cost(network, example, None).macs == wanted


@pytest.mark.parametrize("kind", CONVOLUTIONAL)
def test_several_streams_are_told_where_one_is_heard(kind):
    with pytest.raises(EmonasError, match=rf"inputs: {kind} hears one stream, not 2"):
        build(kind, (8, 8))


@pytest.mark.parametrize("kind", [*CONVOLUTIONAL, *FRAMED])
def test_dropout_acts_in_training_only(kind):
    torch.manual_seed(3)
    network = build(kind, (WIDTH,), dropout=0.5)
    stream = Stream(torch.randn(4, 5, WIDTH), torch.tensor([5, 5, 3, 1]))
    with torch.no_grad():
        assert not torch.equal(network(stream).logits, network(stream).logits)
        network.eval()
        assert torch.equal(network(stream).logits, network(stream).logits)


@pytest.mark.parametrize("kind", [*CONVOLUTIONAL, *FRAMED])
def test_the_same_seed_makes_the_same_network(kind):
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(build(kind, (WIDTH,)).state_dict())
    one, same, other = made
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def frames_of_batch():
    generator = torch.Generator().manual_seed(4)
    lengths, labels = (3, 1, 5), (2, 0, 1)
    frames = torch.randn(3, 7, 4, generator=generator)
    stream = Stream(torch.zeros(3, 7, 2), torch.tensor(lengths))
    return frames, Batch((stream,), torch.tensor(labels)), lengths, labels


@pytest.mark.parametrize("weights", [None, (0.5, 1.0, 2.0, 3.0)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_of_frames_is_that_of_a_loop_over_the_utterances_own(weights, smoothing):
    frames, batch, lengths, labels = frames_of_batch()
    given = None if weights is None else torch.tensor(weights)
    objective = FrameCrossEntropy(TrainingOptions(label_smoothing=smoothing), given)
    found = objective(Output(torch.zeros(3, 4), torch.zeros(3, 1), frames=frames), batch)
    own = weights or (1.0,) * 4
    total, count = 0.0, 0.0
    for row, (length, label) in enumerate(zip(lengths, labels, strict=True)):
        for time in range(length):
            logs = frames[row, time].log_softmax(dim=0).tolist()
            smooth = sum(w * log for w, log in zip(own, logs, strict=True)) / 4
            total -= (1 - smoothing) * own[label] * logs[label] + smoothing * smooth
            count += own[label]
    assert float(found) == pytest.approx(total / count, rel=1e-5)


def test_a_network_that_classifies_no_frames_is_refused():
    _, batch, _, _ = frames_of_batch()
    with pytest.raises(ValueError, match="no logits of frames"):
        FrameCrossEntropy(TrainingOptions())(Output(torch.zeros(3, 4), torch.zeros(3, 1)), batch)


@pytest.mark.parametrize("weights", [None, (0.5, 1.0, 2.0, 3.0)])
def test_the_loss_of_a_sequence_is_its_negative_likelihood(weights):
    _, batch, _, labels = frames_of_batch()
    logits = torch.tensor([[-3.0, -9, -2, -8], [-1, -2, -3, -4], [-5, -6, -7, -8]])
    objective = SequenceLikelihood(None if weights is None else torch.tensor(weights))
    own = weights or (1.0,) * 4
    total = sum(-own[k] * float(logits[row, k]) for row, k in enumerate(labels))
    found = float(objective(Output(logits, torch.zeros(3, 1)), batch))
    assert found == pytest.approx(total / sum(own[k] for k in labels))


def test_smoothing_is_not_for_a_sequence():
    with pytest.raises(ValidationError, match="label_smoothing is for cross entropy"):
        options("ctc-rnn", training={"label_smoothing": 0.1})


@pytest.mark.parametrize("weighted", [False, True])
def test_the_machine_is_solved_on_all_of_the_training_part(weighted):
    torch.manual_seed(6)
    generator = np.random.default_rng(5)
    lengths = generator.integers(1, 9, 30)
    labels = np.minimum(generator.integers(0, 6, 30), 2)
    frames = [generator.normal(size=(n, WIDTH)).astype(np.float32) for n in lengths]
    chosen = options("rnn-elm", training={"batch": 7, "class_weights": weighted}, machine=10)
    network = build_network(chosen, None, NetworkShape((WIDTH,), 3))
    finish(network, chosen, Examples((frames,), labels.astype(np.int64)))
    assert bool(network.solved)
    network.eval()
    alone = [network(Stream(torch.from_numpy(f)[None], torch.tensor([len(f)]))) for f in frames]
    vectors = torch.cat([output.embedding for output in alone]).detach().double().numpy()
    machine = network.machine
    layer = vectors @ machine.weight.double().numpy().T + machine.bias.double().numpy()
    hidden = 1 / (1 + np.exp(-layer))
    counts = np.bincount(labels)
    weights = (30 / (3 * counts))[labels] if weighted else np.ones(30)
    balanced = hidden.T @ (weights[:, None] * hidden) + chosen.ridge * np.eye(10)
    targets = weights[:, None] * np.eye(3)[labels]
    wanted = np.linalg.solve(balanced, hidden.T @ targets)
    found = torch.cat([output.logits for output in alone]).detach().numpy()
    np.testing.assert_allclose(found, hidden @ wanted, atol=1e-4)


def test_the_machines_map_learns_nothing_by_gradients():
    _, batch, lengths, _ = frames_of_batch()
    torch.manual_seed(6)
    network = build("rnn-elm", (2,), dropout=0.0)
    stream = Stream(torch.randn(3, 7, 2), torch.tensor(lengths))
    loss = FrameCrossEntropy(TrainingOptions())(network(stream), batch._replace(streams=(stream,)))
    loss.backward()
    assert all(p.grad is not None for p in network.frames.parameters())
    assert isinstance(network.machine.output, nn.Linear)
    assert network.machine.output.weight.grad is None
