"""The waveform itself, for systems with an encoder inside."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from emonas.features.extraction import Extractor, ExtractorOptions, Form, Resources, Speech
from emonas.features.speech_only import speech_only
from emonas.packages import missing_package
from emonas.storage.features import Array


class Options(ExtractorOptions):
    """Options of the waveform; a frame is a sample."""

    gives: ClassVar[Form] = "waveform"
    extra: ClassVar[str] = "ge2e"

    extractor: Literal["waveform"] = Field("waveform", description="name of the extractor")
    sampling_rate: Literal[16000] = Field(
        16000, description="rate in Hz of the audio that encoders are trained on"
    )
    trim: bool = Field(
        False,
        description="raise the volume of quiet audio and cut long silences out, as resemblyzer "
        "does before GE2E",
    )

    @property
    def missing(self) -> str:
        """Trimming needs a package."""
        return super().missing or missing_package("resemblyzer" if self.trim else "", self.extra)


class Waveform:
    """Gives (samples, 1) an utterance."""

    layers: tuple[str, ...] = ()

    def __init__(self, options: Options) -> None:
        self._trim = options.trim
        self.frame_rate = float(options.sampling_rate)

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (samples, 1) for each utterance, full scale 1."""
        return [self._samples(speech.waveform) for speech in batch]

    def _samples(self, waveform: Array) -> Array:
        samples = speech_only(waveform) if self._trim else waveform
        return np.asarray(samples, dtype=np.float32)[:, None]


def build(options: Options, resources: Resources) -> Extractor:
    """Make the extractor."""
    return Waveform(options)
