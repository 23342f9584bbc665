import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emonas.features.audio import read_audio
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.features.extractors import egemaps
from emonas.features.extractors.egemaps import Options
from emonas.learning.options import RuntimeOptions

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("opensmile") is None, reason="opensmile is not installed"
)
SPEECH = Path(__file__).parents[2].parent / "shared" / "corpora" / "emodb" / "wav"


def build(**options: object) -> Extractor:
    return egemaps.build(Options(**options), Resources(RuntimeOptions(device="cpu")))


def vowel(seconds: float, pitch: float = 140, peak: float = 0.5) -> np.ndarray:
    times = np.arange(round(16000 * seconds)) / 16000
    partials = [np.sin(2 * np.pi * pitch * k * times) / k for k in range(1, 20)]
    return (peak * np.sum(partials, axis=0) / 2).astype(np.float32)


@pytest.mark.parametrize(
    ("chosen", "count"), [("eGeMAPSv02", 88), ("GeMAPSv01b", 62), ("ComParE_2016", 6373)]
)
def test_the_functionals_are_those_of_opensmile_on_the_file(chosen, count):
    import opensmile

    if not SPEECH.is_dir():
        pytest.skip("EmoDB is not here")
    judge = opensmile.Smile(opensmile.FeatureSet[chosen], opensmile.FeatureLevel.Functionals)
    files = [SPEECH / "03a01Fa.wav", SPEECH / "16b10Wb.wav"]
    speeches = [Speech(file.stem, read_audio(file, 16000)) for file in files]
    for file, vector in zip(files, build(parameters=chosen).extract(speeches), strict=True):
        assert vector.shape == (1, count)
        assert vector.dtype == np.float32
        np.testing.assert_array_equal(vector, judge.process_file(file).to_numpy())


def test_the_sampling_rate_reaches_opensmile():
    import opensmile

    judge = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    waveform = vowel(1)[::2].copy()
    (vector,) = build(sampling_rate=8000).extract([Speech("a", waveform)])
    np.testing.assert_array_equal(vector, judge.process_signal(waveform, 8000).to_numpy())


def test_one_utterance_has_no_say_in_another():
    extractor = build()
    speeches = [Speech(str(n), vowel(n)) for n in (0.01, 0.4, 3.0)]
    for speech, vector in zip(speeches, extractor.extract(speeches), strict=True):
        np.testing.assert_array_equal(vector, extractor.extract([speech])[0])


@pytest.mark.parametrize("chosen", ["eGeMAPSv02", "GeMAPSv01b", "ComParE_2016"])
def test_short_audio_is_padded_with_zeros(chosen):
    extractor = build(parameters=chosen)
    short = vowel(0.02)
    longer = np.concatenate([short, np.zeros(1600 - len(short), np.float32)])
    one = np.ones(1, np.float32)
    silence = np.zeros(1600, np.float32)
    first, second, *others = extractor.extract(
        [Speech(str(n), samples) for n, samples in enumerate((short, longer, one, silence))]
    )
    np.testing.assert_array_equal(first, second)
    assert np.isfinite(np.concatenate([first, *others])).all()


def test_full_scale_does_not_turn_its_sign(tmp_path):
    """What overshoots is what a 16-bit file of it would hold."""
    loud = vowel(1, peak=1.5)
    assert loud.max() > 1
    path = tmp_path / "loud.wav"
    soundfile.write(path, np.clip(loud, -1, 32767 / 32768), 16000, subtype="FLOAT")
    held, given = build().extract([Speech("a", read_audio(path, 16000)), Speech("b", loud)])
    np.testing.assert_array_equal(given, held)
    (turned,) = build().extract([Speech("c", np.where(loud >= 1, -1, loud).astype(np.float32))])
    assert np.abs(given - turned).max() > 1
