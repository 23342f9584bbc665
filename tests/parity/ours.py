"""What emonas gives for the checkpoints that the originals wrote, in its own environment."""

from pathlib import Path

import torch
from extraction import extracted
from inputs import Arrays, audio, log_mels

from emonas.features.encoders.fairseq import load_wav2vec
from emonas.features.encoders.wenet import load_encoder, read_release


def outputs_of(folder: Path) -> dict[str, Arrays]:
    """All outputs, by the original that they are compared with."""
    return {
        "fairseq": _wav2vec(folder / "wav2vec_large.pt"),
        "wenet": _conformer(folder),
        "torchaudio": _torchaudio(folder / "wav2vec2"),
    }


def _wav2vec(checkpoint: Path) -> Arrays:
    network = load_wav2vec(checkpoint)
    outputs: Arrays = {}
    with torch.inference_mode():
        for name, waveform in audio(shortest=network.receptive_field).items():
            z, c = network(torch.from_numpy(waveform)[None])
            outputs[f"wav2vec-large, z/{name}"] = z[0].numpy()
            outputs[f"wav2vec-large, c/{name}"] = c[0].numpy()
    for output in ("z", "c"):
        outputs |= extracted(
            f"extractor wav2vec, {output}", checkpoint, audio(), extractor="wav2vec", output=output
        )
    return outputs


def _conformer(folder: Path) -> Arrays:
    """Blocks of a padded batch: WeNet heard each utterance alone.

    In a batch of WeNet the padding changes an utterance's last frames.
    """
    mels = log_mels()
    frames = torch.nn.utils.rnn.pad_sequence(
        [torch.from_numpy(mel) for mel in mels.values()], batch_first=True
    )
    outputs: Arrays = {}
    for name in ("conformer", "conformer-causal"):
        encoder = load_encoder(read_release(folder / name))
        with torch.inference_mode():
            encoded = encoder(frames, torch.tensor([len(mel) for mel in mels.values()]))
        for index, (key, length) in enumerate(zip(mels, encoded.lengths, strict=True)):
            for number, block in enumerate(encoded.blocks, start=1):
                outputs[f"{name}, block {number}/{key}"] = block[index, :length].numpy()
            outputs[f"{name}, after_norm/{key}"] = encoded.output[index, :length].numpy()
    return outputs | extracted(
        "extractor conformer, block", folder / "conformer", audio(), extractor="conformer"
    )


def _torchaudio(model: Path) -> Arrays:
    """By the default backends, and by torchaudio through the same extractors."""
    outputs: Arrays = {}
    heard = audio(shortest=400)
    for suffix, options in (("", {}), (", backend torchaudio", {"backend": "torchaudio"})):
        name = f"extractor wav2vec2{suffix}, block"
        blocks = extracted(name, model, heard, extractor="wav2vec2", **options)
        # What enters the first block is none that torchaudio gives.
        outputs |= {key: block for key, block in blocks.items() if f"{name} 0/" not in key}
        outputs |= extracted(f"extractor fbank{suffix}", None, heard, extractor="fbank", **options)
    return outputs
