"""Mel-frequency cepstral coefficients."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from emonas.compiled_imports import load_librosa
from emonas.features.extraction import Extractor, ExtractorOptions, Resources, Speech
from emonas.features.frames import duration_in_samples, padded
from emonas.storage.features import Array
from emonas.storage.frames import pooled


class Options(ExtractorOptions):
    """Options of the cepstral coefficients."""

    by_threads: ClassVar[bool] = True

    extractor: Literal["mfcc"] = Field("mfcc", description="name of the extractor")
    coefficients: int = Field(
        24, ge=1, description="coefficients a frame (code of the authors of Multi-gating NAS)"
    )
    bands: int = Field(40, ge=1, description="mel bands under the coefficients (our reading)")
    window_ms: float = Field(
        25.0, ge=1, le=10_000, description="length of the Hann window (our reading)"
    )
    hop_ms: float = Field(10.0, ge=1, le=10_000, description="step between windows (our reading)")
    deltas: bool = Field(
        False, description="append first and second differences over 9 frames (ours)"
    )
    pool: int = Field(
        1, ge=1, description="average this many consecutive frames (ours, for small machines)"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.coefficients > self.bands:
            raise ValueError("coefficients must not be more than bands; make bands greater")
        return self


class Mfcc:
    """Gives (frames, coefficients) an utterance."""

    layers: tuple[str, ...] = ()

    def __init__(self, options: Options) -> None:
        self._options = options
        self._window = duration_in_samples(options.window_ms, options.sampling_rate)
        self._hop = duration_in_samples(options.hop_ms, options.sampling_rate)
        self.frame_rate = options.sampling_rate / self._hop / options.pool

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, coefficients) for each utterance, three times as many with deltas."""
        return [self._coefficients(speech.waveform) for speech in batch]

    def _coefficients(self, waveform: Array) -> Array:
        librosa = load_librosa()

        options = self._options
        coefficients = librosa.feature.mfcc(
            y=padded(waveform, self._window),
            sr=options.sampling_rate,
            n_mfcc=options.coefficients,
            n_mels=options.bands,
            n_fft=self._window,
            hop_length=self._hop,
            center=False,
        )
        if options.deltas:
            # "nearest" also serves utterances of fewer than 9 frames.
            orders = [librosa.feature.delta(coefficients, order=o, mode="nearest") for o in (1, 2)]
            coefficients = np.concatenate([coefficients, *orders])
        return pooled(np.ascontiguousarray(coefficients.T, dtype=np.float32), options.pool)


def build(options: Options, resources: Resources) -> Extractor:
    """Make the extractor, which needs no resources."""
    return Mfcc(options)
