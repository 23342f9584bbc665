"""Pitch and level of every frame: how high a voice is, and how loud."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from emonas.compiled_imports import load_librosa
from emonas.features.extraction import Extractor, ExtractorOptions, Resources, Speech
from emonas.features.frames import duration_in_samples, padded, windows_of
from emonas.storage.features import Array

WINDOW_MS = 64.0
SILENCE = 1e-10
"""Power of what counts as -100 dB, so that silence has a level."""


class Options(ExtractorOptions):
    """Options of the intonation; `by_threads`, because an extractor keeps nothing."""

    by_threads: ClassVar[bool] = True

    extractor: Literal["intonation"] = Field("intonation", description="name of the extractor")
    lowest: float = Field(60.0, ge=50, le=500, description="lowest pitch in Hz")
    octaves: float = Field(3.0, gt=0, le=4, description="from the lowest pitch to the highest")
    hop_ms: float = Field(10.0, ge=1, le=1000, description="step between windows")


class Intonation:
    """Gives (frames, 2) an utterance: pitch in octaves above the lowest, and level in dB."""

    layers: tuple[str, ...] = ()

    def __init__(self, options: Options) -> None:
        self._options = options
        self._window = duration_in_samples(WINDOW_MS, options.sampling_rate)
        self._hop = duration_in_samples(options.hop_ms, options.sampling_rate)
        self.frame_rate = options.sampling_rate / self._hop

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, 2) for each utterance; the pitch of noise or silence means nothing."""
        return [self._frames(padded(speech.waveform, self._window)) for speech in batch]

    def _frames(self, waveform: Array) -> Array:
        low, rate = self._options.lowest, self._options.sampling_rate
        high, window, hop = low * 2**self._options.octaves, self._window, self._hop
        sizes: dict[str, Any] = {"frame_length": window, "hop_length": hop, "center": False}
        pitch = load_librosa().yin(waveform, fmin=low, fmax=high, sr=rate, **sizes)
        power = (windows_of(waveform, window, hop) ** 2).mean(axis=1)
        level = 10 * np.log10(power + SILENCE)
        return np.stack([np.log2(pitch / low), level], axis=1).astype(np.float32)


def build(options: Options, resources: Resources) -> Extractor:
    """Make the extractor, which needs no resources."""
    return Intonation(options)
