"""Whisper's encoder (Radford et al. 2022) as one that is trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from emonas.checkpoints.whisper import FRAME
from emonas.networks.streams import Stream
from emonas.networks.waveform_encoder import Depth, Encoded, WaveformEncoder


class TunedWhisperEncoder(WaveformEncoder):
    """The encoder over a context that is cut from its 30 s to the longest utterance.

    Each utterance is padded with silence to that context, as it was to 30 s in training, and only
    its own frames are given: what it becomes does not depend on the others of its batch.

    Args:
        encoder: openai-whisper's `AudioEncoder`.
        depth: what of it learns, and which blocks are listened to.
        seconds: the context.
    """

    def __init__(self, encoder: Any, depth: Depth, seconds: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.width = self.encoder.ln_post.normalized_shape[0]
        self._frames = min(round(seconds * 16000) // FRAME, len(self.encoder.positional_embedding))
        self._lower = depth.lower
        self._recompute = depth.recompute
        self.freeze([self.encoder.conv1, self.encoder.conv2, *self.encoder.blocks[: depth.frozen]])
        if depth.frozen == len(self.encoder.blocks):
            self.freeze([self.encoder.ln_post])

    def forward(self, stream: Stream) -> Encoded:
        """(batch, samples, 1) to (batch, frames, width), a frame every 20 ms."""
        frames, lower = self._entering(stream), None
        for number, block in enumerate(self.encoder.blocks, 1):
            if self._recompute and block.training and torch.is_grad_enabled():
                frames = checkpoint(block, frames, use_reentrant=False)
            else:
                frames = block(frames)
            lower = frames if number == self._lower else lower
        lengths = (stream.lengths // FRAME).clamp(1, self._frames)
        return Encoded(self.encoder.ln_post(frames), lower, lengths)

    @torch.no_grad()
    def _entering(self, stream: Stream) -> Tensor:
        """What the convolutions make of the spectrograms, with the places added."""
        grown = nn.functional.gelu(self.encoder.conv1(self._log_mels(stream)))
        grown = nn.functional.gelu(self.encoder.conv2(grown)).transpose(1, 2)
        entering: Tensor = grown + self.encoder.positional_embedding[: self._frames]
        return entering

    def _log_mels(self, stream: Stream) -> Tensor:
        """(batch, bands, 2 * frames); the loudest value of each utterance is its reference."""
        from whisper.audio import log_mel_spectrogram

        bands, samples = self.encoder.conv1.in_channels, self._frames * FRAME
        waveforms = stream.frames[:, :samples, 0]
        if waveforms.is_meta:
            return waveforms.new_empty(len(waveforms), bands, 2 * self._frames)
        waveforms = nn.functional.pad(waveforms, (0, samples - waveforms.shape[1]))
        return torch.stack([log_mel_spectrogram(row, n_mels=bands) for row in waveforms])
