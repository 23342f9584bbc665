"""Bad input is named, what can go on goes on, and the list says what was left out."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emonas.corpora.audio import UnusableAudioError, inspect_audio
from emonas.corpora.readers import csv, folders, ravdess
from emonas.errors import EmonasError


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda root: None, "no folder is given"),
        (lambda root: root / "nowhere", "nowhere"),
        (lambda root: root, "no audio file"),
    ],
)
def test_a_root_that_is_missing_or_empty(make, what, written, tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    (root / "README.txt").write_text("unpack here")
    with pytest.raises(EmonasError, match=rf"corpora\.mine\.root.*{what}"):
        written(ravdess.Options(root=make(root)))


def test_broken_files_are_left_out_and_the_rest_is_used(tone, written, tmp_path):
    root = tmp_path / "data" / "happy"
    tone(root / "good.wav")
    cut = tone(root / "cut.wav", pitch=300)
    cut.write_bytes(cut.read_bytes()[:8000])
    compressed = tone(root / "cut.flac", pitch=310)
    compressed.write_bytes(compressed.read_bytes()[:-2000])
    soundfile.write(root / "silent.wav", np.zeros(8000), 16000)
    soundfile.write(root / "nan.wav", np.full(8000, np.nan), 16000, subtype="FLOAT")
    soundfile.write(root / "short.wav", np.ones(100), 16000)
    (root / "text.wav").write_text("these are words " * 100)
    (root / "empty.wav").touch()
    manifest, problems = written(folders.Options(root=root.parent, speaker="."))
    assert list(manifest.index) == ["happy_good"]
    expected = {
        "cut.wav": "truncated",
        "cut.flac": "",
        "silent.wav": "silent",
        "nan.wav": "no numbers",
        "short.wav": "too short",
        "text.wav": "no audio",
        "empty.wav": "empty",
    }
    for name, what in expected.items():
        assert what in problems.loc[name, "problem"]
    assert set(problems.index) == set(expected)
    assert set(problems["consequence"]) == {"left out"}


def test_if_nothing_can_be_used_the_sentence_says_why(written, tmp_path):
    root = tmp_path / "data"
    (root / "happy").mkdir(parents=True)
    (root / "happy" / "text.wav").write_text("these are words")
    with pytest.raises(EmonasError, match=r"mine: no utterance .*text\.wav: it is no audio"):
        written(folders.Options(root=root, speaker="."))
    listed = tmp_path / "results of mine" / "mine" / "problems.csv"
    assert "text.wav" in listed.read_text()
    assert not listed.with_name("manifest.csv").exists()


def test_of_two_utterances_with_one_name_the_first_path_stays(tone, written, tmp_path):
    first = tone(tmp_path / "data" / "Actor_01" / "03-01-01-01-01-01-01.wav")
    tone(tmp_path / "data" / "copy" / first.name, pitch=300)
    manifest, problems = written(ravdess.Options(root=tmp_path / "data"))
    assert list(manifest["audio"]) == [first.as_posix()]
    row = problems.loc[first.name]
    assert row["file"].endswith(f"copy/{first.name}")
    assert "there already" in row["problem"]


def test_a_broken_file_does_not_keep_out_a_whole_one_of_its_name(tone, written, tmp_path):
    broken = tmp_path / "data" / "Actor_01" / "03-01-01-01-01-01-01.wav"
    whole = tone(tmp_path / "data" / "copy" / broken.name)
    broken.parent.mkdir()
    broken.write_text("no audio")
    manifest, _ = written(ravdess.Options(root=tmp_path / "data"))
    assert list(manifest["audio"]) == [whole.as_posix()]


def test_another_rate_is_used_and_noted(tone, written, tmp_path):
    root = tmp_path / "data" / "happy"
    tone(root / "a.wav", pitch=200)
    tone(root / "b.wav", pitch=210)
    tone(root / "c.wav", pitch=220, rate=8000)
    tone(root / "d.wav", pitch=230, rate=44100)
    manifest, problems = written(folders.Options(root=root.parent, speaker="."))
    assert len(manifest) == 4
    assert set(problems.index) == {"c.wav", "d.wav"}
    assert "8000 Hz" in problems.loc["c.wav", "problem"]
    assert problems.loc["d.wav", "consequence"] == "used, resampled to 16000 Hz"


def test_the_digest_is_that_of_the_samples(tone, tmp_path):
    wav = inspect_audio(tone(tmp_path / "a.wav"))
    flac = inspect_audio(tone(tmp_path / "b.flac"))
    other = inspect_audio(tone(tmp_path / "c.wav", pitch=201))
    assert wav.digest == flac.digest
    assert wav.digest != other.digest
    assert (wav.seconds, wav.sampling_rate) == (0.5, 16000)


def test_a_wav_with_a_chunk_before_the_samples_is_whole(tone, tmp_path):
    plain = tone(tmp_path / "plain.wav").read_bytes()
    chunk = b"LIST" + (5).to_bytes(4, "little") + b"INFOx\0"
    path = tmp_path / "chunk.wav"
    path.write_bytes(plain[:12] + chunk + plain[12:])
    assert inspect_audio(path).digest == inspect_audio(tmp_path / "plain.wav").digest
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnusableAudioError, match="truncated"):
        inspect_audio(path)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_truncated_aiff_is_no_shorter_recording(tmp_path, subtype):
    path = tmp_path / "a.aiff"
    soundfile.write(path, 0.3 * np.sin(np.arange(16000) / 30), 16000, subtype=subtype)
    assert inspect_audio(path).seconds == 1.0
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(UnusableAudioError, match="truncated"):
        inspect_audio(path)


def test_a_folder_whose_name_is_not_in_utf8_is_told(tone, written, tmp_path):
    """Unpacking accents with the wrong tool leaves such names."""
    root = tmp_path / "data"
    tone(root / "happy" / "a.wav")
    damaged = os.fsdecode(os.fsencode(root) + b"/col\x8are")
    try:
        (root / "happy").rename(damaged)
    except OSError:
        pytest.skip("this file system holds no such name")
    tone(root / "happy" / "b.wav")
    manifest, problems = written(folders.Options(root=root, speaker="."))
    assert list(manifest.index) == ["happy_b"]
    assert list(problems["file"]) == [(root / r"col\x8are" / "a.wav").as_posix()]
    assert problems.loc["a.wav", "problem"].startswith("its path is not in UTF-8")
    assert problems.loc["a.wav", "consequence"] == "left out"


def test_a_missing_file_says_so(tmp_path: Path):
    with pytest.raises(UnusableAudioError, match="not there"):
        inspect_audio(tmp_path / "gone.wav")


def test_a_table_may_name_what_no_file_can_be(tone, written, tmp_path):
    tone(tmp_path / "a.wav")
    (tmp_path / "samples.raw").write_bytes(b"x" * 9999)
    long = "n" * 300 + ".wav"
    names = ("a.wav", "samples.raw", "folder.wav", long, "zero\0byte.wav", "..wav", ".")
    (tmp_path / "folder.wav").mkdir()
    rows = "".join(f'"{name}",happy,anna\n' for name in names)
    (tmp_path / "table.csv").write_text(f"audio,emotion,speaker\n{rows}")
    manifest, problems = written(csv.Options(table=tmp_path / "table.csv"))
    assert list(manifest.index) == ["a"]
    assert len(problems) == len(names) - 1
    assert "no audio" in problems.loc["samples.raw", "problem"]
    assert "no file but a folder" in problems.loc["folder.wav", "problem"]
    assert "cannot be opened" in problems.loc[long, "problem"]
    assert set(problems["consequence"]) == {"left out"}
