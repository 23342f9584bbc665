"""What `emonas predict` says of recordings, with a real if random system."""

import csv
import io
import json

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from emonas.cli.main import application
from emonas.errors import EmonasError
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


@pytest.fixture(scope="module")
def diverging_folder(with_weights):
    """The system with a weight by which its answer is no number where the lowest band's mean is
    above 15: it is about 18 of the loud noise, and about 9 of the quiet one.
    """

    def change(tensors):
        tensors["network.classifier.weight"].zero_()
        tensors["network.classifier.weight"][1, 0] = float(np.finfo(np.float32).max) / 15

    return with_weights(change)


@pytest.fixture(scope="module")
def diverging(diverging_folder):
    return Model(diverging_folder, device="cpu")


def noise(path, seconds, quiet=(0, 0)):
    """Loud noise that is quiet, if audible, from one second to another."""
    samples = np.random.default_rng(0).normal(0, 0.1, seconds * RATE)
    samples[quiet[0] * RATE : quiet[1] * RATE] *= 0.01
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return str(path)


def test_an_answer_that_is_no_number_is_told_and_does_not_count(diverging, tmp_path):
    path = noise(tmp_path / "partly quiet.wav", 40, quiet=(10, 32))
    (heard,) = predict_files(diverging, [path], Windows())
    problem = "what the system says of it is no number"
    (told,) = json.loads(written([heard], diverging.classes, "json"))
    unsaid = [one for one in told["windows"] if "problem" in one]
    assert unsaid == [
        {"start": 0.0, "end": 10.0, "problem": problem},
        {"start": 30.0, "end": 40.0, "problem": problem},
    ]
    assert told["probabilities"] == {"angry": 0.0, "happy": 1.0, "sad": 0.0}
    for form in ("table", "csv"):
        text = written([heard], diverging.classes, form)
        assert text.count(problem) == 2
        assert "nan" not in text


def test_a_recording_without_any_number_can_t_be_heard(diverging, tmp_path):
    paths = [noise(tmp_path / "long.wav", 40), noise(tmp_path / "short.wav", 2)]
    for one in predict_files(diverging, paths, Windows()):
        assert one.recording.problem.startswith("what the system says of it is no number; hear it")
        assert not one.answers
    samples, _ = soundfile.read(paths[1])
    with pytest.raises(EmonasError, match=r"2\.0 s: what the system says of it is no number; give"):
        diverging(samples, RATE)


def test_the_command_ends_with_1_where_an_answer_is_no_number(diverging_folder, tmp_path):
    paths = [noise(tmp_path / "loud.wav", 2), noise(tmp_path / "quiet.wav", 2, quiet=(0, 2))]
    done = CliRunner().invoke(application, ["predict", str(diverging_folder), *paths])
    assert done.exit_code == 1
    assert "nan" not in done.output
    assert "1 of 2 recordings could not be heard" in done.output


@pytest.mark.parametrize(
    "samples",
    [
        np.full(RATE, 0.5),
        np.random.default_rng(0).normal(0, 1e-5, RATE),
        np.full(RATE, 700, np.int16),
    ],
)
def test_a_silent_waveform_is_refused(model, samples):
    with pytest.raises(EmonasError, match="a waveform is silent"):
        model(samples, RATE)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int64", "bool", "complex64", "O"])
def test_a_waveform_of_another_type_is_refused(model, kind):
    samples = np.random.default_rng(0).integers(0, 100, RATE).astype(kind)
    with pytest.raises(EmonasError, match="a waveform is of floats with full scale at 1, or of"):
        model(samples, RATE)


@pytest.mark.parametrize("kind", ["int32", "float16", "float64", ">i2"])
def test_a_waveform_of_other_types_says_the_same(model, kind):
    whole = np.random.default_rng(0).integers(-2000, 2000, RATE)
    wanted = model((whole / 32768).astype(np.float32), RATE)
    scale = {"int32": 2**16, ">i2": 1}.get(kind, 1 / 32768)
    found = model((whole * scale).astype(kind), RATE)
    assert found == pytest.approx(wanted, abs=1e-3 if kind == "float16" else 1e-6)
