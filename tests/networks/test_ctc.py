from itertools import groupby, product

import numpy as np
import pytest
import torch

from emonas.networks.ctc import CtcRnn, sequence_likelihoods
from emonas.networks.frame_classifier import FrameClassifier
from emonas.networks.streams import Stream

CLASSES = 3
BLANK = CLASSES


def random_logs(lengths, seed=1):
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(len(lengths), max(lengths) + 2, CLASSES + 1))
    return scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))


def likelihood(logs, sequence):
    """The sum over every path of one utterance (time, classes + 1) that collapses to it."""
    total = 0.0
    for path in product(range(CLASSES + 1), repeat=len(logs)):
        collapsed = [unit for unit, _ in groupby(path) if unit != BLANK]
        if collapsed == list(sequence):
            total += np.exp(sum(logs[time, unit] for time, unit in enumerate(path)))
    return np.log(total)


@pytest.mark.parametrize("labels", [1, 2, 3])
def test_likelihoods_are_the_sum_over_all_paths(labels):
    lengths = (5, 1, 2, 6, 4)
    logs = random_logs(lengths)
    tensor = torch.from_numpy(logs).float()
    found = sequence_likelihoods(tensor, torch.tensor(lengths), labels).numpy()
    for row, length in enumerate(lengths):
        # As many as fit, with a blank between two.
        fitting = min(labels, (length + 1) // 2)
        wanted = [likelihood(logs[row, :length], [k] * fitting) for k in range(CLASSES)]
        np.testing.assert_allclose(found[row], wanted, rtol=0, atol=1e-5)


def test_the_gradient_is_that_of_the_sum_over_all_paths():
    logs = torch.from_numpy(random_logs((4,))).requires_grad_(requires_grad=True)
    sequence_likelihoods(logs.log_softmax(dim=2), torch.tensor([4]), 1)[0, 1].backward()
    step = 1e-5
    for time, unit in np.ndindex(4, CLASSES + 1):
        sides = []
        for sign in (1, -1):
            moved = logs.detach().numpy()[0].copy()
            moved[time, unit] += sign * step
            moved -= np.log(np.exp(moved).sum(axis=1, keepdims=True))
            sides.append(likelihood(moved[:4], [1]))
        wanted = (sides[0] - sides[1]) / (2 * step)
        assert float(logs.grad[0, time, unit]) == pytest.approx(wanted, abs=1e-6)
    assert not logs.grad[0, 4:].any()


def test_logits_are_likelihoods_and_the_embedding_is_the_mean_state():
    torch.manual_seed(2)
    network = CtcRnn(FrameClassifier(5, 4, 1, CLASSES + 1), 1).eval()
    frames = torch.full((2, 6, 5), 9.0)
    own = [torch.randn(4, 5), torch.randn(2, 5)]
    for row, utterance in enumerate(own):
        frames[row, : len(utterance)] = utterance
    output = network(Stream(frames, torch.tensor([4, 2])))
    for row, utterance in enumerate(own):
        states, _ = network.frames.layers.cells(utterance)
        logs = network.frames.scores(states).log_softmax(dim=1).detach().numpy()
        wanted = [likelihood(logs, [k]) for k in range(CLASSES)]
        np.testing.assert_allclose(output.logits[row].detach(), wanted, atol=1e-5)
        torch.testing.assert_close(output.embedding[row], states.mean(dim=0), rtol=0, atol=1e-6)


def test_hundreds_of_frames_keep_their_decimals():
    """Closed form of one label: blanks, the label's run, blanks."""
    steps = 900
    scores = np.random.default_rng(8).normal(size=(steps, 2))
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    label, blank = (np.r_[0, logs[:, unit].cumsum()] for unit in (0, 1))
    paths = [
        blank[first] + label[end] - label[first] + blank[-1] - blank[end]
        for first in range(steps)
        for end in range(first + 1, steps + 1)
    ]
    wanted = np.logaddexp.reduce(paths)
    found = sequence_likelihoods(torch.from_numpy(logs)[None], torch.tensor([steps]), 1)
    assert float(found[0, 0]) == pytest.approx(wanted, rel=1e-9)
