"""A folder of unknown recordings becomes a settings file that runs."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from emonas.errors import EmonasError
from emonas.settings.load import load_settings
from emonas.settings.new_corpus import look, told, write_corpus
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


def test_a_folder_without_audio_is_told(tmp_path):
    with pytest.raises(EmonasError, match="there is no audio below this folder"):
        look(tmp_path)
    with pytest.raises(EmonasError, match="there is no such folder"):
        look(tmp_path / "nowhere")
