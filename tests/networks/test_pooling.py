import math

import numpy as np
import pytest
import torch

from emonas.networks.pooling import AttentionPooling, mean_and_deviation
from emonas.networks.streams import Stream

LENGTHS = (1, 7, 3, 12)


def stream(padding=0, seed=4, width=5):
    """Utterances of their own lengths, zeros behind."""
    generator = torch.Generator().manual_seed(seed)
    frames = torch.zeros(len(LENGTHS), max(LENGTHS) + padding, width)
    for row, length in enumerate(LENGTHS):
        frames[row, :length] = torch.randn(length, width, generator=generator)
    return Stream(frames, torch.tensor(LENGTHS))


def test_the_mask_is_true_where_a_frame_belongs():
    for row, length in zip(stream(3).mask.tolist(), LENGTHS, strict=True):
        assert row == [True] * length + [False] * (15 - length)


@pytest.mark.parametrize("padding", [0, 1, 50])
def test_attention_is_a_softmax_over_the_utterances_own_frames(padding):
    torch.manual_seed(0)
    pooling = AttentionPooling(5)
    batch = stream(padding)
    found = pooling(batch.frames, batch.mask)
    weight, bias = pooling.score.weight[0].tolist(), pooling.score.bias.item()
    for row, length in enumerate(LENGTHS):
        frames = batch.frames[row, :length].tolist()
        scores = [
            math.exp(sum(w * x for w, x in zip(weight, frame, strict=True)) + bias)
            for frame in frames
        ]
        wanted = [
            sum(
                score / sum(scores) * frame[place]
                for score, frame in zip(scores, frames, strict=True)
            )
            for place in range(5)
        ]
        torch.testing.assert_close(found[row], torch.tensor(wanted), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rubbish", [1e9, float("inf"), float("nan")])
def test_attention_never_sees_padding(rubbish):
    pooling = AttentionPooling(5)
    batch = stream(6)
    wanted = pooling(batch.frames, batch.mask)
    spoilt = batch.frames.masked_fill(~batch.mask[..., None], rubbish)
    spoilt.requires_grad_()
    found = pooling(spoilt, batch.mask)
    assert torch.equal(found, wanted)
    found.sum().backward()
    assert spoilt.grad[~batch.mask].abs().max() == 0
    assert pooling.score.weight.grad.isfinite().all()


@pytest.mark.parametrize("padding", [0, 1, 50])
def test_mean_and_deviation_are_numpys(padding):
    batch = stream(padding)
    found = mean_and_deviation(batch).numpy()
    for row, length in enumerate(LENGTHS):
        own = batch.frames[row, :length].numpy()
        wanted = np.r_[own.mean(axis=0), own.std(axis=0)]
        np.testing.assert_allclose(found[row], wanted, rtol=1e-5, atol=1e-6)
