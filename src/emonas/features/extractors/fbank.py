"""Log mel filterbank energies as Kaldi defines them (CTA-RNN, section 4.2.1)."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from emonas.features.extraction import Extractor, ExtractorOptions, Resources, Speech
from emonas.features.kaldi import Backend, Filterbank
from emonas.storage.features import Array
from emonas.storage.frames import pooled


class Options(ExtractorOptions):
    """Options of the filterbank."""

    by_threads: ClassVar[bool] = True

    extractor: Literal["fbank"] = Field("fbank", description="name of the extractor")
    bands: int = Field(80, ge=3, description="mel bands")
    window_ms: float = Field(25.0, ge=1, le=10_000, description="length of the window")
    hop_ms: float = Field(10.0, ge=1, le=10_000, description="step between windows")
    pool: int = Field(
        1, ge=1, description="average this many consecutive frames (ours, for small machines)"
    )
    backend: Backend = Field(
        "numpy",
        description="what computes: all give the same energies but for rounding, and numpy is the "
        "fastest; torchaudio where it imports",
    )


class Fbank:
    """Gives (frames, bands) an utterance, without dither."""

    layers: tuple[str, ...] = ()

    def __init__(self, options: Options) -> None:
        self._filterbank = Filterbank(
            options.sampling_rate,
            options.bands,
            options.window_ms,
            options.hop_ms,
            options.backend,
        )
        self._pool = options.pool
        self.frame_rate = self._filterbank.frame_rate / options.pool

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, bands) for each utterance."""
        return [pooled(self._filterbank.energies(speech.waveform), self._pool) for speech in batch]


def build(options: Options, resources: Resources) -> Extractor:
    """Make the extractor, which needs no resources."""
    return Fbank(options)
