"""WeNet's Conformer by WeNet: writes releases of random weights and what they give.

Runs in the environment of envs/wenet.yaml, with emonas's sources on the path.
"""

import importlib.util
import json
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import yaml
from extraction import extracted
from inputs import Arrays, audio, cmvn, log_mels, randomise, save

UNITS = 300
# The encoder of CTA-RNN; the other one has the modules that are there for streaming.
ENCODERS: dict[str, dict[str, Any]] = {
    "conformer": {"cnn_module_kernel": 31},
    "conformer-causal": {
        "cnn_module_kernel": 15,
        "causal": True,
        "cnn_module_norm": "layer_norm",
        "use_dynamic_chunk": True,
    },
}
SETTINGS = {
    "output_size": 512,
    "attention_heads": 8,
    "linear_units": 2048,
    "num_blocks": 12,
    "dropout_rate": 0.1,
    "positional_dropout_rate": 0.1,
    "attention_dropout_rate": 0.0,
    "input_layer": "conv2d",
    "normalize_before": True,
    "activation_type": "swish",
    "pos_enc_layer_type": "rel_pos",
    "selfattention_layer_type": "rel_selfattn",
    "use_cnn_module": True,
}


def prepare_wenet() -> None:
    """Let parts of WeNet be imported without what the whole package asks for."""
    found = importlib.util.find_spec("wenet")
    package = ModuleType("wenet")
    package.__path__ = list(found.submodule_search_locations or ()) if found else []
    sys.modules["wenet"] = package
    for name in ("Union", "Optional"):
        setattr(torch.nn.modules.conv, name, getattr(typing, name))


def write_release(folder: Path, encoder: torch.nn.Module, settings: dict[str, Any]) -> None:
    """Write `train.yaml`, `final.pt`, `global_cmvn` and `units.txt`."""
    folder.mkdir(parents=True, exist_ok=True)
    head = torch.nn.Linear(settings["output_size"], UNITS)
    state = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    state |= {f"ctc.ctc_lo.{name}": value for name, value in head.state_dict().items()}
    torch.save(state, folder / "final.pt")
    (folder / "global_cmvn").write_text(json.dumps(cmvn()))
    units = ["<blank>", "<unk>", *(f"\u2581u{index}" for index in range(UNITS - 3)), "<sos/eos>"]
    lines = (f"{unit} {index}\n" for index, unit in enumerate(units))
    (folder / "units.txt").write_text("".join(lines), encoding="utf-8")
    training = {
        "encoder": "conformer",
        "encoder_conf": settings,
        "input_dim": 80,
        "output_dim": UNITS,
        "cmvn_file": "data/train/global_cmvn",
        "is_json_cmvn": True,
        "dataset_conf": {
            "fbank_conf": {
                "num_mel_bins": 80,
                "frame_length": 25,
                "frame_shift": 10,
                "dither": 0.1,
            }
        },
    }
    (folder / "train.yaml").write_text(yaml.safe_dump(training))


def main(folder: Path) -> None:
    """Write a folder for each of `ENCODERS`, and `wenet.npz`."""
    prepare_wenet()
    from wenet.transformer.cmvn import GlobalCMVN
    from wenet.transformer.encoder import ConformerEncoder
    from wenet.utils.cmvn import load_cmvn

    outputs: Arrays = {}
    for name, special in ENCODERS.items():
        statistics = folder / "global_cmvn"
        statistics.write_text(json.dumps(cmvn()))
        mean, istd = (torch.from_numpy(part).float() for part in load_cmvn(statistics, True))
        settings = SETTINGS | special
        encoder = ConformerEncoder(80, global_cmvn=GlobalCMVN(mean, istd), **settings).eval()
        randomise(encoder, 5)
        write_release(folder / name, encoder, settings)
        for key, frames in log_mels().items():
            with torch.inference_mode():
                normalised, _, blocks = encoder.forward_return_layers(
                    torch.from_numpy(frames)[None], torch.tensor([len(frames)]), -1
                )
            for number, block in enumerate(blocks, start=1):
                outputs[f"{name}, block {number}/{key}"] = block[0].numpy()
            outputs[f"{name}, after_norm/{key}"] = normalised[0].numpy()
    outputs |= extracted(
        "extractor conformer, block",
        folder / "conformer",
        audio(),
        extractor="conformer",
        backend="wenet",
    )
    save(folder / "wenet.npz", outputs)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
