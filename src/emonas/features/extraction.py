"""What an extractor is: its options, what it is given, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from pydantic import Field

from emonas.errors import EmonasError
from emonas.features.audio import Resampler
from emonas.features.precision import Precision
from emonas.options import LayerName, Options
from emonas.packages import missing_package
from emonas.storage.features import Array

if TYPE_CHECKING:
    # Else a change of what learns would extract every feature anew.
    from emonas.checkpoints.checkpoint import Checkpoint
    from emonas.learning.options import RuntimeOptions


Form = Literal["frames", "vector", "waveform", "unknown"]
"""What an utterance becomes: frames in time, one vector, its samples; of a file of the user's own
nobody knows before it is read.
"""


class ExtractorOptions(Options):
    """Options that every extractor has.

    Attributes:
        uses_torch: whether it computes with torch, on a GPU where there is one.
        hears: whether it needs the audio.
        reads: whether it needs the words.
        gives: what an utterance becomes.
        least_seconds: what an utterance takes at least, as if it were so long.
        by_threads: whether several threads may extract, an utterance each.
        package: a package that it needs beside those of emonas; empty where there is none.
        extra: the extra of emonas that installs the package.
    """

    uses_torch: ClassVar[bool] = False
    hears: ClassVar[bool] = True
    reads: ClassVar[bool] = False
    gives: ClassVar[Form] = "frames"
    least_seconds: ClassVar[float] = 0.0
    by_threads: ClassVar[bool] = False
    package: ClassVar[str] = ""
    extra: ClassVar[str] = ""

    extractor: str = Field(description="name of the extractor")
    sampling_rate: int = Field(
        16000, ge=1000, description="rate in Hz that audio is resampled to before extraction"
    )
    resampler: Resampler = Field(
        "soxr", description="what resamples audio of another rate; torchaudio where it imports"
    )
    store: Literal["float32", "float16"] = Field(
        "float32", description="precision of the numbers in the feature file"
    )

    @property
    def missing(self) -> str:
        """Why the feature cannot be had with these options; empty where it can.

        A reason begins so that it can stand behind the path of the feature in the settings.
        """
        chosen = {self.resampler, getattr(self, "backend", "")}
        backend = "torchaudio" if "torchaudio" in chosen else ""
        return missing_package(self.package, self.extra) or missing_package(backend, "torchaudio")

    @property
    def batch_seconds(self) -> float:
        """Seconds of audio, padding included, that are extracted at a time."""
        return 60.0

    @property
    def fixed_length(self) -> bool:
        """Whether utterances of any length become equally many frames."""
        return False


class EncoderOptions(ExtractorOptions):
    """Options of a pretrained encoder."""

    uses_torch: ClassVar[bool] = True

    checkpoint: str = Field(description="a name under `checkpoints`")
    layers: tuple[LayerName, ...] | None = Field(
        None,
        description="layers that are stored; null stores those that the systems of the settings "
        "file ask for",
    )
    store: Literal["float32", "float16"] = Field(
        "float16", description="precision of the numbers in the feature file"
    )
    precision: Precision = Field(
        "auto", description="auto computes in float16 on a GPU, and in float32 on a CPU"
    )
    budget: float = Field(
        64.0, gt=0, description="seconds of audio, padding included, that are encoded at a time"
    )

    @property
    def batch_seconds(self) -> float:
        """As the settings say."""
        return self.budget


class BlockEncoderOptions(EncoderOptions):
    """Options of an encoder that gives the frames of its blocks."""

    pool: int = Field(
        1, ge=1, description="average this many consecutive frames (ours, for small machines)"
    )


@dataclass(frozen=True)
class Speech:
    """An utterance as an extractor gets it.

    Attributes:
        name: the utterance's name.
        waveform: mono (samples,) at the sampling rate of the extractor's options; empty for an
            extractor that does not hear.
        text: the words that were said or heard, where they are known.
    """

    name: str
    waveform: Array
    text: str = ""


@dataclass(frozen=True)
class Resources:
    """What an extractor gets from its job besides its options.

    Attributes:
        runtime: where to compute.
        checkpoint: the verified weights, where the options name some.
        layers: the layers that are wanted; all where it is empty.
        corpus: the name of the corpus.
    """

    runtime: RuntimeOptions
    checkpoint: Checkpoint | None = None
    layers: tuple[str, ...] = ()
    corpus: str = ""

    @property
    def weights(self) -> Path:
        """The file or folder of the verified weights.

        Raises:
            EmonasError: there are none.
        """
        if self.checkpoint is None:
            raise EmonasError("features: this needs a checkpoint, and names none")
        return self.checkpoint.path

    def chosen_layers(self, first: int, last: int) -> tuple[str, ...]:
        """Give the layers that are wanted, by default all, of those from `first` to `last`.

        Raises:
            EmonasError: a layer is wanted that is none of them.
        """
        there = tuple(str(number) for number in range(first, last + 1))
        for layer in self.layers:
            if layer not in there:
                raise EmonasError(
                    f"{self.weights}: there is no layer {layer}; ask for some of {', '.join(there)}"
                )
        return self.layers or there


class Extractor(Protocol):
    """Gives a sequence of vectors, or one a layer, for every utterance.

    The module of a kind holds `Options` and `build(options, resources)`, which gives one of these.
    """

    @property
    def frame_rate(self) -> float:
        """Frames a second; 0 where there is one vector an utterance."""
        ...

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that it gives, in their order; empty where it has none."""
        ...

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, features) for each utterance, or (layers, frames, features).

        What an utterance gets depends on it alone, never on the rest of the batch.
        """
        ...
