import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from emonas.features.audio import read_audio
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.features.extractors import ge2e
from emonas.features.extractors.ge2e import Options
from emonas.learning.options import RuntimeOptions

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("resemblyzer") is None, reason="resemblyzer is not installed"
    ),
    # The package imports from a place that scipy has renamed.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SPEECH = Path(__file__).parents[2].parent / "shared" / "corpora" / "emodb" / "wav"


def build(**options: object) -> Extractor:
    return ge2e.build(Options(**options), Resources(RuntimeOptions(device="cpu")))


def noise(samples: int, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(samples).standard_normal(samples)).astype(np.float32)


@pytest.fixture
def files() -> list[Path]:
    if not SPEECH.is_dir():
        pytest.skip("EmoDB is not here")
    return [SPEECH / f"{name}.wav" for name in ("03a01Fa", "03b01Wa", "16b10Wb")]


def test_a_vector_is_that_of_resemblyzer_on_the_file(files):
    from resemblyzer import VoiceEncoder, preprocess_wav

    encoder = VoiceEncoder("cpu", verbose=False)
    speeches = [Speech(file.stem, read_audio(file, 16000)) for file in files]
    for file, vector in zip(files, build().extract(speeches), strict=True):
        assert vector.shape == (1, 256)
        assert vector.dtype == np.float32
        np.testing.assert_allclose(
            vector[0], encoder.embed_utterance(preprocess_wav(file)), atol=1e-6
        )
    plain = build(trim=False).extract(speeches)
    for speech, vector in zip(speeches, plain, strict=True):
        expected = encoder.embed_utterance(speech.waveform)
        np.testing.assert_allclose(vector[0], expected, atol=1e-6)


def test_the_same_audio_gives_the_same_bytes_in_any_company(files):
    speeches = [Speech(file.stem, read_audio(file, 16000)) for file in files]
    speeches.append(Speech("long", np.concatenate([one.waveform for one in speeches])))
    speeches.append(Speech("short", noise(100)))
    together = build().extract(speeches)
    again = build()
    for speech, vector in zip(speeches, together, strict=True):
        np.testing.assert_array_equal(vector, again.extract([speech])[0])


def test_the_weights_of_the_package_are_what_the_feature_depends_on():
    (weights,) = Options().files("emodb")
    assert weights.is_file()
    given = torch.load(weights, map_location="cpu", weights_only=True)["model_state"]
    ours = build()._encoder.state_dict()
    assert ours.keys() <= given.keys()
    assert all(torch.equal(ours[name], given[name]) for name in ours)


def test_its_files_are_named_without_torch():
    program = (
        "import sys\n"
        "from emonas.features.extractors.ge2e import Options\n"
        "assert Options().files('c')\n"
        "print([name for name in ('torch', 'resemblyzer') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_silence_between_words_is_cut_out(files):
    """Ten seconds of silence change a vector only where they are kept."""
    words = read_audio(files[0], 16000)
    parted = np.concatenate([words, np.zeros(160000, np.float32), words])

    def likeness(extractor: Extractor) -> float:
        one, other = extractor.extract([Speech("a", words), Speech("b", parted)])
        return float((one * other).sum())

    assert likeness(build()) > likeness(build(trim=False)) + 0.05


def test_what_the_voice_detector_drops_whole_is_kept_whole():
    """Noise, a click shorter than the detector's window, silence, and a sample over full scale."""
    hiss = noise(16000, 0.001)
    click = np.zeros(200, np.float32)
    click[50] = 1.2
    speeches = [Speech("hiss", hiss), Speech("click", click)]
    speeches += [Speech("silence", np.zeros(8000, np.float32)), Speech("one", click[50:51])]
    given, untrimmed = build().extract(speeches), build(trim=False).extract(speeches)
    for vector, expected in zip(given, untrimmed, strict=True):
        np.testing.assert_allclose(np.linalg.norm(vector), 1, atol=1e-5)
        np.testing.assert_array_equal(vector, expected)
