"""GE2E's encoder inside a network, from waveform to vector, to be trained on (Wan et al., 2018)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from emonas.networks.sequence_encoder import VectorEncoder
from emonas.networks.streams import Stream

SIZE = 256
"""Width of its vectors."""

_RATE, _WINDOW, _HOP, _BANDS = 16000, 400, 160, 40


class SpeakerEncoder(nn.Module):
    """The package resemblyzer's network and weights behind a mel spectrogram in torch.

    As in the package, an utterance's vector is the mean over windows of 1.6 s, scaled to length 1;
    one of another `size` comes through linear layers, `between` wide.
    """

    filters: Tensor
    window: Tensor

    def __init__(self, size: int = SIZE, between: Sequence[int] = ()) -> None:
        super().__init__()
        from librosa.filters import mel
        from resemblyzer import VoiceEncoder

        self.encoder = VoiceEncoder("cpu", verbose=False)
        filters = torch.from_numpy(mel(sr=_RATE, n_fft=_WINDOW, n_mels=_BANDS))
        self.register_buffer("filters", filters, persistent=False)
        self.mapped = VectorEncoder(SIZE, size, between)
        self.register_buffer("window", torch.hann_window(_WINDOW), persistent=False)

    def forward(self, stream: Stream) -> Tensor:
        """Samples (batch, samples, 1) at 16 kHz to (batch, 256)."""
        windows = [self._windows(samples) for samples in self._lengths(stream)]
        longest = _HOP * max(last for own in windows for _, last in own)
        samples = stream.frames.squeeze(2)
        missing = max(0, longest - samples.shape[1])
        mels = self._mels(nn.functional.pad(samples, (0, missing)))
        pieces = [mels[row, a:b] for row, own in enumerate(windows) for a, b in own]
        vectors = self.encoder(torch.stack(pieces)).split([len(own) for own in windows])
        means = torch.stack([part.mean(dim=0) for part in vectors])
        unit = nn.functional.normalize(means, dim=1)
        vector: Tensor = self.mapped(Stream(unit[:, None], torch.ones_like(stream.lengths)))
        return vector

    def _lengths(self, stream: Stream) -> list[int]:
        # A network that only counts has no lengths.
        if stream.lengths.is_meta:
            return [stream.frames.shape[1]] * len(stream.lengths)
        return [int(length) for length in stream.lengths]

    def _windows(self, samples: int) -> list[tuple[int, int]]:
        """First and last frame of each window, where the package puts them."""
        _, slices = self.encoder.compute_partial_slices(samples, rate=1.3, min_coverage=0.75)
        return [(int(part.start), int(part.stop)) for part in slices]

    def _mels(self, samples: Tensor) -> Tensor:
        """Mel power spectrogram, (batch, frames, bands), as librosa computes it."""
        spectrum = torch.stft(
            samples,
            _WINDOW,
            _HOP,
            window=self.window,
            center=True,
            pad_mode="constant",
            return_complex=True,
        )
        return (self.filters @ spectrum.abs().square()).transpose(1, 2)
