"""torchaudio's filterbank and wav2vec 2.0: writes a model of random weights and what it gives.

Runs in emonas's own environment, with torchaudio on the path.
"""

import sys
from pathlib import Path

import torch
import torchaudio.compliance.kaldi
from inputs import Arrays, audio, randomise, save
from torchaudio.models.wav2vec2.utils import import_huggingface_model
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

SAMPLING_RATE = 16000


def main(folder: Path) -> None:
    """Write the folder `wav2vec2`, and `torchaudio.npz`."""
    model = Wav2Vec2Model(Wav2Vec2Config()).eval()
    randomise(model, 6)
    model.save_pretrained(folder / "wav2vec2")
    normaliser = Wav2Vec2FeatureExtractor()
    normaliser.save_pretrained(folder / "wav2vec2")
    imported = import_huggingface_model(model).eval()
    outputs: Arrays = {}
    for name, waveform in audio(shortest=400).items():
        energies = torchaudio.compliance.kaldi.fbank(
            torch.from_numpy(waveform)[None] * 2**15,
            num_mel_bins=80,
            dither=0.0,
            sample_frequency=SAMPLING_RATE,
        ).numpy()
        heard = normaliser(waveform, sampling_rate=SAMPLING_RATE, return_tensors="pt")
        with torch.inference_mode():
            blocks, _ = imported.extract_features(heard.input_values)
        for suffix in ("", ", backend torchaudio"):
            outputs[f"extractor fbank{suffix}/{name}"] = energies
            for number, block in enumerate(blocks, start=1):
                outputs[f"extractor wav2vec2{suffix}, block {number}/{name}"] = block[0].numpy()
    save(folder / "torchaudio.npz", outputs)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
