"""Log mel filterbank energies as Kaldi defines them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from emonas.features.frames import PCM_FULL_SCALE, duration_in_samples, padded
from emonas.features.optional_torchaudio import torchaudio_module
from emonas.storage.features import Array


@dataclass(frozen=True)
class Filterbank:
    """Kaldi's filterbank without dither, whole windows only.

    Attributes:
        sampling_rate: of the waveforms, in Hz.
        bands: mel bands.
        window_ms: length of the window.
        hop_ms: step between windows.
        backend: what computes.
    """

    sampling_rate: int = 16000
    bands: int = 80
    window_ms: float = 25.0
    hop_ms: float = 10.0
    backend: Literal["kaldi-native-fbank", "torchaudio"] = "kaldi-native-fbank"

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.sampling_rate / self._hop

    def energies(self, waveform: Array, least: int = 1) -> Array:
        """Give (frames, bands) of a waveform (samples,) between -1 and 1.

        A short one is padded with zeros until it gives as many frames as `least`.

        Raises:
            EmonasError: torchaudio is asked for and does not import.
        """
        window = duration_in_samples(self.window_ms, self.sampling_rate)
        samples = padded(waveform, window + (least - 1) * self._hop) * PCM_FULL_SCALE
        if self.backend == "torchaudio":
            return self._by_torchaudio(samples)
        return self._by_kaldi_native_fbank(samples)

    def _by_kaldi_native_fbank(self, samples: Array) -> Array:
        import kaldi_native_fbank

        settings = kaldi_native_fbank.FbankOptions()
        settings.frame_opts.samp_freq = self.sampling_rate
        settings.frame_opts.frame_length_ms = self.window_ms
        settings.frame_opts.frame_shift_ms = self.hop_ms
        settings.frame_opts.dither = 0.0
        settings.frame_opts.snip_edges = True
        settings.mel_opts.num_bins = self.bands
        bank = kaldi_native_fbank.OnlineFbank(settings)
        bank.accept_waveform(self.sampling_rate, samples.tolist())
        bank.input_finished()
        frames = [bank.get_frame(frame) for frame in range(bank.num_frames_ready)]
        return np.stack(frames).astype(np.float32)

    def _by_torchaudio(self, samples: Array) -> Array:
        import torch

        kaldi = torchaudio_module("compliance.kaldi")
        energies: Array = kaldi.fbank(
            torch.from_numpy(samples)[None],
            sample_frequency=self.sampling_rate,
            frame_length=self.window_ms,
            frame_shift=self.hop_ms,
            num_mel_bins=self.bands,
            dither=0.0,
            snip_edges=True,
        ).numpy()
        return energies

    @property
    def _hop(self) -> int:
        return duration_in_samples(self.hop_ms, self.sampling_rate)
