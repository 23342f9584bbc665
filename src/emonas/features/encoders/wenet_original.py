"""The original of WeNet's Conformer, in the environment that has it (envs/wenet.yaml)."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import typing
from types import ModuleType
from typing import TYPE_CHECKING, Any

from emonas.errors import EmonasError
from emonas.features.encoders.wenet import NORMALISATION, Release, encoder_state, load_parameters

if TYPE_CHECKING:
    import torch

    from emonas.networks.conformer import ConformerShape, Encoded


class OriginalEncoder:
    """Called as `ConformerEncoder` is; it hears one utterance at a time.

    In a batch its convolutions would hear the padding behind an utterance.
    """

    def __init__(self, release: Release, device: torch.device) -> None:
        """Load the release into WeNet's own module.

        Raises:
            EmonasError: WeNet is not installed, or the parameters do not fit train.yaml.
        """
        encoders, normalisation = _wenet_module("encoder"), _wenet_module("cmvn")
        state = encoder_state(release)
        statistics = normalisation.GlobalCMVN(*(state[name] for name in NORMALISATION))
        encoder = encoders.ConformerEncoder(**_arguments(release.shape), global_cmvn=statistics)
        load_parameters(encoder, state, release)
        self._encoder = encoder.eval().to(device)
        self._outputs: list[torch.Tensor] = []
        for block in encoder.encoders:
            block.register_forward_hook(self._keep)

    def __call__(
        self, frames: torch.Tensor, lengths: torch.Tensor, blocks: int | None = None
    ) -> Encoded:
        """Encode (batch, time, bands), of which (batch,) lengths are an utterance's own."""
        import torch

        from emonas.networks.conformer import Encoded

        singles = [self._single(frames[i : i + 1, :length]) for i, length in enumerate(lengths)]
        pad = torch.nn.utils.rnn.pad_sequence
        outputs = [pad(list(same), batch_first=True) for same in zip(*singles, strict=True)]
        times = torch.tensor([outputs[0].shape[0] for outputs in singles])
        return Encoded(tuple(outputs[:-1][:blocks]), outputs[-1], times.to(frames.device))

    def _keep(self, _block: object, _inputs: object, outputs: tuple[torch.Tensor, ...]) -> None:
        self._outputs.append(outputs[0][0])

    def _single(self, frames: torch.Tensor) -> list[torch.Tensor]:
        """Outputs (time, width) of all blocks, and the last one normalised."""
        self._outputs.clear()
        lengths = frames.new_tensor([frames.shape[1]]).long()
        output, _ = self._encoder(frames, lengths)
        return [*self._outputs, output[0]]


def _arguments(shape: ConformerShape) -> dict[str, Any]:
    """What WeNet calls the architecture; a default is left out, since not every version has it."""
    arguments = {
        "input_size": shape.inputs,
        "output_size": shape.width,
        "attention_heads": shape.heads,
        "linear_units": shape.hidden,
        "num_blocks": shape.blocks,
        "input_layer": shape.subsampling,
        "activation_type": shape.activation,
        "macaron_style": shape.macaron,
        "use_cnn_module": shape.convolution,
        "cnn_module_kernel": shape.kernel,
        "causal": shape.causal,
        "cnn_module_norm": shape.norm,
        "normalize_before": shape.normalize_before,
    }
    return arguments if shape.key_bias else {**arguments, "key_bias": False}


def _wenet_module(name: str) -> ModuleType:
    """Import a module of `wenet.transformer`, without what the whole package would ask for.

    Raises:
        EmonasError: WeNet is not installed.
    """
    import torch

    if "wenet" not in sys.modules:
        found = importlib.util.find_spec("wenet")
        if found is None or found.submodule_search_locations is None:
            raise EmonasError(
                "features: backend wenet runs WeNet itself, which is not installed here; run with "
                "--sdm conda, which takes envs/wenet.yaml, or set backend: emonas"
            )
        package = ModuleType("wenet")
        package.__path__ = list(found.submodule_search_locations)
        sys.modules["wenet"] = package
        # WeNet takes them from there, and torch has them no more.
        for needed in ("Union", "Optional"):
            setattr(torch.nn.modules.conv, needed, getattr(typing, needed))
    return importlib.import_module(f"wenet.transformer.{name}")
