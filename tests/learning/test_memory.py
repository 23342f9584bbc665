"""What saves memory, and what it changes: pieces of a batch, and mixed precision."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from emonas.learning.batches import Batches, Examples
from emonas.learning.options import TrainingOptions
from emonas.learning.supervised import SupervisedLearner
from emonas.networks.pooling import mean_over_frames
from emonas.networks.streams import Output

DEVICE = torch.device("cpu")


class Toy(nn.Module):
    """A map of each frame and the mean; it notes the precision of what it computes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.frozen, self.learns = nn.Linear(3, 8), nn.Linear(8, 2)
        self.frozen.requires_grad_(False)
        self.seen = []

    def forward(self, stream):
        hidden = self.frozen(stream.frames)
        self.seen.append((hidden.dtype, len(stream.frames)))
        pooled = mean_over_frames(stream._replace(frames=hidden.float().relu()))
        return Output(self.learns(pooled), pooled)


@pytest.fixture
def batch():
    generator = np.random.default_rng(1)
    frames = [generator.normal(size=(n % 5 + 1, 3)).astype(np.float32) for n in range(10)]
    examples = Examples((frames,), np.arange(10, dtype=np.int64) % 2)
    return next(Batches(examples, 10).epoch())


def learner(network, pieces=1, **changes):
    options = TrainingOptions(batch=10, **changes)
    return SupervisedLearner(network, options, DEVICE, pieces=pieces)


@pytest.mark.parametrize("pieces", [2, 3, 10, 64])
def test_a_batch_in_pieces_makes_the_same_step(batch, pieces):
    """Stochastic gradient descent, whose step is the gradient itself."""
    whole, parts = Toy(), Toy()
    options = {"optimiser": "sgd", "learning_rate": 0.5, "momentum": 0.0}
    one = learner(whole, **options).train_batch(batch)
    other = learner(parts, pieces=pieces, **options).train_batch(batch)
    assert other.loss == pytest.approx(one.loss, rel=1e-6)
    torch.testing.assert_close(other.logits, one.logits)
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], weight, rtol=1e-5, atol=1e-7)
    assert [count for _, count in whole.seen] == [10]
    assert max(count for _, count in parts.seen) == -(-10 // min(pieces, 10))


def test_mixed_precision_computes_in_bfloat16_and_keeps_weights_and_optimiser_in_float32(batch):
    network = Toy()
    mixed = learner(network, precision="mixed")
    scored = mixed.train_batch(batch)
    assert network.seen == [(torch.bfloat16, 10)]
    assert np.isfinite(scored.loss)
    state = mixed.state()
    kept = [*state["network"].values()]
    kept += [t for moments in state["optimiser"]["state"].values() for t in moments.values()]
    assert {tensor.dtype for tensor in kept} == {torch.float32}
    full = learner(Toy()).train_batch(batch)
    assert scored.loss == pytest.approx(full.loss, rel=0.02)


def test_a_frozen_weight_is_no_optimiser_s_business(batch):
    network = Toy()
    before = copy.deepcopy(network.state_dict())
    made = learner(network, weight_decay=0.5, clip=1.0)
    for _ in range(3):
        made.train_batch(batch)
    after = network.state_dict()
    assert torch.equal(after["frozen.weight"], before["frozen.weight"])
    assert not torch.equal(after["learns.weight"], before["learns.weight"])
    assert network.frozen.weight.grad is None
