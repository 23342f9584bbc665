"""From features, as extractors give them, to the streams of a network: what `systems.data` and
`systems.normalising` do to arrays, on padded batches.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from emonas.networks.streams import Stream
from emonas.systems.normalising import _SMALLEST_OWN_DEVIATION, Normaliser, Whitening
from emonas.systems.options import InputOptions


class Hearing(nn.Module):
    """The streams of one system.

    Args:
        entries: of each stream the input that asks for it.
        normaliser: what the fold's training part says of the streams.
        longest: frames of each stream that are heard; None for all.
    """

    def __init__(
        self, entries: Sequence[InputOptions], normaliser: Normaliser, longest: int | None
    ) -> None:
        super().__init__()
        self._entries, self._longest = tuple(entries), longest
        self._standardises = bool(normaliser.standardisers)
        for number, standardiser in enumerate(normaliser.standardisers):
            self.register_buffer(f"mean{number}", torch.from_numpy(standardiser.mean))
            self.register_buffer(f"deviation{number}", torch.from_numpy(standardiser.deviation))
        whitening = normaliser.whitening
        self.whitening = None if whitening is None else _Whitened(whitening)

    def forward(self, streams: Sequence[Stream]) -> list[Stream]:
        """Features to what the network hears; what lies behind an utterance's end never counts."""
        heard = [
            self._standard(number, self._cut(_prepared(stream, entry)))
            for number, (stream, entry) in enumerate(zip(streams, self._entries, strict=True))
        ]
        return heard if self.whitening is None else self.whitening(heard)

    def _cut(self, stream: Stream) -> Stream:
        """What is behind the longest is there, as padding: where it begins would be a number that
        the graph is tied to.
        """
        if self._longest is None:
            return stream
        return _masked(stream.frames, stream.lengths.clamp(max=self._longest))

    def _standard(self, number: int, stream: Stream) -> Stream:
        if not self._standardises:
            return stream
        mean, deviation = (self.get_buffer(f"{name}{number}") for name in ("mean", "deviation"))
        return _masked((stream.frames - mean) / deviation, stream.lengths)


class _Whitened(nn.Module):
    """`Whitening` of streams of one vector an utterance."""

    def __init__(self, whitening: Whitening) -> None:
        super().__init__()
        self._streams = [int(number) for number in whitening.streams]
        for name in ("basis", "gains", "rest"):
            self.register_buffer(name, torch.from_numpy(getattr(whitening, name)))

    def forward(self, streams: list[Stream]) -> list[Stream]:
        """All streams, those that it maps replaced."""
        basis, gains, rest = (self.get_buffer(name) for name in ("basis", "gains", "rest"))
        own = [streams[number].frames for number in self._streams]
        vectors = torch.cat(own, dim=2)
        mapped = rest * vectors + ((vectors @ basis.T) * (gains - rest)) @ basis
        done = list(streams)
        parts = torch.split(mapped, [part.shape[2] for part in own], dim=2)
        for number, part in zip(self._streams, parts, strict=True):
            done[number] = Stream(part, streams[number].lengths)
        return done


def _prepared(stream: Stream, entry: InputOptions) -> Stream:
    """Frames as the input wants them; no other utterance has a say."""
    if entry.pool > 1:
        stream = _pooled(stream, entry.pool)
    if entry.normalise == "utterance":
        mean, deviation = _moments(stream)
        standard = (stream.frames.double() - mean) / deviation.clamp(min=_SMALLEST_OWN_DEVIATION)
        stream = _masked(standard.float(), stream.lengths)
    if entry.statistics:
        both = torch.cat(_moments(stream), dim=2).float()
        stream = Stream(both, torch.ones_like(stream.lengths))
    return stream


def _pooled(stream: Stream, group: int) -> Stream:
    """The mean of each so many consecutive frames; an utterance's last may be of fewer."""
    frames, lengths = _masked(*stream)
    steps = (frames.shape[1] + group - 1) // group
    whole = pad(frames.double(), (0, 0, 0, steps * group - frames.shape[1]))
    sums = whole.reshape(frames.shape[0], steps, group, frames.shape[2]).sum(dim=2)
    starts = group * torch.arange(steps, device=frames.device)
    counts = (lengths[:, None] - starts).clamp(1, group)
    return Stream((sums / counts[..., None]).float(), (lengths + group - 1) // group)


def _moments(stream: Stream) -> tuple[Tensor, Tensor]:
    """Mean and deviation over an utterance's own frames, (batch, 1, width) in double precision."""
    wide, mask = stream.frames.double(), stream.mask[..., None]
    count = stream.lengths[:, None, None]
    mean = (wide * mask).sum(dim=1, keepdim=True) / count
    variance = (((wide - mean) * mask) ** 2).sum(dim=1, keepdim=True) / count
    return mean, variance.sqrt()


def _masked(frames: Tensor, lengths: Tensor) -> Stream:
    """The frames with zeros behind each utterance's end."""
    mask = Stream(frames, lengths).mask[..., None]
    return Stream(frames.masked_fill(~mask, 0.0), lengths)
