import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from emonas.networks.conformer import ConformerEncoder, ConformerShape

UNITS = ["<blank>", "<unk>", "\u2581the", "\u2581s", "ea", "l", "'", "\u2581", "<sos/eos>"]
ENCODER_CONF = {
    "output_size": 32,
    "attention_heads": 4,
    "linear_units": 48,
    "num_blocks": 3,
    "dropout_rate": 0.1,
    "positional_dropout_rate": 0.1,
    "attention_dropout_rate": 0.0,
    "input_layer": "conv2d",
    "normalize_before": True,
    "cnn_module_kernel": 15,
    "use_cnn_module": True,
    "activation_type": "swish",
    "pos_enc_layer_type": "rel_pos",
    "selfattention_layer_type": "rel_selfattn",
    "causal": False,
    "use_dynamic_chunk": False,
    "cnn_module_norm": "batch_norm",
    "use_dynamic_left_chunk": False,
}


@pytest.fixture
def write_release(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder as WeNet releases it, with random weights.

    `encoder_conf` and `top` change train.yaml, `state` adds parameters.
    """

    def write(
        encoder_conf: dict[str, Any] | None = None,
        top: dict[str, Any] | None = None,
        state: dict[str, torch.Tensor] | None = None,
    ) -> Path:
        folder = tmp_path / "a release"
        folder.mkdir()
        settings = {
            "encoder": "conformer",
            "encoder_conf": {**ENCODER_CONF, **(encoder_conf or {})},
            "dataset_conf": {
                "resample_conf": {"resample_rate": 16000},
                "fbank_conf": {
                    "num_mel_bins": 80,
                    "frame_shift": 10,
                    "frame_length": 25,
                    "dither": 0.1,
                },
                "shuffle": True,
            },
            "decoder": "transformer",
            "input_dim": 80,
            "output_dim": len(UNITS),
            "cmvn_file": "exp/global_cmvn",
            "is_json_cmvn": True,
            **(top or {}),
        }
        (folder / "train.yaml").write_text(yaml.safe_dump(settings))
        lines = [f"{unit} {number}\n" for number, unit in enumerate(UNITS)]
        (folder / "units.txt").write_text("".join(lines), encoding="utf-8")
        torch.save({**_state(), **(state or {})}, folder / "final.pt")
        (folder / "global_cmvn").write_text(json.dumps(_statistics()))
        return folder

    return write


def _state() -> dict[str, torch.Tensor]:
    """Encoder, CTC, and a decoder that nobody reads; the statistics stand in their file."""
    encoder = ConformerEncoder(ConformerShape(width=32, heads=4, hidden=48, blocks=3))
    generator = torch.Generator().manual_seed(6)
    state = {}
    for name, values in encoder.state_dict().items():
        if name.startswith("global_cmvn"):
            continue
        noise = torch.randn(values.shape, generator=generator)
        if not values.is_floating_point():
            state[f"encoder.{name}"] = values
        elif name.endswith("running_var") or ("norm" in name and values.ndim == 1):
            state[f"encoder.{name}"] = 1 + 0.2 * noise.clamp(-2, 2)
        else:
            state[f"encoder.{name}"] = noise / (
                10.0 if values.ndim == 1 else values[0].numel() ** 0.5
            )
    state["ctc.ctc_lo.weight"] = torch.randn(len(UNITS), 32, generator=generator)
    state["ctc.ctc_lo.bias"] = 0.1 * torch.randn(len(UNITS), generator=generator)
    state["decoder.left_decoder.embed.0.weight"] = torch.zeros(len(UNITS), 32)
    return state


def _statistics() -> dict[str, Any]:
    """Sums over 1000 frames whose bands have means about 10 and deviations about 3."""
    generator = np.random.default_rng(7)
    mean, deviation = generator.uniform(5, 12, 80), generator.uniform(2, 4, 80)
    squares = (deviation**2 + mean**2) * 1000
    return {
        "mean_stat": (mean * 1000).tolist(),
        "var_stat": squares.tolist(),
        "frame_num": 1000,
    }
