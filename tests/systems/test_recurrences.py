import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from emonas.systems.recurrences import CountRecurrences

KINDS = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn": nn.RNN,
    "relu": lambda *sizes, **more: nn.RNN(*sizes, nonlinearity="relu", **more),
    "projected": lambda *sizes, **more: nn.LSTM(*sizes, proj_size=3, **more),
}


def flat(answer):
    states, last = answer
    return [states, *(last if isinstance(last, tuple) else (last,))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_as_torch_counts_step_by_step(kind, layers, bidirectional, batch_first):
    options = {"bidirectional": bidirectional, "batch_first": batch_first}
    cells = KINDS[kind](7, 5, layers, **options).to("meta").eval()
    frames = torch.empty(4, 9, 7, device="meta")
    with FlopCounterMode(display=False) as steps:
        wanted = flat(cells(frames))
    with FlopCounterMode(display=False) as nothing, CountRecurrences() as counter:
        found = flat(cells(frames))
    assert counter.macs == steps.get_total_flops() // 2
    assert nothing.get_total_flops() == 0
    assert [state.shape for state in found] == [state.shape for state in wanted]


def test_other_layers_compute_as_ever():
    torch.manual_seed(3)
    layer, values = nn.Linear(4, 2), torch.randn(5, 4)
    with CountRecurrences() as counter:
        inside = layer(values)
    assert torch.equal(inside, layer(values))
    assert counter.macs == 0
