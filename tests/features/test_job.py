import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile

from emonas.errors import EmonasError
from emonas.features import batches
from emonas.features.audio import read_audio
from emonas.features.batches import batches_by_length
from emonas.features.extraction import ExtractorOptions, Resources
from emonas.features.extractors import fbank, mfcc, spectrogram
from emonas.features.job import FeatureJob, extract_feature
from emonas.features.kept import KEEP, KeptFeatures
from emonas.learning.options import RuntimeOptions
from emonas.storage.features import FeatureFacts, FeatureFile
from emonas.storage.manifest import Utterance, write_manifest

EMODB = Path(__file__).parents[2].parent / "shared" / "corpora" / "emodb" / "wav"


@dataclass(frozen=True)
class Corpus:
    manifest: Path
    audio: dict[str, Path]


def write_corpus(folder: Path, files: list[Path], seconds: float = 1.0) -> Corpus:
    audio = {file.stem: file for file in files}
    rows = [
        Utterance(name, str(file), "c", "german", "s", "", "", "", "", "sad", seconds, 16000, "")
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
    job = FeatureJob(
        corpus="c",
        feature="f",
        options=options,
        manifest=corpus.manifest,
        resources=Resources(RuntimeOptions()),
        resume=output.parent / "resume",
        code="abc",
        digest="def",
    )
    extract_feature(job, output)
    return output


def test_every_utterance_gets_its_own_features(corpus: Corpus, tmp_path: Path) -> None:
    options = fbank.Options(bands=23)
    with FeatureFile(extract(corpus, options, tmp_path / "f.h5")) as file:
        assert file.utterances == tuple(sorted(corpus.audio))
        assert file.facts.extractor == "fbank"
        assert file.facts.options["bands"] == 23
        assert file.facts.frame_rate == 100
        assert (file.facts.code, file.facts.digest) == ("abc", "def")
        extractor = fbank.build(options, Resources(RuntimeOptions()))
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


@pytest.mark.parametrize("options", [fbank.Options(), mfcc.Options(), spectrogram.Options()])
def test_any_number_of_threads_gives_the_same_bytes(
    corpus: Corpus, tmp_path: Path, options: ExtractorOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = set()
    for threads in (1, 2, 5):
        monkeypatch.setattr(batches, "THREADS", threads)
        found.add(extract(corpus, options, tmp_path / f"{threads}.h5").read_bytes())
    assert len(found) == 1


def test_a_file_that_is_no_audio_is_named(corpus: Corpus, tmp_path: Path) -> None:
    corpus.audio["u33"].write_bytes(b"no audio")
    with pytest.raises(EmonasError, match=r"u33\.wav"):
        extract(corpus, fbank.Options(), tmp_path / "f.h5")
    assert not (tmp_path / "f.h5").exists()


def test_audio_with_not_a_number_is_named(corpus: Corpus, tmp_path: Path) -> None:
    samples = np.full(8000, np.nan, dtype=np.float32)
    soundfile.write(corpus.audio["u20"], samples, 16000, subtype="FLOAT")
    with pytest.raises(EmonasError, match=r"u20\.wav"):
        extract(corpus, fbank.Options(), tmp_path / "f.h5")


def test_an_empty_manifest_is_told(corpus: Corpus, tmp_path: Path) -> None:
    write_manifest(corpus.manifest, [])
    with pytest.raises(EmonasError, match="no utterances"):
        extract(corpus, fbank.Options(), tmp_path / "f.h5")


def test_a_store_of_half_precision_is_rounded_and_never_infinite(
    corpus: Corpus, tmp_path: Path
) -> None:
    whole = extract(corpus, fbank.Options(), tmp_path / "32.h5")
    half = extract(corpus, fbank.Options(store="float16"), tmp_path / "16.h5")
    assert half.stat().st_size < 0.7 * whole.stat().st_size
    with FeatureFile(whole) as full, FeatureFile(half) as short:
        for name in full.utterances:
            np.testing.assert_array_equal(short.read(name), full.read(name).astype(np.float16))
            assert short.read(name).dtype == np.float16
    loud = np.full(8000, 1e30, dtype=np.float32)
    soundfile.write(corpus.audio["u20"], loud, 16000, subtype="FLOAT")
    options = spectrogram.Options(seconds=1, scale="magnitude", store="float16")
    with pytest.raises(EmonasError, match=r"u20\.wav.*store: float32"):
        extract(corpus, options, tmp_path / "f.h5")


PROGRAM = """
import sys
from pathlib import Path
from emonas.features.extraction import Resources
from emonas.features.extractors.fbank import Options
from emonas.features.job import FeatureJob, extract_feature
from emonas.learning.options import RuntimeOptions

manifest, output = map(Path, sys.argv[1:])
extract_feature(
    FeatureJob(corpus="c", feature="f", options=Options(), manifest=manifest, code="abc",
               resources=Resources(RuntimeOptions()), resume=output.parent / "resume",
               digest="def"),
    output,
)
"""


def test_a_killed_extraction_goes_on_and_gives_the_same_bytes(
    corpus: Corpus, tmp_path: Path
) -> None:
    # Ten seconds each, as the manifest has it, are seven batches of six. The last waits for ever,
    # and once it does no other audio is opened: soundfile opens one file at a time. It is not begun
    # before three batches are kept.
    slow = write_corpus(tmp_path / "with a space", list(corpus.audio.values()), seconds=10.0)
    undisturbed = extract(slow, fbank.Options(), tmp_path / "whole" / "f.h5").read_bytes()
    last, held = slow.audio["u39"], tmp_path / "held.wav"
    last.rename(held)
    os.mkfifo(last)
    output = tmp_path / "killed" / "f.h5"
    command = [sys.executable, "-c", PROGRAM, str(slow.manifest), str(output)]
    process = subprocess.Popen(
        command,
        env={**os.environ, KEEP: "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    begun = time.monotonic()
    while len(list(output.parent.glob("resume/features/*/[0-9]*.h5"))) < 3:
        assert process.poll() is None
        assert time.monotonic() - begun < 300
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not output.exists()
    # What was extracted is not read again: none of its audio is there any more.
    for index in range(18):
        slow.audio[f"u{index:02}"].unlink()
    last.unlink()
    held.rename(last)
    extract(slow, fbank.Options(), output)
    assert output.read_bytes() == undisturbed
    assert set(output.parent.iterdir()) == {output.parent / "resume", output}
    assert list((output.parent / "resume" / "features").iterdir()) == []


def test_what_is_damaged_or_of_other_facts_is_extracted_again(
    corpus: Corpus, tmp_path: Path
) -> None:
    facts = FeatureFacts("fbank", {}, 100.0)
    first = KeptFeatures(tmp_path / "kept", facts)
    for name in ("a", "b", "c"):
        first.append(name, np.full((2, 3), ord(name), np.float32))
        first._keep()
    (tmp_path / "kept" / "000001.h5").write_bytes(b"torn")
    second = KeptFeatures(tmp_path / "kept", facts)
    assert second.done == {"a", "c"}
    second.append("b", np.full((2, 3), ord("b"), np.float32))
    second.finish(tmp_path / "f.h5", ["a", "b", "c"])
    with FeatureFile(tmp_path / "f.h5") as file:
        assert [chr(int(file.read(name)[1, 2])) for name in file.utterances] == ["a", "b", "c"]
    assert KeptFeatures(tmp_path / "kept", facts).done == {"a", "b", "c"}
    assert KeptFeatures(tmp_path / "kept", replace(facts, checkpoint="other")).done == set()


@pytest.mark.parametrize("given", ["often", "-1", "nan", ""])
def test_seconds_that_are_none_are_told(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(KEEP, given)
    with pytest.raises(EmonasError, match=f"^{KEEP}: '{given}' is no number of seconds"):
        extract(corpus, fbank.Options(), tmp_path / "f.h5")


def test_without_room_it_goes_on_once_there_is_some(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = write_corpus(tmp_path / "with a space", list(corpus.audio.values()), seconds=10.0)
    undisturbed = extract(slow, fbank.Options(), tmp_path / "whole" / "f.h5").read_bytes()
    monkeypatch.setenv(KEEP, "0")
    output = tmp_path / "full" / "f.h5"
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(undisturbed) // 2, former[1]))
    try:
        # Every part fits, and the whole does not.
        with pytest.raises(EmonasError, match=r"f\.h5: can't be written .*make room and run again"):
            extract(slow, fbank.Options(), output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert list(output.parent.iterdir()) == [output.parent / "resume"]
    for audio in slow.audio.values():
        audio.unlink()
    extract(slow, fbank.Options(), output)
    assert output.read_bytes() == undisturbed


def test_batches_hold_what_fits_the_budget() -> None:
    seconds = [3.0, 9.0, 1.0, 8.0, 2.0, 200.0]
    rows = pd.DataFrame({"utterance": list("abcdef"), "seconds": seconds})
    by_length = [list(batch["utterance"]) for batch in batches_by_length(rows, 20.0)]
    assert by_length == [["f"], ["b", "d"], ["a", "e", "c"]]
    at_least = [list(batch["utterance"]) for batch in batches_by_length(rows, 20.0, least=8.5)]
    assert at_least == [["f"], ["b", "d"], ["a", "e"], ["c"]]
    whole = [list(batch["utterance"]) for batch in batches_by_length(rows, 20.0, least=30.0)]
    assert whole == [[name] for name in "fbdaec"]


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


def test_torchaudio_resamples_or_says_why_not(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    soundfile.write(tmp_path / "a.wav", tone, 44100, subtype="FLOAT")
    try:
        import torchaudio.functional  # noqa: F401
    except (ImportError, OSError):
        with pytest.raises(EmonasError, match="torchaudio is asked for and does not import here"):
            read_audio(tmp_path / "a.wav", 16000, "torchaudio")
        pytest.skip("torchaudio does not import here; its refusal was tested")
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    waveform = read_audio(tmp_path / "a.wav", 16000, "torchaudio")
    np.testing.assert_allclose(waveform[200:-200], expected[200:-200], atol=1e-2)


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
