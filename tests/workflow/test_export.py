"""Systems of a finished run as folders, and what they say of recordings."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from exported import apart, apart_by_onnx, export, first_fold, own_predictions

import emonas
from emonas.errors import EmonasError
from emonas.export.model import Model
from emonas.kinds import all_kinds

RUNS = [
    *(("train", "tiny", name) for name in ("linear", "cnn", "rnn", "shared")),
    ("fuse", "tiny", "emotionnas"),
    *(("train", "once", name) for name in ("chance", "kept", "resnet")),
    *(("fuse", "once", f"fused-{name}") for name in ("concat", "sum", "max", "min", "perceptron")),
    ("fuse", "once", "joint"),
]


GRAPHS = ("fused-perceptron", "joint")
"""Fused ones, of searched streams; tests/export has the networks of all kinds."""


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run[-1])
def test_an_exported_system_says_what_its_training_said(finished, tmp_path, monkeypatch, run):
    monkeypatch.chdir(finished.folder)
    assert apart("tiny.yaml", *run, tmp_path / "model") < 1e-5


@pytest.mark.parametrize("run", [run for run in RUNS if run[-1] in GRAPHS], ids=lambda run: run[-1])
def test_a_graph_says_what_training_said(finished, tmp_path, monkeypatch, run):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    monkeypatch.chdir(finished.folder)
    assert apart_by_onnx("tiny.yaml", *run, tmp_path / "model") < 1e-5


@pytest.fixture(scope="module")
def model(finished, tmp_path_factory):
    """The linear system, exported by the command, all folds."""
    output = tmp_path_factory.mktemp("exported") / "a model"
    settings = ("--settings", "tiny.yaml", "--output", output)
    done = finished.emonas("export", "linear", "--protocol", "tiny", *settings)
    assert done.returncode == 0, done.stderr
    assert b"folds group1, group2" in done.stdout
    return output


def test_the_command_exports_the_first_run_by_default(finished, tmp_path):
    output = tmp_path / "model"
    done = finished.emonas("export", "--settings", "tiny.yaml", "--output", output)
    assert done.returncode == 0, done.stderr
    told = json.loads((output / "model.json").read_text())
    assert (told["system"], told["protocol"], told["seed"]) == ("linear", "tiny", 0)
    again = finished.emonas("export", "--settings", "tiny.yaml", "--output", output)
    assert again.returncode == 1
    assert b"is there already; name a new folder, or delete this one" in again.stderr


@pytest.mark.parametrize(
    ("system", "options", "said"),
    [
        (
            "linear",
            {"inputs": [{"feature": "fbank", "normalise": "utterance"}]},
            "linear, with the options that the settings have now, answers otherwise than in the",
        ),
        ("rnn", {"hidden": 9}, "can't be made of what the run learnt (these weights are of"),
    ],
)
def test_options_that_changed_since_the_run_are_told(finished, tmp_path, system, options, said):
    """Where the weights fit all the same, by what it answers."""
    settings = yaml.safe_load((finished.folder / "tiny.yaml").read_text())
    settings["systems"][system].update(options)
    path, output = tmp_path / "tiny.yaml", tmp_path / "model"
    path.write_text(yaml.safe_dump(settings))
    asked = ("--protocol", "tiny", "--settings", path, "--output", output)
    done = finished.emonas("export", system, *asked)
    assert done.returncode == 1
    told = done.stderr.decode()
    assert f"results/train/tiny/{system}/seed0/group1/predictions.h5: " in told
    assert said in told
    assert "run the workflow again with this settings file, then export" in told
    assert [one.name for one in tmp_path.iterdir()] == ["tiny.yaml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lineer"], "lineer: the settings have no such system; did you mean linear?"),
        (["linear", "--protocol", "once"], "linear under once: the settings have no such run"),
        (
            ["linear", "--protocol", "absent"],
            "so that there is nothing to export; corpora.absent.root",
        ),
        (["linear", "--seed", "2"], "with the seeds 0 to 1"),
        (["linear", "--fold", "group9"], "tiny has no such fold; there are group1, group2"),
    ],
)
def test_what_was_not_run_is_told(finished, tmp_path, arguments, said):
    output = tmp_path / "model"
    done = finished.emonas("export", *arguments, "--settings", "tiny.yaml", "--output", output)
    assert done.returncode == 1
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert not output.exists()


def test_only_arrays_of_a_user_need_no_recording():
    """What neither hears nor reads can't be computed from a recording."""
    kinds = all_kinds("extractor")
    deaf = [name for name, kind in kinds.items() if not (kind.Options.hears or kind.Options.reads)]
    assert deaf == ["precomputed"]


def test_several_folds_are_an_ensemble(finished, model, tmp_path, monkeypatch):
    monkeypatch.chdir(finished.folder)
    files, *_ = own_predictions("train", "tiny", "linear", first_fold("tiny"))
    singles = []
    for fold in ("group1", "group2"):
        export("tiny.yaml", "tiny", "linear", tmp_path / fold, [fold])
        waveform, rate = soundfile.read(files[0], dtype="float32")
        singles.append(emonas.load(tmp_path / fold)(waveform, rate))
    together = emonas.load(model)(waveform, rate)
    for label, share in together.items():
        assert share == pytest.approx(np.mean([single[label] for single in singles]), abs=1e-9)


