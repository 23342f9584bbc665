"""What every side of a comparison gets: audio, log mel frames, and random weights."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float32]]

# Samples at 16 kHz: shorter than any window, one that ends anywhere, and longer ones.
SAMPLES = (300, 16000, 37123, 80000)
# Log mel frames; the least that WeNet's subsampling takes is 7.
FRAMES = (7, 100, 333, 458)


def audio(shortest: int = 0) -> Arrays:
    """Noise that becomes louder and softer, by its number of samples, from the shortest on."""
    generator = np.random.default_rng(1)
    waveforms = {}
    for samples in SAMPLES:
        corners = np.arange(0, samples + 2000, 2000)
        loudness = np.interp(
            np.arange(samples), corners, generator.uniform(0.01, 0.2, size=len(corners))
        )
        waveform = loudness * generator.normal(size=samples)
        waveforms[f"{samples} samples"] = waveform.astype(np.float32)
    return {name: waveform for name, waveform in waveforms.items() if len(waveform) >= shortest}


def log_mels() -> Arrays:
    """Frames of 80 bands around the means of `cmvn`, by their number."""
    generator = np.random.default_rng(2)
    return {
        f"{frames} frames": generator.normal(12, 3, size=(frames, 80)).astype(np.float32)
        for frames in FRAMES
    }


def cmvn() -> dict[str, object]:
    """Statistics of 80 bands as WeNet's `global_cmvn` holds them."""
    generator = np.random.default_rng(3)
    count = 1000
    mean = generator.normal(12, 1, size=80)
    deviation = generator.uniform(2, 4, size=80)
    squares = (deviation**2 + mean**2) * count
    return {"mean_stat": list(mean * count), "var_stat": list(squares), "frame_num": count}


def randomise(network: torch.nn.Module, seed: int) -> None:
    """Give every parameter and statistic a value that shows where it is used wrongly.

    Weights keep the scale of a signal; what is 0 or 1 in a new network (biases, scales, running
    means and variances) is not.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor: torch.Tensor, deviation: float) -> torch.Tensor:
        return torch.randn(tensor.shape, generator=generator) * deviation

    for name, tensor in network.state_dict().items():
        if name.endswith(("num_batches_tracked", "global_cmvn.mean", "global_cmvn.istd")):
            continue
        if name.endswith(("running_var", "weight")) and tensor.ndim == 1:
            value = torch.rand(tensor.shape, generator=generator) + 0.5
        elif name.endswith("weight"):
            value = normal(tensor, tensor[0].numel() ** -0.5)
        else:
            value = normal(tensor, 0.2)
        tensor.copy_(value)


def save(path: Path, arrays: Arrays) -> None:
    """Write the outputs of one side."""
    np.savez(path, **arrays)
