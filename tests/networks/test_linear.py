import numpy as np
import pytest
import torch

from emonas.networks.linear import PooledLinear
from emonas.networks.streams import Stream


def ragged(lengths, width, padding=0):
    frames = torch.zeros(len(lengths), max(lengths) + padding, width)
    for row, length in enumerate(lengths):
        frames[row, :length] = torch.randn(length, width)
    return Stream(frames, torch.tensor(lengths))


def network():
    torch.manual_seed(5)
    module = PooledLinear((3, 4), 3)
    module.set_vectors([False, True])
    module.centre.normal_()
    module.scale.uniform_(0.5, 2.0)
    return module


def test_streams_are_pooled_or_taken_as_they_are():
    module = network()
    frames, vector = ragged((5, 2, 8), 3, padding=4), ragged((1, 1, 1), 4)
    output = module(frames, vector)
    weight, bias = (p.detach().numpy() for p in module.classifier.parameters())
    for row, length in enumerate((5, 2, 8)):
        own = frames.frames[row, :length].numpy()
        pooled = np.r_[own.mean(axis=0), own.std(axis=0), vector.frames[row, 0].numpy()]
        embedding = (pooled - module.centre.numpy()) / module.scale.numpy()
        np.testing.assert_allclose(output.embedding[row].detach(), embedding, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            output.logits[row].detach(), weight @ embedding + bias, rtol=1e-4, atol=1e-5
        )


def test_an_utterance_alone_gives_what_it_gives_in_a_batch():
    module = network()
    frames, vector = ragged((5, 2, 8), 3, padding=30), ragged((1, 1, 1), 4)
    together = module(frames, vector).logits
    for row, length in enumerate((5, 2, 8)):
        own = Stream(frames.frames[row : row + 1, :length], torch.tensor([length]))
        one = Stream(vector.frames[row : row + 1], torch.tensor([1]))
        torch.testing.assert_close(module(own, one).logits[0], together[row], rtol=0, atol=1e-5)


def test_weights_that_are_loaded_bring_their_sizes():
    module, other = network(), PooledLinear((3, 4), 3)
    streams = ragged((5, 2, 8), 3), ragged((1, 1, 1), 4)
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(*streams).logits, module(*streams).logits)


@pytest.mark.parametrize("widths", [(3,), (3, 4, 5), (4, 3)])
def test_weights_of_other_streams_are_refused(widths):
    with pytest.raises(RuntimeError, match="size mismatch"):
        PooledLinear(widths, 3).load_state_dict(network().state_dict())
