"""Two stages, end to end: what starts from what, what is printed of which, what runs again."""

import csv
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from exported import apart, apart_by_onnx

from emonas.export.bundle import write_bundle
from emonas.export.stopwatch import LEAST
from emonas.export.timing import ten_seconds
from emonas.export.verify import verify_bundle
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan

pytest.importorskip("transformers", reason="transformers is not installed")
SETTINGS = Path(__file__).with_name("two-stage.yaml")


@pytest.fixture(scope="module")
def run(fresh, tmp_path_factory):
    """The settings run to their end; gives the checkout and what it said."""
    checkout = fresh.copy(tmp_path_factory.mktemp("two stages") / "my run")
    shutil.copy2(SETTINGS, checkout.folder / "tiny.yaml")
    return checkout, checkout.snakemake("--cores", "2")


@pytest.fixture
def changed(run, tmp_path):
    return run[0].copy(tmp_path / "a changed run")


def metrics(run, system):
    path = run[0].folder / f"results/evaluate/stages/{system}/metrics.json"
    return json.loads(path.read_text())


def test_a_first_stage_has_its_tasks_and_no_emotion(run):
    found = metrics(run, "first")
    assert (found["ua"], found["confusion"], found["transfer"]) == (None, [], {})
    assert set(found["tasks"]) == {"asr", "gender"}
    assert 0 <= found["tasks"]["gender"]["ua"]["mean"] <= 1
    assert found["tasks"]["asr"]["wer"]["mean"] > 0
    assert set(metrics(run, "at-once")["tasks"]) == {"asr", "gender", "style"}
    assert metrics(run, "second")["transfer"].keys() == {"german"}
    assert found["shortened"] > 0


def test_a_second_stage_starts_from_the_first_of_its_fold_and_seed(run):
    checkout, said = run
    trained = [job for job in checkout.announced(said) if job.name.startswith("train stages/")]
    assert len(trained) == 8
    for job in trained:
        _, system, seed, fold = job.name.removeprefix("train ").split("/")
        start = f"results/train/stages/first/seed{seed}/{fold}/weights.safetensors"
        assert (start in job.inputs) == system.startswith("second")
        learns = "results/corpora/english/manifest.csv" in job.inputs
        assert learns == (system != "second")


@pytest.mark.parametrize("system", ["second", "second-gender", "at-once"])
def test_an_exported_system_says_what_its_training_said(run, tmp_path, monkeypatch, system):
    monkeypatch.chdir(run[0].folder)
    assert apart("tiny.yaml", "train", "stages", system, tmp_path / "model") < 1e-5


