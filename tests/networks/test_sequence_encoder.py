import math

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from emonas.networks.sequence_encoder import SequenceEncoder, VectorEncoder
from emonas.networks.streams import Stream

WIDTH, CHANNELS, HIDDEN, SIZE = 5, 7, 4, 6


def make_encoder(layers=2):
    torch.manual_seed(3)
    return SequenceEncoder(WIDTH, CHANNELS, HIDDEN, layers, SIZE)


def convolve(layer, frames):
    """One kernel after the other over the frames of one utterance, zeros around them."""
    reach = layer.kernel_size[0] // 2
    rows = []
    for time in range(len(frames)):
        row = layer.bias.clone()
        for step in range(-reach, reach + 1):
            if 0 <= time + step < len(frames):
                row = row + layer.weight[:, :, step + reach] @ frames[time + step]
        rows.append(row)
    return torch.stack(rows)


def encode(module, frames):
    """One utterance (time, width), no padding; eqs. 1 and 2 a key and a value a frame."""
    states, _ = module.cells(convolve(module.narrow, frames) + convolve(module.wide, frames))
    last = torch.cat([states[-1, :HIDDEN], states[0, HIDDEN:]])
    attention = module.attention
    query = attention.query.weight @ last
    scores = [query @ (attention.key.weight @ h) / math.sqrt(SIZE) for h in states]
    weights = torch.stack(scores).softmax(dim=0)
    return sum(w * (attention.value.weight @ h) for w, h in zip(weights, states, strict=True))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("lengths", [(9, 9), (1, 7, 3), (4,), (2, 12, 1, 5)])
@pytest.mark.parametrize("padding", [0, 6])
def test_an_encoder_is_its_equations_utterance_by_utterance(layers, lengths, padding):
    module = make_encoder(layers)
    frames = 3 * torch.randn(len(lengths), max(lengths) + padding, WIDTH)
    found = module(Stream(frames, torch.tensor(lengths)))
    assert found.shape == (len(lengths), SIZE)
    for row, length in enumerate(lengths):
        wanted = encode(module, frames[row, :length])
        torch.testing.assert_close(found[row], wanted, rtol=1e-5, atol=1e-6)


def test_attention_of_the_test_is_not_flat():
    module = make_encoder()
    states = 3 * torch.randn(1, 9, 2 * HIDDEN)
    mask = torch.ones(1, 9, dtype=torch.bool)
    attended = module.attention(states[:, -1], states, mask)
    mean = module.attention.value(states.mean(dim=1))
    assert (attended - mean).abs().max() > 1e-2


@pytest.mark.parametrize("filler", [0.0, 7.0, float("nan")])
def test_padding_of_any_length_and_content_changes_nothing(filler):
    module = make_encoder()
    lengths = torch.tensor([6, 2, 4])
    frames = torch.randn(3, 6, WIDTH)
    alone = module(Stream(frames, lengths))
    for padding in (1, 2, 50):
        padded = nn.functional.pad(frames, (0, 0, 0, padding))
        behind = torch.arange(6 + padding) >= lengths[:, None]
        padded = padded.masked_fill(behind[..., None], filler).requires_grad_()
        found = module(Stream(padded, lengths))
        torch.testing.assert_close(found, alone, rtol=0, atol=1e-6)
        found.square().sum().backward()
        assert not padded.grad[behind].any()
        assert padded.grad[~behind].all()


def test_every_weight_learns():
    module = make_encoder()
    module(Stream(torch.randn(3, 8, WIDTH), torch.tensor([8, 5, 3]))).square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_shapes_alone_are_computed_and_counted():
    module = make_encoder(1).to("meta").eval()
    stream = Stream(
        torch.empty(1, 10, WIDTH, device="meta"),
        torch.empty(1, dtype=torch.long, device="meta"),
    )
    with FlopCounterMode(display=False) as counter:
        assert module(stream).shape == (1, SIZE)
    convolutions = 10 * WIDTH * CHANNELS * (3 + 5)
    recurrence = 2 * 10 * 4 * HIDDEN * (CHANNELS + HIDDEN)
    attention = 3 * SIZE * 2 * HIDDEN + 2 * 10 * 2 * HIDDEN
    assert counter.get_total_flops() == 2 * (convolutions + recurrence + attention)


def one_frame(width):
    return Stream(torch.randn(4, 1, width), torch.ones(4, dtype=torch.long))


def test_a_vector_of_the_size_stays_as_it_is():
    stream = one_frame(SIZE)
    module = VectorEncoder(SIZE, SIZE)
    assert torch.equal(module(stream), stream.frames[:, 0])
    assert not list(module.parameters())


@pytest.mark.parametrize(("width", "hidden"), [(9, ()), (9, (11,)), (9, (11, 3)), (SIZE, (11,))])
def test_any_other_vector_goes_through_layers(width, hidden):
    stream = one_frame(width)
    module = VectorEncoder(width, SIZE, hidden)
    linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [*hidden, SIZE]
    state = stream.frames[:, 0]
    for layer in linear[:-1]:
        state = (state @ layer.weight.T + layer.bias).clamp_min(0)
    wanted = state @ linear[-1].weight.T + linear[-1].bias
    torch.testing.assert_close(module(stream), wanted)
    assert (wanted < 0).any()
