"""Outputs of the blocks of wav2vec 2.0, by transformers or by torchaudio."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from emonas.features.encoders.speech_encoder import (
    SpeechEncoderOptions,
    SpeechNetwork,
    build_speech_encoder,
)
from emonas.features.extraction import Extractor, Resources
from emonas.features.optional_torchaudio import torchaudio_module

if TYPE_CHECKING:
    from torch import Tensor


class Options(SpeechEncoderOptions):
    """Options of wav2vec 2.0."""

    extractor: Literal["wav2vec2"] = Field("wav2vec2", description="name of the extractor")
    backend: Literal["transformers", "torchaudio"] = Field(
        "transformers",
        description="what computes; torchaudio, where it imports, gives the same numbers from the "
        "same folder",
    )


def build(options: Options, resources: Resources) -> Extractor:
    """Load the checkpoint, a folder of transformers, and make the extractor.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture, a layer is asked for
            that it has not, torchaudio is asked for and does not import, or a GPU is asked for
            where there is none.
    """
    parts = _parts_of_torchaudio if options.backend == "torchaudio" else None
    return build_speech_encoder(options, resources, parts)


def _parts_of_torchaudio(model: Any) -> SpeechNetwork:
    """Move the weights into torchaudio's model, and take that apart.

    Raises:
        EmonasError: torchaudio does not import.
    """
    utilities = torchaudio_module("models.wav2vec2.utils")
    # It warns that there is no CTC head, which is as it should be.
    convert = utilities.import_huggingface_model
    logging.getLogger(convert.__module__).setLevel(logging.ERROR)
    whole = convert(model).eval()

    def front(waveforms: Tensor) -> Tensor:
        features, _ = whole.feature_extractor(waveforms, None)
        entering: Tensor = whole.encoder.feature_projection(features)
        return entering

    transformer = whole.encoder.transformer
    # Utterances of one length at a time need no mask, whose form is its own.
    return SpeechNetwork(front, transformer, transformer.layers, pads=False, whole=whole)
