import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from emonas.networks.parallel_gru import ParallelGru
from emonas.networks.parallel_recurrence import Part

BLOCKS, WIDTH, HIDDEN = 3, 7, 4
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    assert torch.get_num_threads() == request.param
    torch.set_num_threads(before)


def pair(layers):
    """The same weights in both forms."""
    torch.manual_seed(layers)
    together = ParallelGru(BLOCKS, WIDTH, HIDDEN, layers)
    each = [
        nn.GRU(WIDTH, HIDDEN, layers, batch_first=True, bidirectional=True) for _ in range(BLOCKS)
    ]
    with torch.no_grad():
        for own, theirs in weights(together, each):
            own.copy_(theirs)
    return together, each


def weights(together, each):
    """A view of our weights beside torch's, one by one; of gradients, where there are any."""
    for number, layer in enumerate(together.layers):
        for name in NAMES:
            own = getattr(layer, name)
            for direction, suffix in enumerate(("", "_reverse")):
                for block, unit in enumerate(each):
                    theirs = getattr(unit, f"{name}_l{number}{suffix}")
                    if own.grad is None:
                        yield own[direction, block], theirs
                    else:
                        yield own.grad[direction, block], theirs.grad


def one_after_the_other(each, frames, lengths):
    states = []
    for block, unit in enumerate(each):
        packed = pack_padded_sequence(
            frames[:, block], lengths, batch_first=True, enforce_sorted=False
        )
        states.append(
            pad_packed_sequence(unit(packed)[0], batch_first=True, total_length=frames.shape[2])[0]
        )
    return torch.stack(states, dim=1)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(
    "lengths", [(6, 6, 6), (1, 1), (1,), (3, 11, 1, 11, 6), (2, 4, 9), (9, 4, 2)]
)
@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.usefixtures("threads")
def test_it_is_torchs_gru_a_block_with_all_gradients(layers, lengths, padding):
    together, each = pair(layers)
    lengths = torch.tensor(lengths)
    shape = (len(lengths), BLOCKS, int(lengths.max()) + padding, WIDTH)
    frames = torch.randn(shape, requires_grad=True)
    same = frames.detach().clone().requires_grad_()
    own, theirs = together(frames, lengths), one_after_the_other(each, same, lengths)
    torch.testing.assert_close(own, theirs, rtol=0, atol=1e-5)
    weighing = torch.randn_like(own)
    (own * weighing).sum().backward()
    (theirs * weighing).sum().backward()
    torch.testing.assert_close(frames.grad, same.grad, rtol=0, atol=1e-5)
    for found, wanted in weights(together, each):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_the_gradient_is_that_of_differences():
    torch.manual_seed(1)
    gru = ParallelGru(2, 3, 2, 2).double()
    frames = torch.randn(3, 2, 4, 3, dtype=torch.double, requires_grad=True)
    lengths = torch.tensor([2, 4, 1])
    names, values = zip(*gru.named_parameters(), strict=True)

    def states(given, *parameters):
        named = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(gru, named, (given, lengths))

    assert torch.autograd.gradcheck(states, (frames, *values))


@pytest.mark.usefixtures("threads")
def test_the_same_step_gives_the_same_bytes():
    together, _ = pair(2)
    frames, lengths = torch.randn(4, BLOCKS, 30, WIDTH), torch.tensor([30, 12, 5, 30])
    found = []
    for _ in range(3):
        states = together(frames, lengths)
        gradients = torch.autograd.grad(states.square().sum(), list(together.parameters()))
        found.append([states, *gradients])
    for again in found[1:]:
        assert all(torch.equal(one, other) for one, other in zip(found[0], again, strict=True))


def test_all_units_at_once_as_on_a_gpu_give_the_same(monkeypatch):
    together, _ = pair(2)
    frames, lengths = torch.randn(4, BLOCKS, 9, WIDTH), torch.tensor([9, 3, 5, 9])

    def everything():
        states = together(frames, lengths)
        return [states, *torch.autograd.grad(states.square().sum(), list(together.parameters()))]

    one_by_one = everything()

    def at_once(work, blocks, device):
        part = Part(0, 2, 0, blocks)
        return {part: work(part)}

    monkeypatch.setattr("emonas.networks.parallel_recurrence._for_parts", at_once)
    for one, other in zip(one_by_one, everything(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_a_gradient_can_be_taken_twice():
    together, _ = pair(2)
    states = together(torch.randn(2, BLOCKS, 5, WIDTH), torch.tensor([5, 3]))
    parameters = list(together.parameters())
    first = torch.autograd.grad(states.square().sum(), parameters, retain_graph=True)
    again = torch.autograd.grad(states.square().sum(), parameters)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_nothing_flows_from_or_into_padding():
    together, _ = pair(2)
    lengths = torch.tensor([4, 2])
    frames = torch.randn(2, BLOCKS, 6, WIDTH)
    with torch.no_grad():
        frames[0, :, 4:], frames[1, :, 2:] = float("nan"), float("inf")
    frames.requires_grad_()
    states = together(frames, lengths)
    assert states.isfinite().all()
    assert not states[1, :, 2:].any()
    states.sum().backward()
    assert not frames.grad[1, :, 2:].any()
    assert not frames.grad[0, :, 4:].any()
    assert frames.grad[1, :, :2].all()


def test_weights_are_as_many_and_start_as_torchs():
    torch.manual_seed(4)
    together, each = ParallelGru(3, 40, 25, 2), nn.GRU(40, 25, 2, bidirectional=True)
    count = sum(parameter.numel() for parameter in together.parameters())
    assert count == 3 * sum(parameter.numel() for parameter in each.parameters())
    for parameter in together.parameters():
        assert parameter.abs().max().item() == pytest.approx(1 / 5, rel=0.05)
        assert parameter.abs().max() <= 1 / 5
        assert parameter.mean().item() == pytest.approx(0, abs=0.02)


def test_dropout_acts_on_the_output_of_every_layer():
    torch.manual_seed(5)
    lengths = torch.tensor([30, 12])
    frames = torch.randn(2, BLOCKS, 30, WIDTH)
    alone = ParallelGru(BLOCKS, WIDTH, HIDDEN, 1, dropout=0.3)
    dropped, whole = alone(frames, lengths), alone.eval()(frames, lengths)
    kept = dropped != 0
    assert kept[0].float().mean().item() == pytest.approx(0.7, abs=0.05)
    torch.testing.assert_close(dropped[kept], whole[kept] / 0.7)
    two = ParallelGru(BLOCKS, WIDTH, HIDDEN, 2, dropout=0.3)
    again = two(frames, lengths)
    kept = again != 0
    # What is left differs by more than its scale: the first layer's output was dropped too.
    whole = two.eval()(frames, lengths)
    assert not torch.allclose(again[kept], whole[kept] / 0.7, atol=1e-3)


def test_it_runs_where_no_gradient_is_possible():
    """With more threads than one, each has its own mode."""
    gru = ParallelGru(3, 4, 2, 1).eval()
    frames, lengths = torch.randn(2, 3, 5, 4), torch.tensor([5, 3])
    with torch.no_grad():
        wanted = gru(frames, lengths)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with torch.inference_mode():
            found = gru(frames, lengths)
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(found.clone(), wanted)
