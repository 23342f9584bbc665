"""What an extractor is: its options, what it is given, and what it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from pydantic import Field

from emonas.options import Options
from emonas.storage.features import Array


class ExtractorOptions(Options):
    """Options that every extractor has; one that computes with torch says `uses_torch`."""

    uses_torch: ClassVar[bool] = False

    extractor: str = Field(description="name of the extractor")
    sampling_rate: int = Field(
        16000, ge=1000, description="rate in Hz that audio is resampled to before extraction"
    )

    @property
    def missing(self) -> str:
        """Why the feature cannot be had with these options; empty where it can.

        A reason begins with the key that is missing, so that it can stand behind the path of the
        feature in the settings: `features.wav2vec.` + `checkpoint is not given`.
        """
        return ""


@dataclass(frozen=True)
class Speech:
    """An utterance as an extractor gets it.

    Attributes:
        name: the utterance's name.
        waveform: mono (samples,) at the sampling rate of the extractor's options.
        text: the words that were said, where they are known.
    """

    name: str
    waveform: Array
    text: str = ""


class Extractor(Protocol):
    """Gives a sequence of vectors, or one a layer, for every utterance."""

    @property
    def frame_rate(self) -> float:
        """Frames a second; 0 where there is one vector an utterance."""
        ...

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers; empty where the extractor has none."""
        ...

    @property
    def checkpoint(self) -> str:
        """SHA-256 of the pretrained weights; empty where there are none."""
        ...

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, features) for each utterance, or (layers, frames, features)."""
        ...
