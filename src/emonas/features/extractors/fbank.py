"""Log mel filterbank energies as Kaldi defines them (CTA-RNN, section 4.2.1)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from emonas.features.extraction import Extractor, ExtractorOptions, Speech
from emonas.features.frames import duration_in_samples, padded, pooled
from emonas.storage.features import Array

KALDI_FULL_SCALE = 2**15


class Options(ExtractorOptions):
    """Options of the filterbank."""

    extractor: Literal["fbank"] = Field("fbank", description="name of the extractor")
    bands: int = Field(80, ge=3, description="mel bands")
    window_ms: float = Field(25.0, gt=0, description="length of the window")
    hop_ms: float = Field(10.0, gt=0, description="step between windows")
    pool: int = Field(
        1, ge=1, description="average this many consecutive frames (ours, for small machines)"
    )


class Fbank:
    """Gives (frames, bands) an utterance, without dither."""

    layers: tuple[str, ...] = ()
    checkpoint = ""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._window = duration_in_samples(options.window_ms, options.sampling_rate)
        hop = duration_in_samples(options.hop_ms, options.sampling_rate)
        self.frame_rate = options.sampling_rate / hop / options.pool

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, bands) for each utterance."""
        return [self._energies(speech.waveform) for speech in batch]

    def _energies(self, waveform: Array) -> Array:
        import kaldi_native_fbank

        options = self._options
        settings = kaldi_native_fbank.FbankOptions()
        settings.frame_opts.samp_freq = options.sampling_rate
        settings.frame_opts.frame_length_ms = options.window_ms
        settings.frame_opts.frame_shift_ms = options.hop_ms
        settings.frame_opts.dither = 0.0
        settings.frame_opts.snip_edges = True
        settings.mel_opts.num_bins = options.bands
        bank = kaldi_native_fbank.OnlineFbank(settings)
        samples = padded(waveform, self._window) * KALDI_FULL_SCALE
        bank.accept_waveform(options.sampling_rate, samples.tolist())
        bank.input_finished()
        frames = [bank.get_frame(frame) for frame in range(bank.num_frames_ready)]
        return pooled(np.stack(frames).astype(np.float32), options.pool)


def build(options: Options) -> Extractor:
    """Make the extractor."""
    return Fbank(options)
