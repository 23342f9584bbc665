"""Masking of time and features in training (SpecAugment, Park et al. 2019; not in the papers)."""

import torch

from emonas.networks.streams import Stream


def mask_stream(stream: Stream, time_share: float, feature_share: float) -> Stream:
    """Set one random span of frames and one of features to 0, an utterance at a time.

    A span's length is drawn uniformly from the whole numbers from 0 to the given share of the
    utterance, its start from where it fits.
    """
    frames = stream.frames
    batch, steps, width = frames.shape
    if steps > 1:
        frames = frames * _keep(stream.lengths, steps, time_share)[:, :, None]
        widths = torch.full((batch,), width, device=frames.device)
        frames = frames * _keep(widths, width, feature_share)[:, None, :]
    return Stream(frames, stream.lengths)


def _keep(lengths: torch.Tensor, size: int, share: float) -> torch.Tensor:
    """1 outside a random span of each row, 0 inside, (batch, size)."""
    draws = torch.rand(2, len(lengths)).to(lengths.device)
    longest = (share * lengths).floor()
    # Rounding may lift a draw just below 1 onto the bound itself.
    spans = torch.minimum((draws[0] * (longest + 1)).floor(), longest)
    starts = torch.minimum((draws[1] * (lengths - spans + 1)).floor(), lengths - spans)
    steps = torch.arange(size, device=lengths.device)
    inside = (steps >= starts[:, None]) & (steps < (starts + spans)[:, None])
    return (~inside).float()
