import numpy as np
import pytest
import torch

from emonas.networks.extreme_learning import (
    ExtremeLearningMachine,
    RnnElm,
    high_level_statistics,
)
from emonas.networks.frame_classifier import FrameClassifier
from emonas.networks.streams import Stream

WIDTH, CLASSES = 5, 3


def network(threshold=0.3):
    torch.manual_seed(2)
    return RnnElm(FrameClassifier(WIDTH, 4, 2, CLASSES), CLASSES, 8, threshold).eval()


def stream(lengths, padding=0):
    torch.manual_seed(7)
    frames = torch.full((len(lengths), max(lengths) + padding, WIDTH), 9.0)
    for row, length in enumerate(lengths):
        frames[row, :length] = 3 * torch.randn(length, WIDTH)
    return Stream(frames, torch.tensor(lengths))


def probabilities_of(module, frames):
    """Those of one utterance (time, classes)."""
    states, _ = module.frames.layers.cells(frames)
    return module.frames.scores(states).softmax(dim=1).detach().numpy()


def test_statistics_are_those_of_each_utterances_own_frames():
    generator = np.random.default_rng(4)
    lengths = (6, 1, 3)
    probabilities = np.full((3, 8, CLASSES), 0.99)
    for row, length in enumerate(lengths):
        probabilities[row, :length] = generator.dirichlet([1.0] * CLASSES, length)
    mask = torch.arange(8) < torch.tensor(lengths)[:, None]
    found = high_level_statistics(torch.from_numpy(probabilities), mask, 0.2).numpy()
    for row, length in enumerate(lengths):
        own = probabilities[row, :length]
        share = [sum(p > 0.2 for p in own[:, k]) / length for k in range(CLASSES)]
        wanted = [*own.max(axis=0), *own.min(axis=0), *own.mean(axis=0), *share]
        np.testing.assert_allclose(found[row], wanted)


def hidden_of(machine, vectors):
    weight, bias = machine.weight.double().numpy(), machine.bias.double().numpy()
    return 1 / (1 + np.exp(-(vectors @ weight.T + bias)))


@pytest.mark.parametrize("ridge", [0.0, 1e-3, 2.0])
@pytest.mark.parametrize("examples", [5, 40])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_machine_is_the_closed_form(ridge, examples, weighted):
    torch.manual_seed(1)
    machine = ExtremeLearningMachine(6, 9, CLASSES)
    generator = np.random.default_rng(3)
    vectors, targets = generator.normal(size=(examples, 6)), generator.normal(size=(examples, 3))
    weights = generator.uniform(0.5, 2, examples) if weighted else np.ones(examples)
    given = torch.from_numpy(weights) if weighted else None
    machine.solve(torch.from_numpy(vectors), torch.from_numpy(targets), ridge, given)
    hidden = hidden_of(machine, vectors)
    if ridge:
        balanced = hidden.T @ (weights[:, None] * hidden) + ridge * np.eye(9)
        wanted = np.linalg.solve(balanced, hidden.T @ (weights[:, None] * targets))
    else:
        root = np.sqrt(weights)[:, None]
        wanted = np.linalg.lstsq(root * hidden, root * targets, rcond=None)[0]
    np.testing.assert_allclose(machine.output.weight.detach().numpy().T, wanted, atol=1e-4)
    found = machine(torch.from_numpy(vectors).float()).detach().numpy()
    np.testing.assert_allclose(found, hidden @ wanted, atol=1e-4)


def test_before_it_is_solved_the_mean_probability_answers_and_then_the_machine():
    module, heard = network(), stream((7, 2, 1, 5), padding=3)
    before = module(heard)
    own = [probabilities_of(module, f[:n]) for f, n in zip(*heard, strict=True)]
    means = np.array([p.mean(axis=0) for p in own])
    np.testing.assert_allclose(before.logits.detach().numpy(), np.log(means), atol=1e-5)
    for row, probabilities in enumerate(own):
        frames = before.frames[row, : len(probabilities)].softmax(dim=1).detach().numpy()
        np.testing.assert_allclose(frames, probabilities, atol=1e-6)
    vectors = np.array(
        [np.r_[p.max(axis=0), p.min(axis=0), p.mean(axis=0), (p > 0.3).mean(axis=0)] for p in own]
    )
    np.testing.assert_allclose(before.embedding.detach().numpy(), vectors, atol=1e-6)
    labels = np.array([0, 2, 1, 2])
    module.solve(before.embedding, torch.from_numpy(labels), ridge=0.1)
    hidden = hidden_of(module.machine, vectors)
    targets = np.eye(CLASSES)[labels]
    solution = np.linalg.solve(hidden.T @ hidden + 0.1 * np.eye(8), hidden.T @ targets)
    found = module(heard).logits.detach().numpy()
    np.testing.assert_allclose(found, hidden @ solution, atol=1e-5)


def test_weights_that_are_loaded_bring_that_it_is_solved():
    module, heard = network(), stream((7, 2, 1, 5))
    module.solve(module(heard).embedding, torch.tensor([0, 2, 1, 2]), ridge=0.1)
    torch.manual_seed(99)
    other = RnnElm(FrameClassifier(WIDTH, 4, 2, CLASSES), CLASSES, 8, 0.3).eval()
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(heard).logits, module(heard).logits)


def test_a_class_that_no_frame_believes_in_has_finite_logits():
    module = network()
    with torch.no_grad():
        module.frames.scores.bias.copy_(torch.tensor([0.0, 0.0, -500.0]))
    logits = module(stream((4, 2))).logits
    assert torch.isfinite(logits).all()
    assert (logits[:, 2] < -400).all()


def test_the_seed_draws_the_hidden_layer():
    one, same = network(), network()
    torch.manual_seed(3)
    other = RnnElm(FrameClassifier(WIDTH, 4, 2, CLASSES), CLASSES, 8, 0.3)
    assert torch.equal(one.machine.weight, same.machine.weight)
    assert not torch.equal(one.machine.weight, other.machine.weight)
    assert one.machine.weight.abs().max() <= 1
