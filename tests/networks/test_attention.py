import math

import pytest
import torch

from emonas.networks.attention import ChannelTemporalAttention, SelfAttention

HEADS, HEAD_WIDTH, WIDTH = 3, 4, 6


def by_head(weights, features):
    """alpha_j for every head, from eq. 1 as it is printed; `features` (steps, width)."""
    return [
        (
            weights.query[head][None]
            @ (weights.key[head] @ features.T)
            / math.sqrt(weights.query.shape[1])
        ).softmax(dim=1)
        for head in range(len(weights.query))
    ]


def channel_temporal(module, states):
    """Eqs. 1 to 4 for one utterance, states (blocks, time, width), A_j and values built."""
    blocks, steps, _ = states.shape
    over_time, over_blocks = states.mean(dim=1), states.mean(dim=0)
    at_blocks = by_head(module.block_weights, over_time)
    at_frames = by_head(module.frame_weights, over_blocks)
    vectors = []
    for head, value in enumerate(module.values.weight):
        matrix = at_frames[head].T @ at_blocks[head]
        assert matrix.shape == (steps, blocks)
        values = torch.stack([value @ states[block].T for block in range(blocks)], dim=2)
        vectors.append(torch.stack([(sub * matrix).sum() for sub in values]))
    return torch.cat(vectors)


def self_attention(module, frames):
    """Eqs. 1 and 4 with one channel, frames (time, width)."""
    vectors = []
    for head, value in enumerate(module.values.weight):
        weights = by_head(module.weights, frames)[head][0]
        vectors.append(sum(w * (value @ frame) for w, frame in zip(weights, frames, strict=True)))
    return torch.cat(vectors)


@pytest.mark.parametrize("lengths", [(5, 5), (1, 7, 3), (4,), (2, 1)])
@pytest.mark.parametrize("padding", [0, 6])
def test_channel_temporal_attention_is_its_equations(lengths, padding):
    torch.manual_seed(len(lengths) + padding)
    module = ChannelTemporalAttention(WIDTH, HEADS, HEAD_WIDTH)
    states = 3 * torch.randn(len(lengths), 4, max(lengths) + padding, WIDTH)
    mask = torch.arange(states.shape[2]) < torch.tensor(lengths)[:, None]
    states.requires_grad_()
    vectors = module(states, mask)
    for row, length in enumerate(lengths):
        wanted = channel_temporal(module, states[row, :, :length])
        torch.testing.assert_close(vectors[row], wanted, rtol=1e-5, atol=1e-5)
    vectors.square().sum().backward()
    assert not states.grad.transpose(1, 2)[~mask].any()
    assert states.grad.transpose(1, 2)[mask].all()


@pytest.mark.parametrize("lengths", [(5, 5), (1, 7, 3), (4,), (2, 1)])
@pytest.mark.parametrize("padding", [0, 6])
def test_self_attention_is_its_equations(lengths, padding):
    torch.manual_seed(len(lengths) + padding)
    module = SelfAttention(WIDTH, HEADS, HEAD_WIDTH)
    frames = 3 * torch.randn(len(lengths), max(lengths) + padding, WIDTH)
    mask = torch.arange(frames.shape[1]) < torch.tensor(lengths)[:, None]
    frames.requires_grad_()
    vectors = module(frames, mask)
    for row, length in enumerate(lengths):
        wanted = self_attention(module, frames[row, :length])
        torch.testing.assert_close(vectors[row], wanted, rtol=1e-5, atol=1e-5)
    vectors.square().sum().backward()
    assert not frames.grad[~mask].any()
    assert frames.grad[mask].all()


def test_the_gradients_of_the_weights_are_those_of_the_equations():
    torch.manual_seed(8)
    module = ChannelTemporalAttention(WIDTH, HEADS, HEAD_WIDTH)
    states = torch.randn(2, 4, 9, WIDTH)
    mask = torch.arange(9) < torch.tensor([9, 5])[:, None]
    parameters = list(module.parameters())
    found = torch.autograd.grad(module(states, mask).square().sum(), parameters)
    loop = [channel_temporal(module, states[0]), channel_temporal(module, states[1, :, :5])]
    wanted = torch.autograd.grad(torch.stack(loop).square().sum(), parameters)
    for own, by_hand in zip(found, wanted, strict=True):
        torch.testing.assert_close(own, by_hand, rtol=1e-4, atol=1e-5)
