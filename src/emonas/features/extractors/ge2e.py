"""Speaker vectors of GE2E (Wan et al., 2018), as the package resemblyzer computes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from emonas.compiled_imports import load_librosa
from emonas.features.extraction import Extractor, ExtractorOptions, Form, Resources, Speech
from emonas.features.speech_only import speech_only
from emonas.packages import package_folder
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch


class Options(ExtractorOptions):
    """Options of GE2E; the package carries the weights."""

    uses_torch: ClassVar[bool] = True
    gives: ClassVar[Form] = "vector"
    package: ClassVar[str] = "resemblyzer"
    extra: ClassVar[str] = "ge2e"

    extractor: Literal["ge2e"] = Field("ge2e", description="name of the extractor")
    sampling_rate: Literal[16000] = Field(
        16000, description="rate in Hz of the audio that the weights were trained on"
    )
    trim: bool = Field(
        True, description="raise the volume of quiet audio and cut long silences out (resemblyzer)"
    )

    def files(self, corpus: str) -> list[Path]:
        """The weights that the package carries, whatever the corpus."""
        package = package_folder(self.package)
        return [] if package is None else [package / "pretrained.pt"]


class Ge2e:
    """Gives one vector of length 1 an utterance, (1, 256)."""

    frame_rate = 0.0
    layers: tuple[str, ...] = ()

    def __init__(self, options: Options, device: torch.device) -> None:
        from resemblyzer import VoiceEncoder

        # The package's spectra are librosa's.
        load_librosa()
        self._trim = options.trim
        self._encoder = VoiceEncoder(device, verbose=False).eval()

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (1, 256) for each utterance: the mean over windows of 1.6 s, scaled to length 1.

        Audio shorter than a window is padded with zeros.
        """
        return [self._vector(speech.waveform) for speech in batch]

    def _vector(self, waveform: Array) -> Array:
        samples = speech_only(waveform) if self._trim else waveform
        vector = self._encoder.embed_utterance(samples)
        return np.asarray(vector, dtype=np.float32)[None]


def build(options: Options, resources: Resources) -> Extractor:
    """Make the extractor.

    Raises:
        EmonasError: a GPU is asked for where there is none.
    """
    from emonas.learning.devices import prepare

    return Ge2e(options, prepare(resources.runtime, 0))
