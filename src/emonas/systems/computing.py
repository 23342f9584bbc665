"""How much a network computes, as torch counts it: multiply-accumulates of a forward pass."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch.utils.flop_counter import FlopCounterMode

from emonas.systems.recurrences import CountRecurrences

if TYPE_CHECKING:
    from torch import nn

    from emonas.learning.batches import Examples


def utterance_macs(network: nn.Module, examples: Examples) -> int:
    """The multiply-accumulates of the first of some utterances.

    torch counts matrix products and convolutions; pooling, norms and activations count nothing.
    Shapes alone are computed, because on a CPU torch can't see into its recurrences.
    """
    shapes_only = torch.device("meta")
    sketch = copy.deepcopy(network).to(shapes_only).eval()
    recurrences = CountRecurrences()
    with FlopCounterMode(display=False) as counter, recurrences, torch.no_grad():
        examples.take([0]).batch().to(shapes_only).through(sketch)
    operations: int = counter.get_total_flops()
    return operations // 2 + recurrences.macs


def pass_macs(network: nn.Module, examples: Examples) -> int:
    """Those of all utterances: the first one's, by how many frames there are in all."""
    lengths = examples.lengths
    return round(utterance_macs(network, examples) * int(lengths.sum()) / int(lengths[0]))
