import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.features.extraction import Resources, Speech
from emonas.features.extractors.fbank import Options, build
from emonas.features.kaldi import Filterbank
from emonas.learning.options import RuntimeOptions

RESOURCES = Resources(RuntimeOptions())


def mel(hertz: np.ndarray | float) -> np.ndarray:
    return 1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0)


def kaldi_fbank(waveform: np.ndarray, bands: int) -> np.ndarray:
    """Kaldi's definition, a window at a time: 16 kHz, 25 ms, 10 ms, no dither."""
    edges = np.linspace(mel(20), mel(8000), bands + 2)
    bins = mel(np.arange(256) * 16000 / 512)
    povey = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    rows = []
    for start in range(0, len(waveform) - 400 + 1, 160):
        window = waveform[start : start + 400].astype(np.float64) * 32768
        window -= window.mean()
        window = window - 0.97 * np.concatenate([window[:1], window[:-1]])
        power = np.abs(np.fft.rfft(window * povey, 512))[:256] ** 2
        energies = []
        for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
            rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
            energies.append(np.maximum(np.minimum(rising, falling), 0) @ power)
        rows.append(np.log(np.maximum(energies, np.finfo(np.float32).eps)))
    return np.array(rows)


def speech(samples: int) -> np.ndarray:
    generator = np.random.default_rng(3)
    tone = np.sin(2 * np.pi * 440 * np.arange(samples) / 16000)
    return (0.2 * tone + 0.05 * generator.normal(size=samples)).astype(np.float32)


@pytest.mark.parametrize("backend", ["numpy", "kaldi-native-fbank"])
@pytest.mark.parametrize(("bands", "samples", "windows"), [(23, 16000, 98), (80, 90000, 561)])
def test_energies_are_those_of_kaldi(bands: int, samples: int, windows: int, backend: str) -> None:
    waveform = speech(samples)
    extractor = build(Options(bands=bands, backend=backend), RESOURCES)
    (frames,) = extractor.extract([Speech("u", waveform)])
    assert frames.shape == (windows, bands)
    np.testing.assert_allclose(frames, kaldi_fbank(waveform, bands), atol=1e-3)


def test_pooling_averages_frames() -> None:
    waveform = speech(16000)
    extractor = build(Options(pool=4), RESOURCES)
    (frames,) = extractor.extract([Speech("u", waveform)])
    full = kaldi_fbank(waveform, 80)
    assert frames.shape == (25, 80)
    assert extractor.frame_rate == 25
    np.testing.assert_allclose(frames[3], full[12:16].mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(frames[24], full[96:].mean(axis=0), atol=1e-3)


def test_an_utterance_shorter_than_a_window_gives_one_frame() -> None:
    waveform = speech(100)
    (frames,) = build(Options(), RESOURCES).extract([Speech("u", waveform)])
    expected = kaldi_fbank(np.pad(waveform, (0, 300)), 80)
    np.testing.assert_allclose(frames, expected, atol=1e-3)


def test_another_sampling_rate_keeps_the_frame_rate() -> None:
    extractor = build(Options(sampling_rate=8000, bands=40), RESOURCES)
    (frames,) = extractor.extract([Speech("u", speech(8000))])
    assert frames.shape == (98, 40)
    assert extractor.frame_rate == 100


@pytest.mark.parametrize(
    "options", [{"sampling_rate": 8000, "bands": 40}, {"window_ms": 20, "hop_ms": 7, "bands": 60}]
)
def test_numpy_gives_what_kaldi_native_fbank_gives(options: dict[str, int]) -> None:
    waveform = speech(30000) + np.float32(0.1)
    given, expected = (
        build(Options(backend=backend, **options), RESOURCES).extract([Speech("u", waveform)])[0]
        for backend in ("numpy", "kaldi-native-fbank")
    )
    np.testing.assert_allclose(given, expected, atol=1e-3)


def test_silence_is_the_floor() -> None:
    (frames,) = build(Options(), RESOURCES).extract([Speech("u", np.zeros(800, np.float32))])
    np.testing.assert_allclose(frames, np.log(np.finfo(np.float32).eps), rtol=1e-6)


def test_torchaudio_gives_the_same_energies_or_says_why_not() -> None:
    extractor = build(Options(backend="torchaudio"), RESOURCES)
    waveforms = [speech(100), speech(16000)]
    batch = [Speech(str(len(waveform)), waveform) for waveform in waveforms]
    try:
        import torchaudio.compliance.kaldi  # noqa: F401
    except (ImportError, OSError):
        with pytest.raises(EmonasError, match="torchaudio is asked for and does not import here"):
            extractor.extract(batch)
        pytest.skip("torchaudio does not import here; its refusal was tested")
    expected = build(Options(), RESOURCES).extract(batch)
    for energies, same in zip(extractor.extract(batch), expected, strict=True):
        np.testing.assert_allclose(energies, same, atol=1e-3)


@pytest.mark.parametrize(
    ("rate", "window_ms", "hop_ms"),
    [(11025, 25.0, 10.0), (22050, 30.0, 12.5), (16000, 25.6, 10.0), (44100, 25.0, 8.0)],
)
def test_windows_are_as_long_as_kaldi_makes_them(
    rate: int, window_ms: float, hop_ms: float
) -> None:
    waveform = np.random.default_rng(0).normal(0, 0.1, rate).astype(np.float32)
    ours, theirs = (
        Filterbank(rate, 23, window_ms, hop_ms, backend).energies(waveform)
        for backend in ("numpy", "kaldi-native-fbank")
    )
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
