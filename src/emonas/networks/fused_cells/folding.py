"""What lies between two passes over the images: from moments and weights to maps, and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from emonas.networks.fused_cells.statistics import Moments, leaf, normalised, standardised
from emonas.networks.fused_cells.weights import FIRST_KERNELS, SEPARABLE, EdgeWeights


class Folding:
    """Tensors without pixels, with the graph by which autograd goes back from maps to weights."""

    def __init__(self, weights: EdgeWeights) -> None:
        self.mixing, self.first_map = leaf(weights.mixing), leaf(weights.first_map)
        self.second_map = leaf(weights.second_map)
        self.halves = None if weights.halves is None else leaf(weights.halves)

    @torch.enable_grad()
    def set_first(self, convolved: Moments, pooled: Moments, parts: Moments | None) -> None:
        """Take in the moments behind the first convolutions, (edges, 4, ...), of the pooled state,
        (pools, ...), and of the parts of the rectified state that `halves` map, (2, ...).
        """
        self.convolved, self.pooled = Moments(*map(leaf, convolved)), Moments(*map(leaf, pooled))
        self.parts = None if parts is None else Moments(*map(leaf, parts))
        between = Moments(*(part[:, :SEPARABLE] for part in self.convolved))
        self.between = normalised(self.first_map[:, :SEPARABLE], between)

    @torch.enable_grad()
    def set_second(self, again: Moments) -> None:
        """Take in the moments behind the second convolutions, (edges, 2, ...)."""
        self.again = Moments(*map(leaf, again))
        dilated = Moments(*(part[:, SEPARABLE:] for part in self.convolved))
        maps = [
            normalised(self.second_map, self.again),
            normalised(self.first_map[:, SEPARABLE:], dilated),
        ]
        operations = len(FIRST_KERNELS)
        own, shares = self.mixing[:, :operations], self.mixing[:, operations:]
        scale, offset = standardised(self.pooled)
        pools = len(scale)
        self.matrices = torch.cat([each.matrices for each in maps], 1) * own[..., None, None]
        offsets = (torch.cat([each.offsets for each in maps], 1) * own[..., None]).sum(dim=1)
        self.offsets = offsets + shares[:, :pools] @ offset
        scaled = shares[:, :pools, None] * scale
        if self.halves is None or self.parts is None:
            same = shares[:, pools:, None].expand(-1, -1, scale.shape[1])
            self.scales = torch.cat([scaled, same], 1)
            return
        even = self.halves.shape[1] // 2
        rows = self.halves[:, :even], self.halves[:, even:]
        moments = zip(*self.parts, strict=True)
        skips = [normalised(each, Moments(*of)) for each, of in zip(rows, moments, strict=True)]
        share = shares[:, pools, None]
        self.scales = scaled
        self.skips = torch.cat([each.matrices for each in skips], 1) * share[..., None]
        self.offsets = self.offsets + torch.cat([each.offsets for each in skips], 1) * share

    def last_gradients(self, to_last: Sequence[Tensor]) -> list[Tensor]:
        """From those of `matrices`, `offsets`, `scales` and, at stride 2, `skips` to those of the
        three weights, of the moments of `convolved`, `again`, `pooled`, and of `halves` and
        `parts`.
        """
        leaves = [self.mixing, self.first_map, self.second_map]
        leaves += [*self.convolved, *self.again, *self.pooled]
        last = [self.matrices, self.offsets, self.scales]
        if self.halves is not None and self.parts is not None:
            leaves += [self.halves, *self.parts]
            last.append(self.skips)
        return list(torch.autograd.grad(last, leaves, list(to_last)))

    def between_gradients(self, to_between: Sequence[Tensor]) -> list[Tensor]:
        """From those of the map between two convolutions to those of `first_map` and of the
        moments before it.
        """
        leaves = [self.first_map, *self.convolved]
        return list(torch.autograd.grad(list(self.between), leaves, list(to_between)))
