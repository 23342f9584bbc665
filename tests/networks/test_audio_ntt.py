import numpy as np
import pytest
import torch
import torch.nn.functional as F

from emonas.networks.audio_ntt import AudioNTT2020


def random_encoder(width: int) -> AudioNTT2020:
    """An encoder whose every number is drawn, those of the batch norms too."""
    network = AudioNTT2020(width).eval()
    generator = torch.Generator().manual_seed(3)
    for name, values in network.state_dict().items():
        if values.is_floating_point():
            drawn = (
                torch.randn(values.shape, generator=generator) / max(values[0].numel(), 1) ** 0.5
            )
            values.copy_(drawn.abs() + 0.5 if name.endswith("running_var") else drawn)
    return network


def by_hand(state: dict[str, torch.Tensor], spectrogram: torch.Tensor) -> torch.Tensor:
    """The encoder from its description: three blocks, two layers, mean plus maximum."""
    maps = spectrogram[None]
    for convolution in (0, 4, 8):
        norm = f"features.{convolution + 1}"
        weight, bias = (state[f"features.{convolution}.{part}"] for part in ("weight", "bias"))
        height, length = maps.shape[1:]
        around = F.pad(maps, (1, 1, 1, 1))
        summed = bias[:, None, None].expand(-1, height, length).clone()
        for row in range(3):
            for column in range(3):
                shifted = around[:, row : row + height, column : column + length]
                summed += torch.einsum("oi,ihw->ohw", weight[:, :, row, column], shifted)
        mean, variance = (state[f"{norm}.running_{part}"] for part in ("mean", "var"))
        scale = state[f"{norm}.weight"] / torch.sqrt(variance + 1e-5)
        normed = (summed - mean[:, None, None]) * scale[:, None, None]
        rectified = (normed + state[f"{norm}.bias"][:, None, None]).clamp_min(0)
        even = rectified[:, : height // 2 * 2, : length // 2 * 2]
        maps = torch.stack([even[:, a::2, b::2] for a in (0, 1) for b in (0, 1)]).amax(0)
    frames = []
    for time in range(maps.shape[2]):
        # All channels of the lowest band come first.
        frame = maps[:, :, time].T.reshape(-1)
        for layer in ("fc.0", "fc.3"):
            frame = (state[f"{layer}.weight"] @ frame + state[f"{layer}.bias"]).clamp_min(0)
        frames.append(frame)
    stacked = torch.stack(frames)
    return stacked.sum(0) / len(frames) + stacked.max(0).values


@pytest.mark.parametrize("frames", [8, 21, 96])
def test_a_vector_is_that_of_the_description(frames):
    network = random_encoder(24)
    spectrogram = torch.randn(2, 64, frames, generator=torch.Generator().manual_seed(frames))
    with torch.inference_mode():
        given = network(spectrogram)
        expected = torch.stack([by_hand(network.state_dict(), one) for one in spectrogram])
    assert given.shape == (2, 24)
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("width", [512, 2048])
def test_the_names_are_those_of_the_release(width):
    shapes = {"fc.0.weight": (width, 512), "fc.3.weight": (width, width)}
    shapes |= {"fc.0.bias": (width,), "fc.3.bias": (width,)}
    for index, inputs in ((0, 1), (4, 64), (8, 64)):
        shapes[f"features.{index}.weight"] = (64, inputs, 3, 3)
        shapes[f"features.{index}.bias"] = (64,)
        for name in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"features.{index + 1}.{name}"] = (64,)
        shapes[f"features.{index + 1}.num_batches_tracked"] = ()
    state = AudioNTT2020(width).state_dict()
    assert {name: tuple(values.shape) for name, values in state.items()} == shapes
