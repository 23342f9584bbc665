import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.features.audio import read_audio
from emonas.features.extraction import Resources, Speech
from emonas.features.extractors import byol
from emonas.features.extractors.byol import Byol, Options
from emonas.features.job import FeatureJob, extract_feature
from emonas.learning.options import RuntimeOptions
from emonas.networks.audio_ntt import AudioNTT2020
from emonas.storage.manifest import Utterance, write_manifest

SHARED = Path(__file__).parents[2].parent / "shared"
RELEASED = SHARED / "checkpoints" / "SERAB_BYOL-S_default512_64x96.pth"
SPEECH = SHARED / "corpora" / "emodb" / "wav"
EPSILON = 2.0**-23


def build(path: Path, layers: tuple[str, ...] = (), **options: object) -> Byol:
    resources = Resources(RuntimeOptions(device="cpu"), Checkpoint("byol", path, ""), layers)
    made = byol.build(Options(checkpoint="byol", **options), resources)
    assert isinstance(made, Byol)
    return made


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file of a random encoder, a narrow one."""
    torch.manual_seed(1)
    path = tmp_path / "encoder of mine.pth"
    torch.save(AudioNTT2020(16).state_dict(), path)
    return path


@pytest.fixture
def released() -> Path:
    if not RELEASED.is_file():
        pytest.skip("the released BYOL-S checkpoint is not here")
    return RELEASED


@pytest.mark.parametrize(
    ("precision", "device", "told"),
    [("auto", "auto", True), ("float32", "auto", False), ("auto", "cpu", False)],
)
def test_features_that_are_not_finite_may_be_float16_s_fault(
    tmp_path, written, precision, device, told
):
    audio = tmp_path / "broken.wav"
    soundfile.write(audio, np.full(16000, np.nan), 16000, subtype="FLOAT")
    row = Utterance("broken", str(audio), "c", "", "s", "", "", "", "", "", 1.0, 16000, "")
    write_manifest(tmp_path / "manifest.csv", [row])
    job = FeatureJob(
        corpus="c",
        feature="f",
        options=Options(checkpoint="byol", precision=precision),
        manifest=tmp_path / "manifest.csv",
        resources=Resources(RuntimeOptions(device=device), Checkpoint("byol", written, "")),
        resume=tmp_path / "resume",
        code="",
    )
    with pytest.raises(EmonasError, match=r"broken\.wav: .*replace the file") as raised:
        extract_feature(job, tmp_path / "f.h5")
    assert ("`precision: float32`" in str(raised.value)) == told


def log_mel_by_hand(waveform: np.ndarray, window: int) -> np.ndarray:
    """From the description: mirrored ends, a periodic Hann window amid 1024 samples, triangles."""
    hann = [0.5 - 0.5 * math.cos(2 * math.pi * n / window) for n in range(window)]
    before = (1024 - window) // 2
    weights = np.zeros(1024)
    weights[before : before + window] = hann
    mirrored = np.concatenate([waveform[512:0:-1], waveform, waveform[-2:-514:-1]])
    low, high = (2595 * math.log10(1 + f / 700) for f in (60, 7800))
    edges = [700 * (10 ** ((low + (high - low) * i / 65) / 2595) - 1) for i in range(66)]
    columns = []
    for start in range(0, len(waveform) + 1, 160):
        powers = np.abs(np.fft.rfft(mirrored[start : start + 1024] * weights)) ** 2
        column = []
        for left, centre, right in zip(edges, edges[1:], edges[2:], strict=False):
            total = 0.0
            for index in range(int(left / 15.625), int(right / 15.625) + 1):
                rising = (index * 15.625 - left) / (centre - left)
                falling = (right - index * 15.625) / (right - centre)
                total += max(0.0, min(rising, falling)) * powers[index]
            column.append(math.log(total + EPSILON))
        columns.append(column)
    return np.array(columns).T


@pytest.mark.parametrize("window", [400, 1024])
def test_the_log_mel_is_that_of_the_description(written, window):
    waveform = noise(4000)
    given = build(written, window=window).log_mel(waveform).numpy()
    assert given.shape == (64, 26)
    np.testing.assert_allclose(given, log_mel_by_hand(waveform, window), atol=2e-4)


@pytest.mark.parametrize(
    ("options", "centre", "scale"),
    [
        ({"standardise": "fixed", "mean": -3.0, "deviation": 2.5}, -3.0, 2.5),
        ({"standardise": "utterance"}, None, None),
    ],
)
def test_the_network_hears_the_standardised_log_mel(written, options, centre, scale):
    waveform = noise(8000)
    mel = log_mel_by_hand(waveform, 400)
    centre = mel.mean() if centre is None else centre
    scale = mel.std(ddof=1) if scale is None else scale
    network = AudioNTT2020(16).eval()
    network.load_state_dict(torch.load(written, weights_only=True))
    with torch.inference_mode():
        expected = network(torch.tensor((mel - centre) / scale, dtype=torch.float32)[None])
    (given,) = build(written, **options).extract([Speech("a", waveform)])
    assert given.dtype == np.float32
    np.testing.assert_allclose(given, expected, rtol=1e-3, atol=1e-4)


def test_one_utterance_has_no_say_in_another(released):
    """Loudness, length and company of the others change nothing; one is shorter than a window."""
    extractor = build(released)
    speeches = [Speech(str(n), noise(n, n)) for n in (50, 1120, 16000, 70000)]
    together = extractor.extract(speeches)
    for speech, vector in zip(speeches, together, strict=True):
        (alone,) = extractor.extract([speech])
        np.testing.assert_allclose(vector, alone, atol=1e-4)
        assert np.isfinite(vector).all()


def test_short_audio_is_padded_with_zeros(written):
    short = noise(300)
    longer = np.concatenate([short, np.zeros(1120 - 300, dtype=np.float32)])
    first, second = build(written).extract([Speech("a", short), Speech("b", longer)])
    np.testing.assert_array_equal(first, second)


def test_silence_and_a_single_sample_have_a_vector(written):
    silence = [Speech("a", np.zeros(16000, np.float32)), Speech("b", np.ones(1, np.float32))]
    for vector in build(written).extract(silence):
        assert np.isfinite(vector).all()


def test_the_loudness_of_a_recording_is_taken_out_by_its_own_statistics(released):
    waveform = noise(16000)
    loud, quiet = build(released).extract([Speech("a", waveform), Speech("b", waveform / 8)])
    np.testing.assert_allclose(loud, quiet, atol=1e-2)
    fixed = build(released, standardise="fixed")
    loud, quiet = fixed.extract([Speech("a", waveform), Speech("b", waveform / 8)])
    assert np.abs(loud - quiet).max() > 0.1


def test_the_released_file_tells_anger_from_sadness(released):
    """With wrong weights or another front end the vectors of the classes do not part so."""
    if not SPEECH.is_dir():
        pytest.skip("EmoDB is not here")
    files = sorted(SPEECH.glob("0[389]*W?.wav"))[:12] + sorted(SPEECH.glob("0[389]*T?.wav"))[:12]
    speeches = [Speech(file.stem, read_audio(file, 16000)) for file in files]
    vectors = np.concatenate(build(released).extract(speeches))
    assert vectors.shape == (len(files), 512)
    anger = np.array([file.stem[5] == "W" for file in files])
    hits = 0
    for index, vector in enumerate(vectors):
        others = np.arange(len(files)) != index
        distances = [
            np.linalg.norm(vector - vectors[others & which].mean(0)) for which in (anger, ~anger)
        ]
        hits += (distances[0] < distances[1]) == anger[index]
    assert hits >= 0.9 * len(files)


def test_the_width_is_read_from_the_file(tmp_path):
    path = tmp_path / "wide.pth"
    torch.save(AudioNTT2020(2048).state_dict(), path)
    (vector,) = build(path, window=1024).extract([Speech("a", noise(2000))])
    assert vector.shape == (1, 2048)


def test_another_architecture_is_one_sentence(tmp_path, released):
    path = tmp_path / "other.pth"
    for state in (
        {"conv1.weight": torch.zeros(3)},
        {"fc.3.bias": torch.zeros(8)},
        {**torch.load(released, weights_only=True), "more": torch.zeros(1)},
        [torch.zeros(1)],
    ):
        torch.save(state, path)
        with pytest.raises(EmonasError, match=r"other\.pth: this is no AudioNTT2020") as caught:
            build(path)
        assert "\n" not in str(caught.value)
        assert "give a released file" in str(caught.value)


def test_it_has_no_layers(written):
    with pytest.raises(EmonasError, match="byol gives one vector and has no layers"):
        build(written, layers=("3",))
