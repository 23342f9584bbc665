"""Spectrograms of one fixed size, as an image network wants them (EmotionNAS, section 3.2), or of
each utterance's own length.
"""

from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from emonas.features.extraction import Extractor, ExtractorOptions, Resources, Speech
from emonas.features.frames import (
    adaptively_pooled,
    duration_in_samples,
    padded,
    spectra,
    windows_of,
)
from emonas.storage.features import Array


class Options(ExtractorOptions):
    """Options of the spectrogram."""

    by_threads: ClassVar[bool] = True

    extractor: Literal["spectrogram"] = Field("spectrogram", description="name of the extractor")
    seconds: float | None = Field(
        8.0,
        gt=0,
        description="length that every utterance is padded with zeros or cut to; null keeps its "
        "own, with `frames: null`",
    )
    window_ms: float = Field(25.0, ge=1, le=10_000, description="length of the Hamming window")
    hop_ms: float = Field(
        11.0,
        ge=1,
        le=10_000,
        description="step between windows; the papers' 14 ms overlap of 25 ms",
    )
    form: Literal["v2", "v1"] = Field(
        "v2",
        description="v2: full FFT of each window, averaged over frames and over frequencies; "
        "v1: the Fourier transform of each window at as many equally spaced frequencies, from 0 "
        "to half the sampling rate, as there are bins (our reading of its 140-dimensional FFT, "
        "since no FFT of a 400-sample window has 140 bins), averaged over frames only",
    )
    frames: int | None = Field(
        140, ge=1, description="frames after averaging; null keeps a frame a window"
    )
    bins: int = Field(140, ge=1, description="frequency bins of a frame")
    scale: Literal["log", "power", "magnitude"] = Field(
        "log", description="log is the natural logarithm of the magnitude (our reading)"
    )
    floor: float = Field(
        1e-5, gt=0, description="least magnitude before the logarithm (librosa's; our reading)"
    )
    frequency: Literal["linear", "mel"] = Field(
        "linear",
        description="mel: as many mel bands as there are bins in place of averaged frequencies "
        "(ours, for small settings of at most about 64 bins)",
    )

    @property
    def fixed_length(self) -> bool:
        """An image is as large as any, unless utterances keep their own lengths."""
        return self.seconds is not None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.form == "v1" and self.frequency == "mel":
            raise ValueError("form v1 has no mel bands; set frequency: linear or form: v2")
        if self.seconds is None and self.frames is not None:
            raise ValueError(
                "seconds: null keeps each utterance's own length, which a number of frames would "
                "stretch; set frames: null too"
            )
        if self.seconds is not None and self.seconds * 1000 < self.window_ms:
            raise ValueError("seconds is shorter than window_ms; make it longer")
        return self


class Spectrogram:
    """Gives one (frames, bins) image an utterance."""

    layers: tuple[str, ...] = ()

    def __init__(self, options: Options) -> None:
        self._options = options
        self._window = duration_in_samples(options.window_ms, options.sampling_rate)
        self._hop = duration_in_samples(options.hop_ms, options.sampling_rate)
        self.frame_rate = options.sampling_rate / self._hop
        if options.frames is not None and options.seconds is not None:
            self.frame_rate = options.frames / options.seconds

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, bins) for each utterance."""
        return [self._image(speech.waveform) for speech in batch]

    def _image(self, waveform: Array) -> Array:
        options = self._options
        if options.seconds is None:
            waveform = padded(waveform, self._window)
            windows = self._windows(waveform.size)
        else:
            length = duration_in_samples(options.seconds * 1000, options.sampling_rate)
            waveform, windows = waveform[:length], self._windows(length)
        # Those that begin behind the utterance hold nothing but zeros.
        heard = min(windows, max(1, -(-waveform.size // self._hop)))
        samples = self._window + (heard - 1) * self._hop
        waveform = padded(waveform, samples)[:samples]
        magnitude = self._zoomed(waveform) if options.form == "v1" else self._full(waveform)
        magnitude = padded(magnitude, windows)
        if options.scale == "log":
            np.log(np.maximum(magnitude, options.floor, out=magnitude), out=magnitude)
        if options.frames is not None:
            magnitude = adaptively_pooled(magnitude, options.frames, axis=0)
        return adaptively_pooled(magnitude, options.bins, axis=1)

    def _windows(self, samples: int) -> int:
        """How many windows lie inside so many samples."""
        return 1 + (samples - self._window) // self._hop

    def _full(self, waveform: Array) -> Array:
        """Give (windows, frequencies or mel bands) by the FFT of whole windows."""
        options = self._options
        windows = windows_of(waveform, self._window, self._hop)
        found = np.empty((len(windows), self._window // 2 + 1), np.float32)
        for block, samples in spectra(self._window, self._window).blocks(found):
            np.multiply(windows[block], _hamming(self._window), out=samples)
        magnitude = self._power(found)
        if options.frequency == "mel":
            magnitude = magnitude @ _mel_bands(options.sampling_rate, self._window, options.bins)
        return magnitude

    def _zoomed(self, waveform: Array) -> Array:
        """Give (windows, bins): the transform at equally spaced frequencies (v1)."""
        import scipy.signal

        options = self._options
        windows = windows_of(waveform, self._window, self._hop)
        spectrum = scipy.signal.zoom_fft(
            windows * _hamming(self._window),
            [0, options.sampling_rate / 2],
            m=options.bins,
            fs=options.sampling_rate,
            endpoint=True,
        )
        return np.asarray(self._power(np.abs(spectrum)), dtype=np.float32)

    def _power(self, magnitude: Array) -> Array:
        return magnitude**2 if self._options.scale == "power" else magnitude


@cache
def _hamming(window: int) -> npt.NDArray[np.float64]:
    """The periodic window, in float64: a spectrum in float32 loses what is near the floor."""
    return np.hamming(window + 1)[:-1]


@cache
def _mel_bands(sampling_rate: int, window: int, bands: int) -> Array:
    """Give the weights (frequencies, bands) of a spectrum."""
    import librosa

    weights: Array = librosa.filters.mel(sr=sampling_rate, n_fft=window, n_mels=bands)
    return np.ascontiguousarray(weights.T)


def build(options: Options, resources: Resources) -> Extractor:
    """Make the extractor, which needs no resources."""
    return Spectrogram(options)
