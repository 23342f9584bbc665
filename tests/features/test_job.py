import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from emonas.errors import EmonasError
from emonas.features.audio import read_audio
from emonas.features.extraction import ExtractorOptions
from emonas.features.extractors import fbank, mfcc, spectrogram, wav2vec
from emonas.features.job import extract_feature
from emonas.learning.options import RuntimeOptions
from emonas.storage.features import FeatureFile
from emonas.storage.manifest import Utterance, write_manifest

EMODB = Path(__file__).parents[2].parent / "shared" / "corpora" / "emodb" / "wav"


@dataclass(frozen=True)
class Corpus:
    manifest: Path
    audio: dict[str, Path]


def write_corpus(folder: Path, files: list[Path]) -> Corpus:
    audio = {file.stem: file for file in files}
    rows = [
        Utterance(name, str(file), "c", "german", "s", "", "", "", "", "sad", 1.0, 16000, "")
        for name, file in audio.items()
    ]
    write_manifest(folder / "manifest.csv", rows)
    return Corpus(folder / "manifest.csv", audio)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Forty utterances of 10 ms to 0.8 s in a folder with a space, more than two batches."""
    folder = tmp_path / "with a space"
    folder.mkdir()
    generator = np.random.default_rng(7)
    files = []
    for index in range(40):
        files.append(folder / f"u{index:02}.wav")
        samples = generator.normal(size=160 + 313 * index) * 0.1
        soundfile.write(files[-1], samples, 16000, subtype="FLOAT")
    return write_corpus(folder, files)


def extract(corpus: Corpus, options: ExtractorOptions, output: Path) -> Path:
    extract_feature("c", "f", options, corpus.manifest, output, RuntimeOptions(), code="abc")
    return output


def test_every_utterance_gets_its_own_features(corpus: Corpus, tmp_path: Path) -> None:
    options = fbank.Options(bands=23)
    with FeatureFile(extract(corpus, options, tmp_path / "f.h5")) as file:
        assert file.utterances == tuple(sorted(corpus.audio))
        assert file.facts.extractor == "fbank"
        assert file.facts.options["bands"] == 23
        assert file.facts.frame_rate == 100
        assert file.facts.code == "abc"
        extractor = fbank.build(options)
        for name, audio in corpus.audio.items():
            waveform = soundfile.read(audio, dtype="float32")[0]
            (expected,) = extractor.extract([fbank.Speech(name, waveform)])
            np.testing.assert_array_equal(file.read(name), expected)


@pytest.mark.parametrize("options", [fbank.Options(), mfcc.Options(), spectrogram.Options()])
def test_the_same_audio_gives_the_same_bytes(
    corpus: Corpus, tmp_path: Path, options: ExtractorOptions
) -> None:
    first = extract(corpus, options, tmp_path / "1.h5")
    second = extract(corpus, options, tmp_path / "2.h5")
    assert first.read_bytes() == second.read_bytes()


def test_a_file_that_is_no_audio_is_named(corpus: Corpus, tmp_path: Path) -> None:
    corpus.audio["u33"].write_bytes(b"no audio")
    with pytest.raises(EmonasError, match=r"u33\.wav"):
        extract(corpus, fbank.Options(), tmp_path / "f.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["with a space"]


def test_audio_with_not_a_number_is_named(corpus: Corpus, tmp_path: Path) -> None:
    samples = np.full(8000, np.nan, dtype=np.float32)
    soundfile.write(corpus.audio["u20"], samples, 16000, subtype="FLOAT")
    with pytest.raises(EmonasError, match=r"u20\.wav"):
        extract(corpus, fbank.Options(), tmp_path / "f.h5")


def test_an_empty_manifest_and_a_missing_checkpoint_are_told(
    corpus: Corpus, tmp_path: Path
) -> None:
    with pytest.raises(EmonasError, match="checkpoint is not given"):
        extract(corpus, wav2vec.Options(), tmp_path / "f.h5")
    write_manifest(corpus.manifest, [])
    with pytest.raises(EmonasError, match="no utterances"):
        extract(corpus, fbank.Options(), tmp_path / "f.h5")


@pytest.mark.parametrize(("name", "subtype"), [("a.wav", "PCM_24"), ("a.flac", "PCM_16")])
def test_channels_are_averaged_in_any_format(tmp_path: Path, name: str, subtype: str) -> None:
    left = 0.3 * np.sin(np.arange(1000) / 9)
    right = 0.1 * np.cos(np.arange(1000) / 5)
    soundfile.write(tmp_path / name, np.stack([left, right], axis=1), 16000, subtype=subtype)
    waveform = read_audio(tmp_path / name, 16000)
    assert waveform.dtype == np.float32
    np.testing.assert_allclose(waveform, (left + right) / 2, atol=1e-4)


def test_resampling_keeps_a_tone(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    soundfile.write(tmp_path / "a.wav", tone, 44100, subtype="FLOAT")
    waveform = read_audio(tmp_path / "a.wav", 16000)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    assert len(waveform) == 16000
    np.testing.assert_allclose(waveform[200:-200], expected[200:-200], atol=1e-3)


def test_an_empty_file_and_a_missing_one_are_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16000)
    for name in ("empty.wav", "missing.wav"):
        with pytest.raises(EmonasError, match=name):
            read_audio(tmp_path / name, 16000)


def test_options_load_neither_torch_nor_librosa() -> None:
    program = (
        "import sys\n"
        "from emonas.features import job\n"
        "from emonas.features.extractors import fbank, mfcc, spectrogram, wav2vec\n"
        "heavy = ('torch', 'librosa', 'soundfile', 'scipy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.skipif(not EMODB.is_dir(), reason="EmoDB is not beside the repository")
def test_real_speech(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, sorted(EMODB.glob("*.wav"))[:5])
    seconds = {name: librosa.get_duration(path=path) for name, path in corpus.audio.items()}
    with FeatureFile(extract(corpus, fbank.Options(), tmp_path / "fbank.h5")) as file:
        for name, duration in seconds.items():
            frames = file.read(name)
            assert len(frames) == int((duration * 1000 - 25) // 10) + 1
            assert frames.std() > 1
    with FeatureFile(extract(corpus, spectrogram.Options(), tmp_path / "s.h5")) as file:
        for name, duration in seconds.items():
            image = file.read(name)
            assert image.shape == (140, 140)
            spoken = int(duration / 8 * 140) - 2
            assert image[:spoken].mean() > image[spoken + 5 :].mean() + 3
            np.testing.assert_allclose(image[spoken + 5 :], np.log(1e-5), rtol=1e-5)
