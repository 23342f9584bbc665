"""Encoders of the waveform that transformers builds alike: wav2vec 2.0, HuBERT and WavLM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from emonas.checkpoints.transformers_folder import check_model_type, load_model, reading
from emonas.errors import EmonasError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, Wav2Vec2FeatureExtractor

SpeechModel = Literal["wav2vec2", "hubert", "wavlm"]
"""The `model_type` of their config.json."""

_CLASSES = {"wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM"}
_EXAMPLES = {
    "wav2vec2": "facebook/wav2vec2-base",
    "hubert": "facebook/hubert-base-ls960",
    "wavlm": "microsoft/wavlm-base-plus",
}
_OWN_WEIGHTS = ("encoder.", "feature_extractor.conv_layers.", "feature_projection.")
_WEIGHTS_OF_TRAINING = ("masked_spec_embed", "adapter.")


def load_speech_model(path: Path, kind: SpeechModel) -> PreTrainedModel:
    """Load the folder of a model, without the heads that it was trained with.

    Raises:
        EmonasError: the folder is damaged or holds another architecture.
    """
    check_model_type(path, (kind,), _EXAMPLES[kind])
    return load_model(path, _named(f"{_CLASSES[kind]}Model"), _OWN_WEIGHTS, _WEIGHTS_OF_TRAINING)


def random_speech_model(kind: SpeechModel, sizes: dict[str, Any]) -> PreTrainedModel:
    """A model of random weights; `sizes` are keys of its config.json, the others as released."""
    config = _named(f"{_CLASSES[kind]}Config")(**sizes)
    model: PreTrainedModel = _named(f"{_CLASSES[kind]}Model")(config)
    return model


def samples_a_frame(model: PreTrainedModel) -> tuple[int, int]:
    """What a model's convolutions make one frame of, in samples: the window, and from one to the
    next.
    """
    config: Any = model.config
    window, hop = 1, 1
    for kernel, stride in reversed(list(zip(config.conv_kernel, config.conv_stride, strict=True))):
        window = (window - 1) * stride + kernel
        hop *= stride
    return window, hop


def load_input_normaliser(path: Path) -> Wav2Vec2FeatureExtractor:
    """Give the folder's own normaliser; without one that of transformers, which normalises.

    Raises:
        EmonasError: it is damaged, or made for another sampling rate.
    """
    # The second is how newer versions save it together with a tokenizer.
    saved = ("preprocessor_config.json", "processor_config.json")
    kind = _named("Wav2Vec2FeatureExtractor")
    normaliser: Wav2Vec2FeatureExtractor = kind()
    if any((path / name).is_file() for name in saved):
        with reading(path):
            normaliser = kind.from_pretrained(path, local_files_only=True)
    if normaliser.sampling_rate != 16000:
        raise EmonasError(
            f"{path}: the model was trained at {normaliser.sampling_rate} Hz; give one of 16000 Hz"
        )
    return normaliser


def _named(name: str) -> Any:
    """A class of transformers, whose own lazy imports a type checker can't follow."""
    import transformers

    return getattr(transformers, name)
