"""Checkpoints of wav2vec 1.0 as they were released, read without running any code of theirs."""

from __future__ import annotations

import argparse
import ast
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonas.errors import EmonasError

if TYPE_CHECKING:
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


def digest_file(path: Path) -> str:
    """Give the SHA-256 of a file, as hexadecimal digits.

    Raises:
        EmonasError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmonasError(
            f"{path}: the checkpoint cannot be read ({error.strerror}); correct its path"
        ) from error


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


def _read(path: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Read settings and parameters."""
    import torch

    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    # A damaged file can raise nearly anything from within its reader.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EmonasError(
            f"{path}: this is no whole checkpoint ({reason}); download it again"
        ) from error
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
