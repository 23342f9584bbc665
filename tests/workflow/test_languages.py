"""Several languages, end to end: each in its own classes, searched, retrained and printed."""

import json
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from exported import apart, apart_by_onnx

from emonas.export.bundle import write_bundle
from emonas.export.verify import verify_bundle
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan
from emonas.storage.differences import read_differences

SETTINGS = Path(__file__).with_name("languages.yaml")
CLASSES = {"en": {"happy", "neutral", "sad"}, "de": {"angry", "sad"}}
TRAINED = ("base", "bottom", "one-gate", "gates", "searched", "retrained")


@pytest.fixture(scope="module")
def run(fresh, tmp_path_factory):
    """The settings run to their end; gives the checkout and what it said."""
    checkout = fresh.copy(tmp_path_factory.mktemp("languages") / "my run")
    shutil.copy2(SETTINGS, checkout.folder / "tiny.yaml")
    return checkout, checkout.snakemake("--cores", "2")


@pytest.fixture
def changed(run, tmp_path):
    """A copy of the finished run, for a test to change."""
    return run[0].copy(tmp_path / "a changed run")


def predicted(run, protocol, system, job, part="test"):
    """Domain, true and predicted label of each utterance, read without the package; and gates."""
    stage = "fuse" if system == "both" else "train"
    path = run[0].folder / f"results/{stage}/{protocol}/{system}/seed0/{job}/predictions.h5"
    with h5py.File(path) as file:
        group = file[part]
        logits = group["logits/emotion"]
        classes = np.array([name.decode() for name in logits.attrs["classes"]])
        table = pd.DataFrame(
            {
                "domain": group["domain"].asstr()[:],
                "label": group["label"].asstr()[:],
                "answer": classes[logits[:].argmax(axis=1)],
            }
        )
        return table, group["gates"][:] if "gates" in group else None


def recall(table):
    right = table["label"] == table["answer"]
    return np.mean([right[table["label"] == label].mean() for label in set(table["label"])])


def metrics(run, protocol, system):
    path = run[0].folder / f"results/evaluate/{protocol}/{system}/metrics.json"
    return json.loads(path.read_text())


@pytest.mark.parametrize("system", [*TRAINED, "both"])
def test_every_language_is_scored_by_itself(run, system):
    table, _ = predicted(run, "several", system, "run0")
    found = metrics(run, "several", system)["domains"]
    assert set(found) == set(table["domain"]) == {"de", "en"}
    for domain, part in table.groupby("domain"):
        assert found[domain]["ua"]["mean"] == pytest.approx(recall(part))
        assert set(part["label"]) <= CLASSES[domain]


@pytest.mark.parametrize("system", [name for name in TRAINED if name != "base"])
def test_nothing_answers_with_a_class_of_another_language(run, system):
    for part in ("train", "validation", "test"):
        table, _ = predicted(run, "several", system, "run0", part)
        for domain, rows in table.groupby("domain"):
            assert set(rows["answer"]) <= CLASSES[domain]


@pytest.mark.parametrize(
    ("system", "features"),
    [("one-gate", ["fbank", "mfcc"]), ("gates", ["mfcc"]), ("searched", ["fbank", "mfcc"])],
)
def test_gates_are_kept_by_utterance_and_averaged_by_language(run, system, features):
    table, gates = predicted(run, "several", system, "run0")
    np.testing.assert_allclose(gates.sum(axis=1), 1, rtol=1e-5)
    for domain, found in metrics(run, "several", system)["domains"].items():
        wanted = gates[(table["domain"] == domain).to_numpy()].mean(axis=0)
        assert list(found["gates"]) == features
        assert list(found["gates"].values()) == pytest.approx(wanted.tolist(), rel=1e-5)


ONE = ("single", "alone", "whitened")


@pytest.mark.parametrize("system", [*ONE, *TRAINED, "both"])
def test_an_exported_system_says_what_its_training_said(run, tmp_path, monkeypatch, system):
    monkeypatch.chdir(run[0].folder)
    stage = "fuse" if system == "both" else "train"
    protocol = "one" if system in ONE else "several"
    assert apart("tiny.yaml", stage, protocol, system, tmp_path / "model") < 1e-5


@pytest.mark.parametrize("system", ["whitened", "retrained", "both"])
def test_a_graph_says_what_training_said(run, tmp_path, monkeypatch, system):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    monkeypatch.chdir(run[0].folder)
    stage = "fuse" if system == "both" else "train"
    protocol = "one" if system in ONE else "several"
    assert apart_by_onnx("tiny.yaml", stage, protocol, system, tmp_path / "model") < 1e-5


