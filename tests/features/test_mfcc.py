import librosa
import numpy as np
import pytest
import scipy.fft
from pydantic import ValidationError

from emonas.features.extraction import Resources, Speech
from emonas.features.extractors.mfcc import Options, build
from emonas.learning.options import RuntimeOptions

RESOURCES = Resources(RuntimeOptions())


def noise(samples: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(4).normal(size=samples)).astype(np.float32)


def coefficients_of(waveform: np.ndarray) -> np.ndarray:
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    starts = range(0, len(waveform) - 400 + 1, 160)
    power = np.array([np.abs(np.fft.rfft(waveform[s : s + 400] * hann)) ** 2 for s in starts])
    energies = power @ librosa.filters.mel(sr=16000, n_fft=400, n_mels=40).T
    decibels = 10 * np.log10(np.maximum(energies, 1e-10))
    decibels = np.maximum(decibels, decibels.max() - 80)
    return scipy.fft.dct(decibels, type=2, norm="ortho", axis=1)[:, :24]


def test_coefficients_are_the_cosine_transform_of_the_log_mel_energies() -> None:
    waveform = noise(16000)
    (frames,) = build(Options(), RESOURCES).extract([Speech("u", waveform)])
    assert frames.shape == (98, 24)
    np.testing.assert_allclose(frames, coefficients_of(waveform), atol=1e-2)


def test_deltas_are_slopes_over_nine_frames() -> None:
    waveform = noise(8000)
    (frames,) = build(Options(deltas=True), RESOURCES).extract([Speech("u", waveform)])
    assert frames.shape == (48, 72)
    offsets = np.arange(-4, 5)
    middle = coefficients_of(waveform)[16:25]
    slope = offsets @ middle / (offsets @ offsets)
    np.testing.assert_allclose(frames[20, 24:48], slope, atol=1e-2)


@pytest.mark.parametrize("deltas", [True, False])
def test_an_utterance_shorter_than_a_window_gives_one_frame(deltas: bool) -> None:
    (frames,) = build(Options(deltas=deltas), RESOURCES).extract([Speech("u", noise(10))])
    assert frames.shape == (1, 72 if deltas else 24)
    assert np.isfinite(frames).all()


def test_pooling_averages_frames_and_lowers_the_frame_rate() -> None:
    waveform = noise(16000)
    extractor = build(Options(pool=5), RESOURCES)
    (frames,) = extractor.extract([Speech("u", waveform)])
    assert extractor.frame_rate == 20
    expected = coefficients_of(waveform)[5:10].mean(axis=0)
    np.testing.assert_allclose(frames[1], expected, atol=1e-2)


def test_more_coefficients_than_bands_are_refused() -> None:
    with pytest.raises(ValidationError, match="bands"):
        Options(coefficients=50, bands=40)