def test_a_batch_says_what_each_says_alone(finished, model, monkeypatch):
    monkeypatch.chdir(finished.folder)
    files, *_ = own_predictions("train", "tiny", "linear", first_fold("tiny"))
    done = finished.emonas("predict", model, *files, "--format", "json")
    assert done.returncode == 0, done.stderr
    loaded = Model(model)
    for file, told in zip(files, json.loads(done.stdout), strict=True):
        waveform, rate = soundfile.read(file, dtype="float32")
        alone = loaded(waveform, rate)
        assert told["recording"] == file
        assert told["probabilities"] == pytest.approx(alone, abs=1e-5)
        assert told["label"] == max(alone, key=alone.get)


def test_any_format_and_rate_a_folder_and_standard_input(finished, model, tmp_path, monkeypatch):
    monkeypatch.chdir(finished.folder)
    files, *_ = own_predictions("train", "tiny", "linear", first_fold("tiny"))
    waveform, rate = soundfile.read(files[0], dtype="float32")
    folder = tmp_path / "some recordings"
    (folder / "below").mkdir(parents=True)
    soundfile.write(folder / "a.flac", waveform, rate)
    soundfile.write(folder / "b.mp3", waveform, rate)
    soundfile.write(folder / "below" / "c.wav", np.stack([waveform] * 2, 1), rate)
    soundfile.write(folder / "d.wav", waveform, 22050)
    (folder / "notes.txt").write_text("no audio")
    content = Path(files[0]).read_bytes()
    done = finished.emonas("predict", model, folder, "-", "--format", "csv", given=content)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    names = [Path(row["recording"]).name for row in rows]
    assert names == ["a.flac", "b.mp3", "c.wav", "d.wav", "standard input"]
    same = [float(rows[number]["happy"]) for number in (0, 2, 4)]
    assert same == pytest.approx([same[0]] * 3, abs=1e-4)
    assert all(float(row["happy"]) + float(row["sad"]) == pytest.approx(1) for row in rows)


def test_a_long_recording_is_heard_in_windows(finished, model, tmp_path, monkeypatch):
    monkeypatch.chdir(finished.folder)
    files, *_ = own_predictions("train", "tiny", "linear", first_fold("tiny"))
    waveform, rate = soundfile.read(files[0], dtype="float32")
    long = np.concatenate([waveform] * 8)[: round(6.5 * rate)]
    path = tmp_path / "long.wav"
    soundfile.write(path, long, rate, subtype="FLOAT")
    windows = ("--longest", "3", "--window", "2", "--step", "1.5")
    done = finished.emonas("predict", model, path, "--format", "json", *windows)
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    assert [(one["start"], one["end"]) for one in told["windows"]] == [
        (0, 2),
        (1.5, 3.5),
        (3, 5),
        (4.5, 6.5),
    ]
    loaded = Model(model)
    for one in told["windows"]:
        own = loaded(long[round(one["start"] * rate) : round(one["end"] * rate)], rate)
        assert one["probabilities"] == pytest.approx(own, abs=1e-5)
    mean = np.mean([one["probabilities"]["sad"] for one in told["windows"]])
    assert told["probabilities"]["sad"] == pytest.approx(mean)
    table = finished.emonas("predict", model, path, *windows).stdout.decode()
    assert "1.5 to 3.5" in table


def test_what_can_t_be_heard_is_told_and_the_rest_predicted(finished, model, tmp_path, monkeypatch):
    monkeypatch.chdir(finished.folder)
    files, *_ = own_predictions("train", "tiny", "linear", first_fold("tiny"))
    broken = tmp_path / "broken.wav"
    broken.write_bytes(Path(files[0]).read_bytes()[:5000])
    done = finished.emonas("predict", model, broken, files[0])
    assert done.returncode == 1
    assert "truncated" in done.stdout.decode()
    assert Path(files[0]).name in done.stdout.decode()
    assert "1 of 2 recordings could not be heard" in done.stderr.decode()
    nowhere = finished.emonas("predict", model, tmp_path / "nowhere.wav")
    assert nowhere.returncode == 1
    assert "there is no such file or folder" in nowhere.stderr.decode()


def test_a_model_needs_none_of_the_run(finished, model, tmp_path, monkeypatch):
    monkeypatch.chdir(finished.folder)
    files, *_ = own_predictions("train", "tiny", "linear", first_fold("tiny"))
    moved, audio = tmp_path / "moved", tmp_path / "alone.wav"
    shutil.copytree(model, moved)
    shutil.copy(files[0], audio)
    monkeypatch.chdir(tmp_path)
    waveform, rate = soundfile.read(audio, dtype="float32")
    assert set(emonas.load(moved)(waveform, rate)) == {"happy", "sad"}
    for part in moved.rglob("*.json"):
        assert str(finished.folder) not in part.read_text()


