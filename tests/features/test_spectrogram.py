import numpy as np
import pytest
import torch
from pydantic import ValidationError

from emonas.features.extraction import Resources, Speech
from emonas.features.extractors.spectrogram import Options, build
from emonas.learning.options import RuntimeOptions

RESOURCES = Resources(RuntimeOptions())


def noise(samples: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(2).normal(size=samples)).astype(np.float32)


def extract(waveform: np.ndarray, **options: object) -> np.ndarray:
    return build(Options(**options), RESOURCES).extract([Speech("u", waveform)])[0]


def windows_of(waveform: np.ndarray, seconds: float) -> list[np.ndarray]:
    """25 ms windows every 11 ms inside the padded or cut utterance, under a periodic Hamming."""
    signal = np.zeros(round(seconds * 16000))
    signal[: len(waveform)] = waveform[: len(signal)]
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    starts = range(0, len(signal) - 400 + 1, 176)
    return [signal[start : start + 400] * hamming for start in starts]


def averaged(values: np.ndarray, frames: int, bins: int) -> np.ndarray:
    tensor = torch.from_numpy(values)[None]
    return torch.nn.functional.adaptive_avg_pool2d(tensor, (frames, bins))[0].numpy()


@pytest.mark.parametrize("samples", [40000, 150000])
def test_v2_is_the_pooled_log_magnitude_of_8_seconds(samples: int) -> None:
    waveform = noise(samples)
    windows = windows_of(waveform, 8)
    assert len(windows) == 726
    magnitude = np.array([np.abs(np.fft.rfft(window)) for window in windows])
    expected = averaged(np.log(np.maximum(magnitude, 1e-5)), 140, 140)
    np.testing.assert_allclose(extract(waveform), expected, atol=1e-3)


@pytest.mark.parametrize(("scale", "exponent"), [("magnitude", 1), ("power", 2)])
def test_scales_without_logarithm(scale: str, exponent: int) -> None:
    waveform = noise(16000)
    magnitude = [np.abs(np.fft.rfft(window)) ** exponent for window in windows_of(waveform, 1)]
    image = extract(waveform, seconds=1, frames=20, bins=30, scale=scale)
    np.testing.assert_allclose(image, averaged(np.array(magnitude), 20, 30), rtol=1e-3)


def test_v1_is_the_transform_at_140_equally_spaced_frequencies() -> None:
    waveform = noise(16000)
    frequencies = np.linspace(0, 0.5, 140)
    kernel = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(400)))
    magnitude = np.abs(np.array(windows_of(waveform, 1)) @ kernel.T)
    image = extract(waveform, seconds=1, frames=40, form="v1")
    expected = averaged(np.log(np.maximum(magnitude, 1e-5)), 40, 140)
    np.testing.assert_allclose(image, expected, atol=1e-3)


@pytest.mark.parametrize("samples", [40000, 150000, 575, 576, 10])
def test_without_seconds_an_utterance_keeps_its_windows(samples: int) -> None:
    waveform = noise(samples)
    windows = windows_of(waveform, max(samples, 400) / 16000)
    assert len(windows) == 1 + (max(samples, 400) - 400) // 176
    magnitude = np.array([np.abs(np.fft.rfft(window)) for window in windows])
    expected = averaged(np.log(np.maximum(magnitude, 1e-5)), len(windows), 140)
    found = extract(waveform, seconds=None, frames=None)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("form", ["v1", "v2"])
def test_of_8_seconds_all_windows_are_kept(form: str) -> None:
    whole, own = noise(128000), {"seconds": None, "frames": None, "form": form}
    kept = extract(whole, frames=None, form=form)
    assert kept.shape == (726, 140)
    np.testing.assert_array_equal(kept, extract(whole, **own))
    np.testing.assert_array_equal(kept[:300], extract(whole[: 400 + 299 * 176], **own))


@pytest.mark.parametrize("form", ["v1", "v2"])
def test_a_tone_stands_in_its_bin(form: str) -> None:
    waveform = np.sin(2 * np.pi * 2000 * np.arange(128000) / 16000).astype(np.float32)
    image = extract(waveform, form=form)
    assert image.shape == (140, 140)
    assert abs(image.mean(axis=0).argmax() - 35) <= 1


def test_mel_bands_of_a_higher_tone_are_higher() -> None:
    time = np.arange(16000) / 16000
    options = {"seconds": 1, "frames": 10, "bins": 32, "frequency": "mel"}
    peaks = [
        extract(np.sin(2 * np.pi * hertz * time).astype(np.float32), **options).mean(axis=0)
        for hertz in (300, 1000, 4000)
    ]
    assert peaks[0].shape == (32,)
    assert peaks[0].argmax() < peaks[1].argmax() < peaks[2].argmax()


def test_silence_is_the_floor() -> None:
    image = extract(np.zeros(10, dtype=np.float32))
    np.testing.assert_allclose(image, np.log(1e-5), rtol=1e-5)


def test_frame_rate() -> None:
    assert build(Options(), RESOURCES).frame_rate == 17.5
    assert build(Options(seconds=None, frames=None), RESOURCES).frame_rate == 16000 / 176


def test_only_utterances_of_their_own_length_differ_in_length() -> None:
    assert Options().fixed_length
    assert Options(frames=None).fixed_length
    assert not Options(seconds=None, frames=None).fixed_length


@pytest.mark.parametrize(
    "options",
    [
        {"form": "v1", "frequency": "mel"},
        {"seconds": 0.01},
        {"seconds": None},
        {"seconds": None, "frames": 20},
        {"unknown": 1},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options(**options)
