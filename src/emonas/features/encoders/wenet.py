"""Releases of WeNet: a folder with train.yaml, final.pt, global_cmvn and units.txt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonas.errors import EmonasError
from emonas.features.encoders.wenet_cmvn import read_cmvn
from emonas.features.encoders.wenet_settings import TrainSettings, read_settings
from emonas.features.kaldi import Filterbank

if TYPE_CHECKING:
    import torch

    from emonas.networks.conformer import ConformerEncoder, ConformerShape

ENCODER = "encoder."
CTC = "ctc.ctc_lo."
NORMALISATION = ("global_cmvn.mean", "global_cmvn.istd")

# WeNet 3.1 keeps the sinusoids; 1.0 has a layer that it uses with concat_after alone.
WITHOUT_USE = ("embed.pos_enc.pe", ".concat_linear.weight", ".concat_linear.bias")


@dataclass(frozen=True)
class Release:
    """What a release holds.

    Attributes:
        folder: where it is.
        shape: the architecture of its encoder.
        filterbank: the input of its encoder.
        blank: the number of the unit that CTC writes for nothing.
        state: the parameters of the whole recogniser.
    """

    folder: Path
    shape: ConformerShape
    filterbank: Filterbank
    blank: int
    state: Mapping[str, torch.Tensor]

    @property
    def weights(self) -> Path:
        """The file with the parameters."""
        return self.folder / "final.pt"


def read_release(folder: Path) -> Release:
    """Read settings and parameters, without running any code of theirs.

    Raises:
        EmonasError: a file is missing or damaged, or it is another architecture.
    """
    from emonas.checkpoints.reading import read_state

    if not folder.is_dir():
        raise EmonasError(
            f"{folder}: this is no folder; give that of a WeNet release, with train.yaml, "
            "final.pt and global_cmvn"
        )
    settings = read_settings(folder / "train.yaml")
    fbank = settings.fbank
    filterbank = Filterbank(
        settings.dataset_conf.resample_conf.resample_rate,
        fbank.num_mel_bins,
        fbank.frame_length,
        fbank.frame_shift,
    )
    state = read_state(folder / "final.pt")
    if not isinstance(state, Mapping) or not any(str(key).startswith(ENCODER) for key in state):
        raise EmonasError(
            f"{folder / 'final.pt'}: this holds no parameters named encoder.*; give the folder of "
            "a WeNet release"
        )
    return Release(folder, _shape(settings), filterbank, settings.ctc_conf.ctc_blank_id, state)


def encoder_state(release: Release) -> dict[str, Any]:
    """Give the parameters of the encoder by their names in it, the normalisation with them.

    Raises:
        EmonasError: the normalisation is neither in final.pt nor in a whole global_cmvn.
    """
    import torch

    state = {
        name.removeprefix(ENCODER): value
        for name, value in release.state.items()
        if name.startswith(ENCODER) and not name.endswith(WITHOUT_USE)
    }
    if not any(name in state for name in NORMALISATION):
        statistics = read_cmvn(release.folder / "global_cmvn", release.filterbank.bands)
        state |= dict(zip(NORMALISATION, map(torch.from_numpy, statistics), strict=True))
    return state


def load_encoder(release: Release) -> ConformerEncoder:
    """Make the encoder; what else the release holds, the decoder, is left out.

    Raises:
        EmonasError: the parameters do not fit train.yaml, or there is no normalisation.
    """
    from emonas.networks.conformer import ConformerEncoder

    encoder = ConformerEncoder(release.shape)
    load_parameters(encoder, encoder_state(release), release)
    return encoder.eval()


def load_ctc(release: Release) -> torch.nn.Linear:
    """Make the layer from the encoder's output to the units.

    Raises:
        EmonasError: the release has none, or it does not fit the encoder.
    """
    from torch import nn

    state = {
        name.removeprefix(CTC): value
        for name, value in release.state.items()
        if name.startswith(CTC)
    }
    units = state["bias"].shape[0] if "bias" in state else 1
    layer = nn.Linear(release.shape.width, units)
    load_parameters(layer, state, release)
    return layer.eval()


def load_parameters(module: torch.nn.Module, state: Mapping[str, Any], release: Release) -> None:
    """Load what must fit exactly.

    Raises:
        EmonasError: a parameter is missing, of another shape, or one too many.
    """
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        difference = " ".join(str(error).split())[:300]
        raise EmonasError(
            f"{release.weights}: the parameters do not fit the train.yaml beside it "
            f"({difference}); give both files of one WeNet release"
        ) from error


def _shape(settings: TrainSettings) -> ConformerShape:
    from emonas.networks.conformer import ConformerShape

    encoder = settings.encoder_conf
    return ConformerShape(
        inputs=settings.fbank.num_mel_bins,
        width=encoder.output_size,
        heads=encoder.attention_heads,
        hidden=encoder.linear_units,
        blocks=encoder.num_blocks,
        subsampling=encoder.input_layer,
        activation=encoder.activation_type,
        macaron=encoder.macaron_style,
        convolution=encoder.use_cnn_module,
        kernel=encoder.cnn_module_kernel,
        causal=encoder.causal,
        norm=encoder.cnn_module_norm,
        normalize_before=encoder.normalize_before,
        key_bias=encoder.key_bias,
    )
