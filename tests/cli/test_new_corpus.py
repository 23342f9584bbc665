"""A folder of unknown recordings becomes a settings file that runs."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from emonas.corpora.readers.csv import read
from emonas.errors import EmonasError
from emonas.settings.found_corpus import look
from emonas.settings.load import load_settings
from emonas.settings.new_corpus import told, write_corpus
from emonas.settings.plan import Plan

EMODB = Path(__file__).parents[3] / "shared/corpora/emodb/wav"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "my recordings"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for speaker in ("anna", "bert", "carl"):
        for emotion in ("wut", "freude", "klt"):
            for take in (1, 2):
                noise = draw.normal(0, 0.1, 8000)
                soundfile.write(folder / f"{speaker}_{emotion}_{take}.wav", noise, 16000)
    (folder / "anna_wut_3.wav").write_bytes(b"RIFF no audio")
    return folder


def test_a_folder_becomes_a_table_and_settings_that_hold(root, tmp_path):
    found = look(root)
    lines = "\n".join(told(found))
    assert "18 recordings" in lines
    assert "1 can't be used; the first is anna_wut_3.wav" in lines
    assert "GUESSED emotion: word 2 of the file's name: angry 6, happy 6" in lines
    assert "NOT KNOWN there: klt 6" in lines
    assert "GUESSED speaker: word 1 of the file's name: anna 6, bert 6, carl 6" in lines
    table, settings = write_corpus(found, "mine", tmp_path / "mine.yaml")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"audio": "carl_freude_1.wav", "emotion": "freude", "speaker": "carl"} in rows
    written = yaml.safe_load(settings.read_text())
    assert written["corpora"]["mine"]["labels"] == {"freude": "happy", "wut": "angry"}
    assert written["protocols"]["mine"]["test"] == "speaker"
    assert all(f"# {line}" in settings.read_text() for line in told(found))
    assert Plan(load_settings(settings)).runs == {("mine", "linear"): 1}
    with pytest.raises(EmonasError, match=r"mine\.csv: is there already"):
        write_corpus(found, "mine", tmp_path / "mine.yaml")


@pytest.mark.skipif(not EMODB.exists(), reason="the real corpus is not at hand")
def test_a_known_corpus_is_told_by_its_names(tmp_path):
    found = look(EMODB)
    assert found.reader == "emodb"
    (settings,) = write_corpus(found, "emo", tmp_path / "emo.yaml")
    assert yaml.safe_load(settings.read_text())["corpora"]["emo"]["reader"] == "emodb"
    assert not (tmp_path / "emo.csv").exists()


def test_speakers_that_are_spelled_in_two_ways_are_told(root):
    (root / "anna_wut_1.wav").rename(root / "Anna_wut_1.wav")
    assert (
        "ONE PERSON OR SEVERAL? Anna, anna: if it is one, write the name alike in all rows"
        in told(look(root))
    )


def test_a_folder_without_audio_is_told(tmp_path):
    with pytest.raises(EmonasError, match="there is no audio below this folder"):
        look(tmp_path)
    with pytest.raises(EmonasError, match="there is no such folder"):
        look(tmp_path / "nowhere")
    (tmp_path / "a.m4a").write_bytes(b"what")
    with pytest.raises(EmonasError, match=r"no audio below this folder; skipped.*1 \.m4a; convert"):
        look(tmp_path)


def test_other_endings_of_wav_are_heard_and_other_recordings_are_told(root):
    for name, ending in (("bert_wut_3", ".wave"), ("carl_wut_3", ".BWF")):
        (root / f"{name}.wav").write_bytes((root / "carl_wut_1.wav").read_bytes())
        (root / f"{name}.wav").rename(root / f"{name}{ending}")
    for ending in ("rf64", "pcm", "raw", "m4r", "dss", "qcp"):
        (root / f"talk.{ending}").write_bytes(b"what")
    lines = "\n".join(told(look(root)))
    assert "20 recordings" in lines
    assert "1 .dss, 1 .m4r, 1 .pcm, 1 .qcp, 1 .raw, 1 .rf64; convert them" in lines


def test_the_command_to_try_takes_a_name_with_a_blank(root):
    done = emonas("new-corpus", ".", "--output", "my own.yaml", folder=root)
    assert done.stdout.rstrip().endswith("then: emonas check 'my own.yaml'")


def emonas(*arguments, folder):
    return subprocess.run(
        [sys.executable, "-c", "from emonas.cli import app; app()", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def noise(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(len(path.name))
    soundfile.write(path, draw.normal(0, 0.1, 4000), 16000)


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    noise(tmp_path / "one.wav")
    done = emonas("new-corpus", "one.wav", folder=tmp_path)
    assert done.returncode == 1
    assert "emonas: one.wav: is a file, and a corpus is a folder of recordings" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.wav"]


def test_where_no_emotion_is_guessed_what_to_fill_is_told_at_once(tmp_path, monkeypatch):
    for number in range(6):
        noise(tmp_path / f"my recordings/talk {number}.wav")
    (tmp_path / "my recordings/phone.M4A").write_bytes(b"what")
    done = emonas("new-corpus", "my recordings", folder=tmp_path)
    assert done.returncode == 1
    assert "Skipped, because such files are not read: 1 .m4a; convert them to wav" in done.stdout
    said = "no emotion was guessed: nothing in the files' names is a word for one; fill the column "
    assert f"emonas: my recordings: {said}emotion in my-recordings.csv" in done.stderr
    monkeypatch.chdir(tmp_path)
    corpus = load_settings(Path("my-recordings.yaml")).corpora["my-recordings"]
    with pytest.raises(EmonasError, match="no row names an emotion; fill the column emotion"):
        read(corpus, Path("my-recordings"))


def test_files_that_a_known_corpus_does_not_know_are_told(tmp_path):
    for speaker in ("03", "08", "09", "10"):
        for text in ("a01", "a02", "b01"):
            for emotion in "WFTN":
                noise(tmp_path / f"emo/{speaker}{text}{emotion}a.wav")
    for name in ("extra.wav", "notes 1.wav", "notes 2.wav", "notes 3.wav"):
        noise(tmp_path / "emo" / name)
    done = emonas("new-corpus", "emo", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Their names are those of emodb" in done.stdout
    assert (
        "NOT KNOWN to emodb, which will leave them out: 4: extra.wav, notes 1.wav, notes 2.wav and "
        "1 more" in done.stdout
    )
    assert "# NOT KNOWN to emodb" in (tmp_path / "emo.yaml").read_text()


def test_a_table_does_not_take_the_place_of_the_settings(root, tmp_path):
    with pytest.raises(EmonasError, match=r"mine\.csv: a settings file ends in \.yaml"):
        write_corpus(look(root), "mine", tmp_path / "mine.csv")


def test_names_that_are_not_in_utf_8_are_told(root, tmp_path):
    (root / "anna_wut_1.wav").rename(root / "anna_wut_\udcff.wav")
    done = emonas("new-corpus", str(root), "--output", "mine.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 can't be used" in done.stdout
