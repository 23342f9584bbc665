"""What `emonas predict` says of recordings, with a real if random system."""

import csv
import io
import json

import numpy as np
import pytest
import soundfile

from emonas.export.model import Model
from emonas.export.output import written
from emonas.export.predict import predict_files
from emonas.export.windows import Windows

RATE = 16000


@pytest.fixture(scope="module")
def model(a_model):
    return Model(a_model, device="cpu")


@pytest.fixture(scope="module")
def partly_silent(tmp_path_factory):
    """40 s of noise, silent from 8 s to 30 s."""
    path = tmp_path_factory.mktemp("recordings") / "partly silent.wav"
    samples = np.random.default_rng(0).normal(0, 0.1, 40 * RATE)
    samples[8 * RATE : 30 * RATE] = 0
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


def test_silent_windows_get_no_answer_and_do_not_count(model, partly_silent):
    heard = predict_files(model, [str(partly_silent)], Windows())
    (told,) = json.loads(written(heard, model.classes, "json"))
    windows = told["windows"]
    silent = {"start": 10.0, "end": 20.0, "problem": "it is silent"}
    assert silent in windows
    assert [one["start"] for one in windows if "problem" in one] == [10, 15, 20]
    own = [one["probabilities"] for one in windows if "problem" not in one]
    assert len(own) == 4
    samples, _ = soundfile.read(partly_silent, dtype="float32")
    for one in (one for one in windows if "problem" not in one):
        alone = model(samples[round(one["start"] * RATE) : round(one["end"] * RATE)], RATE)
        assert one["probabilities"] == pytest.approx(alone, abs=1e-6)
    for label in model.classes:
        mean = np.mean([one[label] for one in own])
        assert told["probabilities"][label] == pytest.approx(mean)


def test_silent_windows_stand_in_every_format(model, partly_silent):
    heard = predict_files(model, [str(partly_silent)], Windows())
    rows = list(csv.DictReader(io.StringIO(written(heard, model.classes, "csv"))))
    (row,) = (row for row in rows if row["start"] == "15.000")
    assert (row["label"], row["happy"], row["problem"]) == ("", "", "it is silent")
    table = written(heard, model.classes, "table").splitlines()
    (line,) = (line for line in table if "15.0 to 25.0" in line)
    assert line.split("15.0 to 25.0")[1].split() == ["it", "is", "silent"]


def test_a_recording_of_silent_windows_alone_can_t_be_heard(model, tmp_path):
    """It drifts: over all it is no silence, and in every window it is."""
    path = tmp_path / "drifting.wav"
    soundfile.write(path, np.linspace(0, 20 / 32768, 40 * RATE), RATE, subtype="FLOAT")
    other = tmp_path / "short.wav"
    soundfile.write(other, np.random.default_rng(1).normal(0, 0.1, RATE), RATE)
    drifting, short = predict_files(model, [str(path), str(other)], Windows())
    assert "silent in every window" in drifting.recording.problem
    assert not short.recording.problem
    assert len(short.answers) == 1


def test_strange_names_are_told_on_one_line_and_break_nothing(model, tmp_path):
    sound = np.random.default_rng(1).normal(0, 0.1, RATE)
    soundfile.write(tmp_path / "a\nb.wav", sound, RATE)
    soundfile.write(tmp_path / "good.wav", sound, RATE)
    (tmp_path / "good.wav").rename(tmp_path / "c\udcff.wav")
    heard = predict_files(model, [str(tmp_path)], Windows())
    table = written(heard, model.classes, "table").splitlines()
    assert len(table) == 3
    assert "a\\nb.wav" in table[1]
    assert "c\\udcff.wav" in table[2] or "c\\xff.wav" in table[2]
    assert "its path is not in UTF-8; rename" in table[2]
    for form in ("table", "json", "csv"):
        written(heard, model.classes, form).encode("utf-8")


def test_an_m4a_that_is_named_is_told_what_to_do(model, tmp_path):
    path = tmp_path / "talk.M4A"
    path.write_bytes(b"what")
    (heard,) = predict_files(model, [str(path)], Windows())
    assert heard.recording.problem == ".m4a is not read; convert it to wav with ffmpeg"
