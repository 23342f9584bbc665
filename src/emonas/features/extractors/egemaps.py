"""Acoustic parameter sets of openSMILE: eGeMAPS (Eyben et al., 2016) and its relatives."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from emonas.features.extraction import Extractor, ExtractorOptions, Form, Resources, Speech
from emonas.features.frames import PCM_FULL_SCALE, duration_in_samples, padded
from emonas.storage.features import Array

SHORTEST_MS = 100.0
"""openSMILE gives no numbers for audio shorter than its longest window, 60 ms."""


class Options(ExtractorOptions):
    """Options of openSMILE's functionals."""

    gives: ClassVar[Form] = "vector"
    package: ClassVar[str] = "opensmile"
    extra: ClassVar[str] = "egemaps"

    extractor: Literal["egemaps"] = Field("egemaps", description="name of the extractor")
    parameters: Literal["eGeMAPSv02", "GeMAPSv01b", "ComParE_2016"] = Field(
        "eGeMAPSv02", description="parameter set, of 88, 62 and 6373 functionals"
    )


class Egemaps:
    """Gives one vector an utterance, (1, 88) with eGeMAPS."""

    frame_rate = 0.0
    layers: tuple[str, ...] = ()

    def __init__(self, options: Options) -> None:
        import opensmile

        self._sampling_rate = options.sampling_rate
        self._shortest = duration_in_samples(SHORTEST_MS, options.sampling_rate)
        self._smile = opensmile.Smile(
            opensmile.FeatureSet[options.parameters], opensmile.FeatureLevel.Functionals
        )

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (1, functionals) for each utterance; short audio is padded with zeros."""
        return [self._functionals(speech.waveform) for speech in batch]

    def _functionals(self, waveform: Array) -> Array:
        # openSMILE gets 16 bits, in which a sample of full scale would turn its sign.
        samples = np.clip(waveform, -1.0, (PCM_FULL_SCALE - 1) / PCM_FULL_SCALE)
        table = self._smile.process_signal(padded(samples, self._shortest), self._sampling_rate)
        functionals: Array = table.to_numpy(dtype=np.float32)
        return functionals


def build(options: Options, resources: Resources) -> Extractor:
    """Make the extractor."""
    return Egemaps(options)
