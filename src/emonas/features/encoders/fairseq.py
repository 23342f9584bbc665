"""Checkpoints of wav2vec 1.0 as they were released, read without running any code of theirs.

They are loaded into this project's own module, or into fairseq's, where fairseq is installed.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emonas.errors import EmonasError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from emonas.networks.wav2vec import ConvolutionLayer, Wav2vec

PRETRAINING_HEAD = "wav2vec_predictions."

# Settings of the pre-training that change the network, and the only values written here.
ARCHITECTURE = {
    "aggregator": "cnn",
    "activation": "relu",
    "vq_type": "none",
    "project_features": "none",
    "log_compression": True,
    "skip_connections_agg": True,
    "skip_connections_feat": False,
    "agg_zero_pad": False,
    "no_conv_bias": False,
    "non_affine_group_norm": False,
}


class Encoder(Protocol):
    """What features need of a network, this project's or fairseq's."""

    hop: int
    receptive_field: int

    def __call__(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Map (batch, samples) to z and c, each (batch, frames, width)."""
        ...

    def to(self, device: torch.device, precision: torch.dtype) -> Encoder:
        """Move it, and change its precision."""
        ...


def load_wav2vec(path: Path) -> Wav2vec:
    """Read a released checkpoint: `args` with the settings, `model` with the parameters.

    Raises:
        EmonasError: the file is missing or damaged, or holds another architecture.
    """
    from emonas.networks.wav2vec import RESIDUAL_SCALE, Wav2vec

    settings, state = _read(path)
    for name, value in ARCHITECTURE.items():
        if settings.get(name, value) != value:
            raise EmonasError(
                f"{path}: this is no wav2vec-large ({name} is {settings[name]!r}, must be "
                f"{value!r}); give the path of the released wav2vec_large.pt"
            )
    extractor = _layers(path, settings, "conv_feature_layers")
    aggregator = _layers(path, settings, "conv_aggregator_layers")
    width = extractor[-1][0]
    if any(channels != width or stride != 1 for channels, _, stride in aggregator):
        raise EmonasError(
            f"{path}: this is no wav2vec-large (conv_aggregator_layers is {aggregator}); give "
            "the path of the released wav2vec_large.pt"
        )
    scale = float(settings.get("residual_scale", RESIDUAL_SCALE))
    network = Wav2vec(extractor, [kernel for _, kernel, _ in aggregator], scale)
    try:
        network.load_state_dict(
            {name: value for name, value in state.items() if not name.startswith(PRETRAINING_HEAD)}
        )
    except (RuntimeError, TypeError) as error:
        difference = " ".join(str(error).split())[:200]
        raise EmonasError(
            f"{path}: the parameters do not fit the checkpoint's own settings ({difference}); "
            "download it again"
        ) from error
    return network.eval()


class OriginalWav2vec:
    """The network of fairseq, with the parameters of a checkpoint that `load_wav2vec` accepts.

    Raises:
        EmonasError: the file is missing or damaged, or holds another architecture, or fairseq is
            not installed.
    """

    def __init__(self, path: Path) -> None:
        ours = load_wav2vec(path)
        self.hop = ours.hop
        self.receptive_field = ours.receptive_field
        settings, state = _read(path)
        with hashable_dataclasses():
            try:
                from fairseq.models.wav2vec.wav2vec import Wav2VecConfig, Wav2VecModel
            except ImportError as error:
                raise EmonasError(
                    "features: backend fairseq runs fairseq itself, which does not import here "
                    f"({error}); run with --sdm conda, which takes envs/fairseq.yaml, or set "
                    "backend: emonas"
                ) from error
        config = Wav2VecConfig()
        for name in {field.name for field in dataclasses.fields(config)} & set(settings):
            setattr(config, name, settings[name])
        # fairseq evaluates these two, so that it must not see what stands in the file.
        for name in ("conv_feature_layers", "conv_aggregator_layers"):
            setattr(config, name, str(_layers(path, settings, name)))
        self._model = Wav2VecModel(config)
        self._model.load_state_dict(state)
        self._model.eval()

    def __call__(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Map (batch, samples) to z and c, each (batch, frames, width)."""
        latent = self._model.feature_extractor(waveform)
        context = self._model.feature_aggregator(latent)
        return latent.transpose(1, 2), context.transpose(1, 2)

    def to(self, device: torch.device, precision: torch.dtype) -> OriginalWav2vec:
        """Move it, and change its precision."""
        self._model.to(device, precision)
        return self


@contextmanager
def hashable_dataclasses() -> Iterator[None]:
    """Import fairseq's configurations on Python 3.11, which wants defaults that can be hashed."""
    original = dataclasses.dataclass

    def hashable(*arguments: Any, **options: Any) -> Any:
        return original(*arguments, **{"unsafe_hash": True, **options})

    dataclasses.dataclass = hashable
    try:
        yield
    finally:
        dataclasses.dataclass = original


def _read(path: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Read settings and parameters."""
    from emonas.checkpoints.reading import read_state

    checkpoint = read_state(path)
    try:
        settings, state = vars(checkpoint["args"]), checkpoint["model"]
        state.items()
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise EmonasError(
            f"{path}: this is no checkpoint of wav2vec 1.0, which holds `args` and `model`; give "
            "the path of the released wav2vec_large.pt"
        ) from error
    return settings, state


def _layers(path: Path, settings: Mapping[str, Any], name: str) -> list[ConvolutionLayer]:
    """Parse a list of (channels, kernel, stride), which stands in the settings as text."""
    try:
        layers = [
            (int(channels), int(kernel), int(stride))
            for channels, kernel, stride in ast.literal_eval(settings[name])
        ]
        if not layers or min(min(layer) for layer in layers) < 1:
            raise ValueError("a layer is missing or empty")
    except (KeyError, ValueError, TypeError, SyntaxError) as error:
        raise EmonasError(
            f"{path}: the checkpoint's setting {name} is no list of (channels, kernel, stride); "
            "give the path of the released wav2vec_large.pt"
        ) from error
    return layers
