"""What a recogniser is: it writes down what it hears, and its transcript serves as a text."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol

from pydantic import Field

from emonas.features.extraction import Speech
from emonas.features.precision import Precision
from emonas.options import Options
from emonas.packages import missing_package


class RecogniserOptions(Options):
    """Options that every recogniser has.

    Attributes:
        package: a package that it needs beside those of emonas; empty where there is none.
        extra: the extra of emonas that installs the package.
        least_seconds: what an utterance takes at least, as if it were so long.
    """

    package: ClassVar[str] = ""
    extra: ClassVar[str] = ""
    least_seconds: ClassVar[float] = 0.0

    recogniser: str = Field(description="name of the recogniser")
    checkpoint: str = Field(description="a name under `checkpoints`")
    sampling_rate: Literal[16000] = Field(16000, description="rate in Hz that it was trained on")
    precision: Precision = Field(
        "auto", description="auto computes in float16 on a GPU, and in float32 on a CPU"
    )

    @property
    def missing(self) -> str:
        """Why a transcript cannot be had with these options; empty where it can."""
        return missing_package(self.package, self.extra)

    @property
    def batch_seconds(self) -> float:
        """Seconds of audio, padding included, that are recognised at a time."""
        return 64.0


class Recogniser(Protocol):
    """Writes down what it hears.

    The module of a kind holds `Options` and `build(options, resources)`, which gives one of these.
    """

    def recognise(self, batch: Sequence[Speech]) -> list[str]:
        """Give the words of each utterance; empty where it heard none."""
        ...