def test_one_search_serves_the_searched_network_and_the_retrained_one(run):
    folder = run[0].folder / "results"
    assert not (folder / "search/several/retrained").exists()
    genotype = json.loads((folder / "search/several/searched/seed0/run0/genotype.json").read_text())
    assert list(genotype["domains"]) == ["de", "en"]
    assert genotype["features"] == ["fbank", "mfcc"]
    cost = {
        name: json.loads((folder / f"train/several/{name}/seed0/run0/cost.json").read_text())
        for name in ("searched", "retrained")
    }
    opened = np.asarray(list(genotype["domains"].values()))
    closed = 4 - int(opened.any(axis=0).sum())
    assert cost["searched"]["derived"] - cost["retrained"]["derived"] == 6 * 6 * closed
    assert cost["searched"]["search"] == cost["retrained"]["search"]


def test_the_history_says_how_often_the_contrast_acted_and_what_is_open(run):
    folder = run[0].folder / "results"
    trained = pd.read_csv(folder / "train/several/bottom/seed0/run0/history.csv")
    assert trained["contrastive_share"].between(0, 1).all()
    searched = pd.read_csv(folder / "search/several/searched/seed0/run0/history.csv")
    assert searched[["open_de", "open_en"]].stack().between(0, 4).all()


def test_the_table_has_a_language_and_what_the_random_split_adds(run):
    tables = run[0].folder / "results/report/tables"
    text = (tables / "languages.md").read_text()
    for system in ("base", "bottom"):
        random = metrics(run, "several", system)["domains"]
        apart = metrics(run, "apart", system)["domains"]
        assert f"{100 * random['en']['ua']['mean']:.1f}" in text
        added = 100 * (random["de"]["ua"]["mean"] - apart["de"]["ua"]["mean"])
        shown = f"{added:+.1f}".replace("-", "\N{MINUS SIGN}")
        assert (shown if round(added, 1) else "0.0") in text
    assert (tables / "several-domains.csv").exists()


def test_what_the_random_split_adds_is_a_job_of_its_own_that_verify_holds(
    run, tmp_path, monkeypatch
):
    """Eight speakers give it an interval, and the four of a language none."""
    folder = run[0].folder
    path = Path("results/evaluate/several/differences.json")
    found = read_differences(folder / path)
    pairs = [(system.system, system.less) for system in found.systems]
    assert pairs == [("base", "apart"), ("bottom", "apart")]
    for system in ("base", "bottom"):
        sides = [metrics(run, name, system)["domains"]["de"]["ua"] for name in ("several", "apart")]
        between = found.of(system, "apart").domains["de"].ua
        assert between.mean == pytest.approx(sides[0]["mean"] - sides[1]["mean"])
        assert between.interval is None
        low, high = found.of(system, "apart").ua.folds_interval
        assert low < found.of(system, "apart").ua.folds_mean < high
    monkeypatch.chdir(folder)
    plan, archive = Plan(load_settings(Path("tiny.yaml"))), tmp_path / "bundle.zip"
    write_bundle(plan, Path("tiny.yaml"), Path("results"), Path("envs"), archive)
    assert verify_bundle(archive).wrong == []
    with zipfile.ZipFile(archive) as bundled:
        files = {name: bundled.read(name) for name in bundled.namelist()}
    forged = json.loads(files[str(path)])
    forged["systems"][0]["ua"]["mean"] += 0.25
    files[str(path)] = json.dumps(forged).encode()
    with zipfile.ZipFile(tmp_path / "forged.zip", "w") as bundled:
        for name, content in files.items():
            bundled.writestr(name, content)
    wrong = verify_bundle(tmp_path / "forged.zip").wrong
    assert any(f"{path}: systems[0].ua.mean is" in sentence for sentence in wrong)


def test_the_figures_are_drawn(run):
    figures = run[0].folder / "results/report/figures"
    for name in ("seen", "weighed"):
        assert (figures / f"{name}.svg").stat().st_size > 2000, name
    assert "tiny run in two languages" in (run[0].folder / "results/report/index.html").read_text()


def test_a_second_run_does_nothing(run):
    assert run[0].reruns() == set()


def test_a_change_of_the_search_reruns_it_and_all_that_take_its_genotype(changed):
    changed.rewrite(lambda settings: settings["systems"]["searched"]["search"].update(penalty=0.2))
    wanted = {"search several/searched/0/run0"}
    wanted |= {f"train several/{name}/0/run0" for name in ("searched", "retrained")}
    wanted |= {f"evaluate several/{name}" for name in ("searched", "retrained")}
    wanted |= {"compare several", "report"}
    assert changed.reruns() == wanted


def test_another_limit_of_a_language_s_classes_reruns_its_protocol_only(changed):
    changed.rewrite(
        lambda settings: settings["protocols"]["apart"].update(
            labels_of={"german": ["sad", "neutral"]}
        )
    )
    reruns = changed.reruns()
    wanted = {"audit apart", "evaluate apart/bottom", "differences several", "report"}
    assert wanted <= reruns
    assert all("several" not in job and "one/" not in job for job in reruns - wanted)


def test_a_search_gets_no_tested_utterance(run):
    checkout, said = run
    searches = [job for job in checkout.announced(said) if job.name.startswith("search ")]
    assert [job.name for job in searches] == ["search several/searched/0/run0"]
    assert not any("test" in path for job in searches for path in job.inputs)
