"""What the search network and the derived one share: stem, order and width of the cells."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from emonas.networks.cell_operations import FactorizedReduce
from emonas.networks.streams import Stream

STEM_MULTIPLIER = 3
"""The stem has 3 C channels (DARTS' code)."""


class CellShape(NamedTuple):
    """One cell: the channels of the two cells before and its own, whether it halves the image, and
    whether the cell before did.
    """

    older: int
    last: int
    channels: int
    reduction: bool
    after_reduction: bool


def plan_cells(channels: int, cells: int, nodes: int) -> list[CellShape]:
    """The cells of a network; those at a third and two thirds halve the image and double the
    channels (DARTS' code).
    """
    older = last = STEM_MULTIPLIER * channels
    reductions = {cells // 3, 2 * cells // 3}
    shapes: list[CellShape] = []
    for number in range(cells):
        reduction = number in reductions
        channels *= 2 if reduction else 1
        after_reduction = number > 0 and shapes[-1].reduction
        shapes.append(CellShape(older, last, channels, reduction, after_reduction))
        older, last = last, nodes * channels
    return shapes


def cell_edges(nodes: int) -> tuple[tuple[int, int], ...]:
    """All edges of a cell as (node, source), in the order of the alphas' rows."""
    return tuple((node, source) for node in range(nodes) for source in range(2 + node))


def edge_stride(reduction: bool, source: int) -> int:
    """2 for edges out of the inputs of a reduction cell, else 1 (EmotionNAS v1, 2.1)."""
    return 2 if reduction and source < 2 else 1


def make_stem(channels: int) -> nn.Sequential:
    """From one channel to 3 C."""
    width = STEM_MULTIPLIER * channels
    return nn.Sequential(nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))


def make_preprocess(shape: CellShape, *, affine: bool) -> tuple[nn.Sequential, nn.Sequential]:
    """Bring both inputs of a cell to its channels, and the older one to the size of the last."""
    last = _pointwise(shape.last, shape.channels, affine)
    if not shape.after_reduction:
        return _pointwise(shape.older, shape.channels, affine), last
    halve = FactorizedReduce(shape.older, shape.channels, affine)
    return nn.Sequential(nn.ReLU(), halve), last


def stem_image(stem: nn.Module, stream: Stream, *, planes: bool = False) -> Tensor:
    """The stem's image of frames (batch, time, features): (batch, 3 C, time, features).

    On a CPU torch's depthwise convolutions run several times faster with channels last, which
    `planes` leaves out.
    """
    image: Tensor = stem(stream.frames[:, None])
    if image.device.type == "cpu" and not planes:
        return image.contiguous(memory_format=torch.channels_last)
    return image


def _pointwise(inputs: int, outputs: int, affine: bool) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs, affine=affine),
    )