def test_the_card_says_what_the_model_is(model):
    card = (model / "README.md").read_text()
    assert "The speech is synthetic" in card
    assert "happy and sad" in card
    assert "nobody measured the ensemble" in card
    assert "| linear |" in card
    assert "None: all weights are in this folder." in card


def test_a_damaged_folder_is_told(model, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    weights = broken / "group1/linear/weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(EmonasError, match=r"group1/linear/weights\.safetensors: its bytes are not"):
        Model(broken)
    told = (broken / "model.json").read_text()
    (broken / "model.json").write_text(told.replace('"bands": 20', '"bands": 21'))
    with pytest.raises(EmonasError, match="its digest is not that of its values"):
        emonas.load(broken)
    (broken / "model.json").write_text("{}")
    with pytest.raises(EmonasError, match="this is no exported system"):
        Model(broken)
    with pytest.raises(EmonasError, match="a waveform is of one channel"):
        Model(model)(np.zeros((2, 16000), np.float32), 16000)
    with pytest.raises(EmonasError, match="a waveform is of one channel"):
        Model(model)([[1.0], [1.0, 2.0]], 16000)


@pytest.fixture(scope="module")
def graphs(finished, tmp_path_factory):
    """The linear system with its graphs, exported by the command; and what the command said."""
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    output = tmp_path_factory.mktemp("graphs") / "my-model"
    settings = ("--settings", "tiny.yaml", "--output", output, "--onnx")
    done = finished.emonas("export", "linear", "--protocol", "tiny", *settings)
    assert done.returncode == 0, done.stderr
    return output, done.stdout.decode()


def test_graphs_are_told_of(graphs, model):
    output, said = graphs
    told = json.loads((output / "model.json").read_text())["onnx"]
    assert (output / "group1/model.onnx").exists()
    assert (output / "group2/model.onnx").exists()
    assert told["left_out"] is None
    assert 0 < told["difference"] < 1e-4
    sentence = f"onnxruntime's logits differ from torch's by at most {told['difference']:.1e}"
    assert sentence in said
    assert sentence in (output / "README.md").read_text()
    assert "ONNX" not in (model / "README.md").read_text()
    assert not list(model.rglob("*.onnx"))
    assert Model(output).classes == Model(model).classes


def test_the_example_of_a_graph_runs_as_it_stands(graphs, finished, tmp_path):
    text = (Path(__file__).parents[2] / "docs/use.md").read_text()
    (example,) = (part for part in text.split("```") if part.startswith("python\nimport json"))
    folder = tmp_path / "somewhere"
    shutil.copytree(graphs[0] / "group1", folder / "my-model/anna")
    done = subprocess.run(
        [sys.executable, "-c", example.removeprefix("python")],
        cwd=folder,
        env=finished.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line in ("happy", "sad") for line in done.stdout.split()] == [True, True]


def test_whole_numbers_are_of_full_scale(finished, model, monkeypatch):
    """As other libraries read a wav file."""
    monkeypatch.chdir(finished.folder)
    files, *_ = own_predictions("train", "tiny", "linear", first_fold("tiny"))
    loaded = emonas.load(model)
    floats, rate = soundfile.read(files[0], dtype="float32")
    whole, _ = soundfile.read(files[0], dtype="int16")
    for label, share in loaded(whole, float(rate)).items():
        assert share == pytest.approx(loaded(floats, rate)[label], abs=1e-6)


@pytest.mark.parametrize(
    ("waveform", "rate", "said"),
    [
        (np.full(16000, 900.0), 16000, "reaches 900; divide it by its full scale"),
        (np.zeros(16000), 16000, "silent"),
        (np.full(16000, np.nan), 16000, "numbers that are none"),
        (np.ones(16000), 0, "whole number of Hz from 2000 to 768000, not 0"),
        (np.ones(16000), 16000.5, "to 768000, not 16000.5"),
        (np.ones(16000), 500, "to 768000, not 500"),
        (np.ones(16000), True, "to 768000, not True"),
        (np.ones(16000), "16000", "to 768000, not '16000'"),
    ],
)
def test_a_waveform_that_is_none_is_refused(model, waveform, rate, said):
    with pytest.raises(EmonasError, match=said) as refused:
        emonas.load(model)(waveform, rate)
    assert "emonas-" not in str(refused.value), "no temporary file is the user's"


def test_files_of_another_version_are_told(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "m")
    told = json.loads((folder / "model.json").read_text())
    told["systems"]["linear"]["options"]["network"] = "of-tomorrow"
    del told["digest"]
    (folder / "model.json").write_text(json.dumps(told))
    with pytest.raises(EmonasError, match=r"do not fit together.*export the system again"):
        emonas.load(folder)
    with pytest.raises(EmonasError, match="threads 0"):
        emonas.load(model, threads=0)


def test_standard_input_can_be_heard_once(finished, model):
    done = finished.emonas("predict", model, "-", "-", given=b"RIFF")
    assert done.returncode == 1
    assert b"name it once" in done.stderr
