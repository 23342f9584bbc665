"""Log mel filterbank energies as Kaldi defines them."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from emonas.features.frames import (
    PCM_FULL_SCALE,
    padded,
    spectra,
    windows_of,
)
from emonas.features.optional_torchaudio import torchaudio_module
from emonas.storage.features import Array

Backend = Literal["numpy", "kaldi-native-fbank", "torchaudio"]

PREEMPHASIS = 0.97


@dataclass(frozen=True)
class Filterbank:
    """Kaldi's filterbank without dither, whole windows only.

    Attributes:
        sampling_rate: of the waveforms, in Hz.
        bands: mel bands.
        window_ms: length of the window.
        hop_ms: step between windows.
        backend: what computes; numpy has its mel bands from kaldi-native-fbank.
    """

    sampling_rate: int = 16000
    bands: int = 80
    window_ms: float = 25.0
    hop_ms: float = 10.0
    backend: Backend = "kaldi-native-fbank"

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
        samples = padded(waveform, self._window + (least - 1) * self._hop) * PCM_FULL_SCALE
        if self.backend == "torchaudio":
            return self._by_torchaudio(samples)
        if self.backend == "numpy":
            return self._by_numpy(samples)
        return self._by_kaldi_native_fbank(samples)

    def _by_numpy(self, samples: Array) -> Array:
        """Take the mean off each window, emphasise, weigh, transform, and sum into the bands.

        In float64 up to the spectrum: float32 loses what is quiet beside something loud.
        """
        length = self._window
        exact = samples.astype(np.float64)
        emphasised = exact.copy()
        emphasised[1:] -= PREEMPHASIS * exact[:-1]
        plain, sloped = (windows_of(values, length, self._hop) for values in (exact, emphasised))
        # The mean is emphasised with the rest, and the first sample of a window by itself.
        means = (1 - PREEMPHASIS) * plain.mean(axis=1)
        firsts = (1 - PREEMPHASIS) * plain[:, 0] - means
        taper, bands = _povey(length), _mel_bands(self)
        power = np.empty((len(plain), bands.shape[0]), np.float32)
        for block, inside in spectra(length, 2 * (bands.shape[0] - 1)).blocks(power):
            np.subtract(sloped[block], means[block, None], out=inside)
            inside[:, 0] = firsts[block]
            np.multiply(inside, taper, out=inside)
        energies = np.square(power, out=power) @ bands
        logarithms: Array = np.log(np.maximum(energies, np.finfo(np.float32).eps, out=energies))
        return logarithms

    def _by_kaldi_native_fbank(self, samples: Array) -> Array:
        import kaldi_native_fbank

        settings = self._settings()
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

    def _settings(self) -> Any:
        """The options of kaldi-native-fbank."""
        import kaldi_native_fbank

        settings = kaldi_native_fbank.FbankOptions()
        settings.frame_opts.samp_freq = self.sampling_rate
        settings.frame_opts.frame_length_ms = self.window_ms
        settings.frame_opts.frame_shift_ms = self.hop_ms
        settings.frame_opts.dither = 0.0
        settings.frame_opts.snip_edges = True
        settings.mel_opts.num_bins = self.bands
        return settings

    @property
    def _hop(self) -> int:
        return self._samples(self.hop_ms)

    @property
    def _window(self) -> int:
        return self._samples(self.window_ms)

    def _samples(self, milliseconds: float) -> int:
        """Give the whole samples inside a duration: Kaldi rounds down, in float32."""
        return int(np.float32(self.sampling_rate) * np.float32(0.001) * np.float32(milliseconds))


@cache
def _povey(length: int) -> npt.NDArray[np.float64]:
    """Kaldi's own window: Hann's to the power of 0.85."""
    return np.hanning(length) ** 0.85


@cache
def _mel_bands(filterbank: Filterbank) -> Array:
    """Give the weights (frequencies, bands) of a power spectrum."""
    import kaldi_native_fbank

    settings = filterbank._settings()
    bank = kaldi_native_fbank.MelBanks(settings.mel_opts, settings.frame_opts)
    return np.ascontiguousarray(bank.get_matrix().T, dtype=np.float32)
