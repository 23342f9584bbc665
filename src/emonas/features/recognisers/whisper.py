"""Whisper as a recogniser: greedy decoding with the vocabulary that its package carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from emonas.checkpoints.whisper import load_whisper
from emonas.errors import EmonasError
from emonas.features.encoders.whisper import (
    WINDOW_SECONDS,
    log_mels,
    windows_of,
)
from emonas.features.extraction import Resources, Speech
from emonas.features.precision import computes_in_half
from emonas.features.recogniser import Recogniser, RecogniserOptions
from emonas.storage.features import Array

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from whisper.model import Whisper

VOCABULARIES = (51864, 51865, 51866)
"""Of the English-only models, the multilingual ones, and large-v3 with a language more."""


class Options(RecogniserOptions):
    """Options of Whisper."""

    package: ClassVar[str] = "whisper"
    extra: ClassVar[str] = "whisper"
    least_seconds: ClassVar[float] = WINDOW_SECONDS

    recogniser: Literal["whisper"] = Field("whisper", description="name of the recogniser")
    language: str | None = Field(
        None,
        description="language that is spoken, such as de; null lets a multilingual model find it "
        "out window by window, and is English for the others",
    )
    batch: int = Field(8, ge=1, description="windows of 30 s that are recognised at a time (ours)")

    @property
    def batch_seconds(self) -> float:
        """Those of the windows."""
        return self.batch * WINDOW_SECONDS


class WhisperRecogniser:
    """Takes the likeliest token each time (temperature 0), without timestamps."""

    def __init__(self, options: Options, network: Whisper, device: torch.device) -> None:
        from whisper.decoding import DecodingOptions

        self._device = device
        self._network = network.to(device)
        self._batch = options.batch
        self._decoding = DecodingOptions(
            language=options.language if network.is_multilingual else "en",
            temperature=0.0,
            without_timestamps=True,
            fp16=computes_in_half(options.precision, device),
        )

    def recognise(self, batch: Sequence[Speech]) -> list[str]:
        """Give the words of each utterance; a long one is heard window by window."""
        cut = [windows_of(speech.waveform) for speech in batch]
        heard = self._heard([window for windows in cut for window in windows])
        return [" ".join(filter(None, [next(heard) for _ in windows])) for windows in cut]

    def _heard(self, windows: Sequence[Array]) -> Iterator[str]:
        from whisper.decoding import decode

        bands, half = self._network.dims.n_mels, self._decoding.fp16
        for start in range(0, len(windows), self._batch):
            some = windows[start : start + self._batch]
            for result in decode(
                self._network, log_mels(some, bands, self._device, half), self._decoding
            ):
                yield result.text


def build(options: Options, resources: Resources) -> Recogniser:
    """Load the checkpoint and make the recogniser.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture, it does not know the
            language, or a GPU is asked for where there is none.
    """
    from emonas.learning.devices import prepare

    path = resources.weights
    network = load_whisper(path)
    if network.dims.n_vocab not in VOCABULARIES:
        raise EmonasError(
            f"{path}: a Whisper of {network.dims.n_vocab} words has no vocabulary in its package; "
            "give a released checkpoint such as tiny.en.pt"
        )
    _check_language(path, network, options.language)
    return WhisperRecogniser(options, network, prepare(resources.runtime, 0))


def _check_language(path: Path, network: Whisper, language: str | None) -> None:
    from whisper.tokenizer import LANGUAGES

    if language is None:
        return
    if not network.is_multilingual and language != "en":
        raise EmonasError(
            f"{path}: this Whisper knows English alone, and language is {language}; leave the "
            "language out, or give a multilingual checkpoint such as tiny.pt"
        )
    known = list(LANGUAGES)[: network.num_languages]
    if language not in known:
        raise EmonasError(
            f"{path}: Whisper knows no language {language}; give a code such as en, de or fr"
        )
