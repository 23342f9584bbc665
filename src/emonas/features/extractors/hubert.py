"""Outputs of the blocks of HuBERT, by transformers."""

from typing import Literal

from pydantic import Field

from emonas.features.encoders.speech_encoder import SpeechEncoderOptions, build_speech_encoder
from emonas.features.extraction import Extractor, Resources


class Options(SpeechEncoderOptions):
    """Options of HuBERT."""

    extractor: Literal["hubert"] = Field("hubert", description="name of the extractor")


def build(options: Options, resources: Resources) -> Extractor:
    """Load the checkpoint, a folder of transformers, and make the extractor.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture, a layer is asked for
            that it has not, or a GPU is asked for where there is none.
    """
    return build_speech_encoder(options, resources)