def test_a_graph_says_what_training_said(run, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    monkeypatch.chdir(run[0].folder)
    assert apart_by_onnx("tiny.yaml", "train", "stages", "at-once", tmp_path / "model") < 1e-5


def test_a_bundle_holds_no_word_and_its_error_rates_agree(run, tmp_path, monkeypatch):
    monkeypatch.chdir(run[0].folder)
    bundle = tmp_path / "bundle.zip"
    plan = Plan(load_settings(Path("tiny.yaml")))
    write_bundle(plan, Path("tiny.yaml"), Path("results"), Path("envs"), bundle)
    with zipfile.ZipFile(bundle) as archive:
        contents = b"\n".join(archive.read(name) for name in archive.namelist())
    manifest = Path("results/corpora/english/manifest.csv")
    with manifest.open(newline="") as file:
        texts = {row["text"] for row in csv.DictReader(file)}
    assert texts
    assert not [text for text in texts if text.encode() in contents]
    found = verify_bundle(bundle)
    assert found.wrong == []
    assert found.numbers > 100


def test_the_table_marks_what_is_the_first_stage_s(run):
    folder = run[0].folder / "results/report/tables"
    rows = {row["row"]: row for row in csv.DictReader((folder / "stages.csv").open())}
    first, second = metrics(run, "first")["tasks"], metrics(run, "second-gender")["tasks"]
    gender, wer = first["gender"]["ua"]["mean"], first["asr"]["wer"]["mean"]
    row = rows["second"]
    assert float(row["gender UA_own"]) == pytest.approx(gender)
    assert float(row["WER_own"]) == pytest.approx(wer)
    assert (row["gender UA_own_mark"], row["WER_own_mark"]) == ("*", "*")
    row = rows["second with gender"]
    assert float(row["gender UA_own"]) == pytest.approx(second["gender"]["ua"]["mean"])
    assert (row["gender UA_own_mark"], row["WER_own_mark"]) == ("", "*")
    text = (folder / "stages.md").read_text()
    assert f"{100 * gender:.1f}\\*" in text
    assert "second from first" in text


def test_the_report_says_that_the_encoder_is_random_and_draws_the_conflict(run):
    page = (run[0].folder / "results/report/index.html").read_text()
    assert "began with random weights" in page
    assert "does not learn emotion: it is a first stage" in page
    assert "times cut" in page
    curves = run[0].folder / "results/report/figures"
    drawn = [path for path in curves.glob("stages-at-once*.svg") if "curves" in path.name]
    assert drawn
    history = run[0].folder / "results/train/stages/at-once/seed0/group1/history.csv"
    assert "cosine_emotion_asr" in history.read_text().splitlines()[0]


def test_the_second_stage_alone_runs_again(changed):
    settings = yaml.safe_load((changed.folder / "tiny.yaml").read_text())
    settings["systems"]["second"]["freeze"] = 2
    (changed.folder / "tiny.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    said = changed.snakemake("--cores", "2", "-n")
    names = {tuple(job.name.split("/")[:2]) for job in changed.announced(said)}
    trained = {name for name in names if name[0].startswith("train")}
    assert trained == {("train stages", "second"), ("train_transfer stages", "second")}


def test_the_speed_of_every_system_with_emotions_is_measured(run, monkeypatch):
    folder = run[0].folder
    told = {
        path.parent.name: json.loads(path.read_text())
        for path in (folder / "results/evaluate/stages").glob("*/speed.json")
    }
    # A first stage says nothing of emotions.
    assert told.keys() == {"second", "second-gender", "at-once"}
    weights = folder / "results/train/stages/second/seed0/group1/weights.safetensors"
    for found in told.values():
        assert found["left_out"] == ""
        timed = found["on_processor"]
        low, high = timed["quartiles"]
        assert 0 < low <= timed["seconds"] <= high
        assert timed["times"] >= 2 * LEAST
        if timed["memory"] is not None:
            assert timed["memory"] - timed["before"] > weights.stat().st_size / 2**20
            # Python and torch alone hold more.
            assert timed["before"] > 100
    with (folder / "results/report/tables/stages-cost.csv").open(encoding="utf-8") as file:
        rows = {row["system"]: row for row in csv.DictReader(file)}
    second = told["second"]["on_processor"]
    shown = [float(rows["second"][f"processor_factor{end}"]) for end in ("", "_low", "_high")]
    assert shown == pytest.approx(
        [value / 10 for value in (second["seconds"], *second["quartiles"])]
    )


def test_a_change_of_a_system_measures_no_other_again(changed):
    """And so, with `keep: best`, needs no weights that are gone."""
    settings = yaml.safe_load((changed.folder / "tiny.yaml").read_text())
    settings["keep"] = "best"
    (changed.folder / "tiny.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    changed.snakemake("--cores", "2")
    changed.snakemake("--delete-temp-output", "--cores", "1")
    trained = changed.folder / "results/train/stages"
    assert not list(trained.rglob("weights.safetensors"))
    longer = {**settings["systems"]["at-once"]["training"], "epochs": 3}
    settings["systems"]["at-once"]["training"] = longer
    (changed.folder / "tiny.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    said = changed.snakemake("--cores", "2", "-n")
    names = [tuple(job.name.split("/")[:2]) for job in changed.announced(said)]
    assert {name for name in names if name[0].startswith(("train ", "search "))} == {
        ("train stages", "at-once")
    }
    assert [name for name in names if name[0].startswith("speed ")] == [("speed stages", "at-once")]


def test_what_is_heard_is_ten_seconds_of_the_test_part(run, monkeypatch):
    monkeypatch.chdir(run[0].folder)
    heard = ten_seconds("stages", "group1", Path("results"))
    assert len(heard) == 10 * 16000
    part = pd.read_csv("results/protocols/stages/group1/test.csv")
    manifest = pd.read_csv("results/corpora/english/manifest.csv").set_index("utterance")
    first, rate = soundfile.read(manifest.loc[part["utterance"][0], "audio"], dtype="float32")
    assert rate == 16000
    length = min(len(first), len(heard))
    assert np.array_equal(heard[:length], first[:length])
