"""Utterances of different lengths without their padding."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor


class Packing(NamedTuple):
    """Where the frames of a batch stand when they are ordered by time and, within a time, from the
    longest utterance to the shortest; the frames of one time are then the first of the one before.

    `rows` (frames) has each frame's place in the padded batch, counted over (batch * time);
    `mirror` (frames) the packed place of the frame as far from its utterance's end as this one is
    from the start; `before` (frames after the first of each utterance) the packed place of the
    frame before. `sizes` has the utterances that are still there at each time.
    """

    rows: Tensor
    mirror: Tensor
    before: Tensor
    sizes: tuple[int, ...]

    @property
    def starts(self) -> tuple[int, ...]:
        """The packed place of the first frame of each time."""
        return tuple(accumulate(self.sizes[:-1], initial=0))


def pack(lengths: Tensor, steps: int) -> Packing:
    """The packing of a batch that is padded to `steps`; a network that only counts has no lengths,
    and its utterances count as whole.
    """
    if lengths.is_meta:
        frames = len(lengths) * steps
        rows, before = (
            torch.empty(count, dtype=torch.long, device="meta")
            for count in (frames, frames - len(lengths))
        )
        return Packing(rows, rows, before, (len(lengths),) * steps)
    # The one word from the device to the host: how many steps there are.
    ordered, order = lengths.cpu().sort(descending=True, stable=True)
    there = torch.arange(int(ordered[0]))[:, None] < ordered
    time, rank = there.nonzero(as_tuple=True)
    place = torch.zeros(there.shape, dtype=torch.long)
    place[time, rank] = torch.arange(len(time))
    indices = (
        order[rank] * steps + time,
        place[ordered[rank] - 1 - time, rank],
        place[time - 1, rank][time > 0],
    )
    rows, mirror, before = (part.to(lengths.device) for part in indices)
    return Packing(rows, mirror, before, tuple(there.sum(dim=1).tolist()))
