"""The `train.yaml` of a WeNet release: what it says of the encoder and of its input."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from emonas.errors import EmonasError


class EncoderSettings(BaseModel):
    """`encoder_conf`, with WeNet's defaults; a value that stands alone is the only one that serves.

    Nothing beyond these keys is taken, since it might change the numbers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    output_size: PositiveInt = 256
    attention_heads: PositiveInt = 4
    linear_units: PositiveInt = 2048
    num_blocks: PositiveInt = 6
    input_layer: Literal["linear", "conv2d", "conv2d6", "conv2d8"] = "conv2d"
    normalize_before: bool = True
    macaron_style: bool = True
    activation_type: Literal["swish", "relu", "gelu"] = "swish"
    use_cnn_module: bool = True
    cnn_module_kernel: PositiveInt = 15
    causal: bool = False
    cnn_module_norm: Literal["batch_norm", "layer_norm"] = "batch_norm"
    key_bias: bool = True

    pos_enc_layer_type: Literal["rel_pos"] = "rel_pos"
    selfattention_layer_type: Literal["rel_selfattn"] = "rel_selfattn"
    concat_after: Literal[False] = False
    static_chunk_size: Literal[0] = 0
    num_langs: Literal[0] = 0

    # These change the training alone.
    dropout_rate: Any = None
    positional_dropout_rate: Any = None
    attention_dropout_rate: Any = None
    use_dynamic_chunk: Any = None
    use_dynamic_left_chunk: Any = None
    positionwise_conv_kernel_size: Any = None
    gradient_checkpointing: Any = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.output_size % self.attention_heads:
            raise ValueError("output_size is no multiple of attention_heads")
        if self.use_cnn_module and not self.causal and self.cnn_module_kernel % 2 == 0:
            raise ValueError("cnn_module_kernel is even, and causal is not set")
        return self


class FbankSettings(BaseModel):
    """`fbank_conf`, with WeNet's defaults; WeNet 1.0 has other names and places."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    num_mel_bins: int = Field(23, ge=3, validation_alias=AliasChoices("num_mel_bins", "mel_bins"))
    frame_length: float = Field(25.0, gt=0)
    frame_shift: float = Field(10.0, gt=0)
    feature_type: Literal["fbank"] = "fbank"
    using_pitch: Literal[False] = False


class ResampleSettings(BaseModel):
    """`resample_conf`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    resample_rate: int = Field(16000, ge=1000)


class DatasetSettings(BaseModel):
    """`dataset_conf`, of which the input counts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    fbank_conf: FbankSettings | None = None
    resample_conf: ResampleSettings = ResampleSettings()
    feats_type: Literal["fbank"] = "fbank"


class CollateSettings(BaseModel):
    """`collate_conf`, where WeNet 1.0 has the input."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    feature_extraction_conf: FbankSettings = FbankSettings()


class CtcSettings(BaseModel):
    """`ctc_conf`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    ctc_blank_id: int = Field(0, ge=0)


class TrainSettings(BaseModel):
    """`train.yaml`, as far as it says what the encoder computes from which input."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    encoder: Literal["conformer"] = "conformer"
    encoder_conf: EncoderSettings
    input_dim: int | None = None
    dataset_conf: DatasetSettings = DatasetSettings()
    collate_conf: CollateSettings = CollateSettings()
    ctc_conf: CtcSettings = CtcSettings()

    @property
    def fbank(self) -> FbankSettings:
        """The input, where this version of WeNet has it."""
        return self.dataset_conf.fbank_conf or self.collate_conf.feature_extraction_conf

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.input_dim is not None and self.input_dim != self.fbank.num_mel_bins:
            raise ValueError(
                f"input_dim is {self.input_dim}, and fbank_conf has "
                f"{self.fbank.num_mel_bins} num_mel_bins"
            )
        return self


def read_settings(path: Path) -> TrainSettings:
    """Read a `train.yaml`.

    Raises:
        EmonasError: it is missing or damaged, or describes another encoder.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EmonasError(
            f"{path}: cannot be read ({error.strerror}); give the whole folder of a WeNet release"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise EmonasError(f"{path}: this is no YAML ({reason}); download it again") from error
    if not isinstance(values, Mapping):
        raise EmonasError(f"{path}: this holds no settings; give the folder of a WeNet release")
    try:
        return TrainSettings.model_validate(values)
    except ValidationError as error:
        raise _other(path, error) from error


def _other(path: Path, error: ValidationError) -> EmonasError:
    """One sentence on the first key that does not fit."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    given = "" if isinstance(first["input"], Mapping) else f" is {first['input']!r}"
    subject = f"{key}{given}: " if key else ""
    return EmonasError(
        f"{path}: {subject}{message}; only WeNet's Conformer with relative positions and full "
        "context is supported: give the folder of such a release"
    )
