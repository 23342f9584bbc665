"""wav2vec-large by fairseq: writes a checkpoint of random weights and what it gives.

Runs in the environment of envs/fairseq.yaml, with emonas's sources on the path.
"""

import argparse
import sys
from pathlib import Path

import torch
from extraction import extracted
from inputs import Arrays, audio, randomise, save

from emonas.features.encoders.fairseq import hashable_dataclasses

# The settings of fairseq's documented training command for wav2vec-large.
SETTINGS = {
    "arch": "wav2vec",
    "task": "audio_pretraining",
    "criterion": "wav2vec",
    "conv_feature_layers": "[(512, 10, 5), (512, 8, 4), (512, 4, 2), (512, 4, 2), (512, 4, 2), "
    "(512, 1, 1), (512, 1, 1)]",
    "conv_aggregator_layers": str([(512, kernel, 1) for kernel in range(2, 14)]),
    "activation": "relu",
    "offset": "auto",
    "skip_connections_agg": True,
    "residual_scale": 0.5,
    "log_compression": True,
    "prediction_steps": 12,
    "num_negatives": 10,
}


def main(folder: Path) -> None:
    """Write `wav2vec_large.pt` and `fairseq.npz` into the folder."""
    with hashable_dataclasses():
        from fairseq.models.wav2vec.wav2vec import Wav2VecConfig, Wav2VecModel
    config = Wav2VecConfig()
    for name, value in SETTINGS.items():
        if hasattr(config, name):
            setattr(config, name, value)
    model = Wav2VecModel(config).eval()
    randomise(model, 4)
    checkpoint = folder / "wav2vec_large.pt"
    torch.save({"args": argparse.Namespace(**SETTINGS), "model": model.state_dict()}, checkpoint)
    outputs: Arrays = {}
    with torch.inference_mode():
        for name, waveform in audio(shortest=465).items():
            z = model.feature_extractor(torch.from_numpy(waveform)[None])
            c = model.feature_aggregator(z)
            outputs[f"wav2vec-large, z/{name}"] = z[0].T.numpy()
            outputs[f"wav2vec-large, c/{name}"] = c[0].T.numpy()
    for output in ("z", "c"):
        outputs |= extracted(
            f"extractor wav2vec, {output}",
            checkpoint,
            audio(),
            extractor="wav2vec",
            output=output,
            backend="fairseq",
        )
    save(folder / "fairseq.npz", outputs)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
