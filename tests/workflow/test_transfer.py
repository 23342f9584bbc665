"""Across corpora, end to end: who is tested on whom, what is averaged, and what is printed."""

import html
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

SETTINGS = Path(__file__).with_name("transfer.yaml")
GROUPS = ("group1", "group2")
SYSTEMS = ("probe", "a", "wf", "ef", "lf", "cta", "cta-rnn", "both", "joint")


@pytest.fixture(scope="module")
def run(fresh, tmp_path_factory):
    """The settings run to their end; gives the checkout and what it said."""
    checkout = fresh.copy(tmp_path_factory.mktemp("transfer") / "my run")
    shutil.copy2(SETTINGS, checkout.folder / "tiny.yaml")
    return checkout, checkout.snakemake("--cores", "2")


@pytest.fixture
def changed(run, tmp_path):
    """A copy of the finished run, for a test to change."""
    return run[0].copy(tmp_path / "a changed run")


def metrics(run, protocol, system):
    path = run[0].folder / f"results/evaluate/{protocol}/{system}/metrics.json"
    return json.loads(path.read_text())


def predicted(run, protocol, system, job, corpus):
    """True and predicted labels, read without the package."""
    stage = "fuse" if system in ("both", "joint") else "train"
    path = run[0].folder / f"results/{stage}/{protocol}/{system}/{job}/transfer/{corpus}.h5"
    with h5py.File(path) as file:
        group = file["test"]
        classes = np.array([name.decode() for name in group["logits/emotion"].attrs["classes"]])
        return group["label"].asstr()[:], classes[group["logits/emotion"][:].argmax(axis=1)]


def recall(true, answers):
    return np.mean([np.mean(answers[true == label] == label) for label in np.unique(true)])


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_fold_s_model_is_tested_on_all_of_the_other_corpus(run, system):
    manifest = pd.read_csv(run[0].folder / "results/corpora/german/manifest.csv")
    count = int(manifest["emotion"].isin(["angry", "sad"]).sum())
    scores = []
    for fold in GROUPS:
        true, answers = predicted(run, "from-english", system, f"seed0/{fold}", "german")
        assert len(true) == count
        assert set(true) == {"happy", "sad"}
        scores.append(recall(true, answers))
    found = metrics(run, "from-english", system)["transfer"]["german"]
    assert found["ua"]["mean"] == pytest.approx(np.mean(scores))
    low, high = found["ua"]["interval"]
    assert low <= found["ua"]["mean"] <= high


def test_the_other_direction_has_its_own_map_and_filter(run):
    manifest = pd.read_csv(run[0].folder / "results/corpora/english/manifest.csv")
    improvised = int((manifest["style"] == "improvised").sum())
    table = pd.read_csv(run[0].folder / "results/protocols/from-german/transfer/english.csv")
    assert len(table) == improvised < len(manifest)
    assert set(table["label"]) == {"angry", "sad"}
    assert metrics(run, "from-german", "cta-rnn")["transfer"].keys() == {"english"}


def test_a_search_gets_nothing_of_the_other_corpus(run):
    checkout, said = run
    searches = [job for job in checkout.announced(said) if job.name.startswith("search ")]
    assert len(searches) == 2
    for job in searches:
        assert not [path for path in job.inputs if "english" in path or "transfer" in path]


def test_the_parts_of_the_folds_are_of_the_own_corpus(run):
    """And with them every statistic."""
    for fold in GROUPS:
        for part in ("train", "validation", "test"):
            table = pd.read_csv(run[0].folder / f"results/protocols/from-english/{fold}/{part}.csv")
            assert set(table["corpus"]) == {"english"}


def test_a_corpus_that_is_not_here_is_not_tested_and_told(run):
    checkout, said = run
    reason = "from-english is not tested on absent: corpora.absent.root is not given"
    assert f"emonas: {reason}" in said
    page = html.unescape((checkout.folder / "results/report/index.html").read_text())
    assert "corpora.absent.root is not given" in page


def test_the_map_is_in_the_audit_and_on_the_page(run):
    checkout, _ = run
    audit = json.loads((checkout.folder / "results/protocols/from-english/audit.json").read_text())
    assert audit["transfer"]["german"]["map"] == {"angry": "happy", "sad": "sad"}
    assert audit["transfer"]["german"]["left_out"] == {"neutral": 12}


def test_the_paper_s_table_has_both_protocols_side_by_side(run):
    table = pd.read_csv(run[0].folder / "results/report/tables/across.csv")
    row = table.iloc[0]
    within = metrics(run, "from-english", "cta-rnn")
    back = metrics(run, "from-german", "cta-rnn")["transfer"]["english"]
    assert row["within_own"] == pytest.approx(within["ua"]["mean"])
    assert row["back_own"] == pytest.approx(back["ua"]["mean"])
    assert row["back_published"] == 0.594
    assert row["parameters_own"] == within["parameters"]["derived"]


def test_the_figure_is_drawn(run):
    for suffix in (".svg", ".png"):
        assert (run[0].folder / f"results/report/figures/blocks{suffix}").stat().st_size > 5000


def test_a_second_run_has_nothing_to_do(run):
    assert run[0].reruns() == set()


def test_another_map_changes_the_transfer_and_what_reads_it(changed):
    """The folds and the models stay: what they say of the other corpus is new."""
    changed.rewrite(
        lambda settings: settings["protocols"]["from-german"]["transfer"]["english"].update(
            style="scripted"
        )
    )
    folds = [f"{system}/0/group{n}" for system in ("probe", "searched", "cta-rnn") for n in (1, 2)]
    assert changed.reruns() == {
        "transfer from-german/english",
        "audit from-german",
        *(f"train_transfer from-german/{fold}/english" for fold in folds),
        "evaluate from-german/probe",
        "evaluate from-german/cta-rnn",
        "evaluate from-german/searched",
        "report",
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"map": {"cheerful": "happy"}},
            "protocols.from-english.transfer.german.map: no utterance has cheerful",
        ),
        (
            {"map": {"angry": "glad"}},
            "protocols.from-english.transfer.german.map: turns angry into glad, which is no class",
        ),
    ],
)
def test_a_map_that_names_nothing_is_refused_before_the_first_job(changed, change, words):
    def rewrite(settings):
        settings["protocols"]["from-english"]["transfer"]["german"] = change

    changed.rewrite(rewrite)
    said = changed.snakemake("-n", fails=True)
    assert f"emonas: {words}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("system", "habits"),
    [
        # Of one strength there is nothing to choose.
        ("probe", ["scaler over all data"]),
        ("cta-rnn", ["best epoch on test", "scaler over all data"]),
    ],
)
def test_habits_are_scored_from_trainings_of_their_own(run, system, habits):
    """Scored again from the files, and shown beside the scores without them."""
    found = metrics(run, "from-german", system)["inflated"]
    folder = run[0].folder / "results/train/from-german" / system / "seed0"
    assert list(found) == ["pooled instead of mean of folds", *habits]
    for habit in habits:
        scores = []
        for fold in GROUPS:
            with h5py.File(folder / fold / "inflated.h5") as file:
                logits = file[habit]["logits/emotion"]
                classes = np.array([name.decode() for name in logits.attrs["classes"]])
                answers = classes[logits[:].argmax(axis=1)]
                scores.append(recall(file[habit]["label"].asstr()[:], answers))
        assert found[habit]["ua"] == pytest.approx(np.mean(scores))
        assert found[habit]["honest_ua"] == metrics(run, "from-german", system)["ua"]["mean"]
    table = pd.read_csv(run[0].folder / "results/report/tables/from-german-inflation.csv")
    rows = table[table["system"] == system].set_index("habit")
    assert ("best epoch on test" in rows.index) == ("best epoch on test" in habits)
    added = rows.loc["scaler over all data"]
    assert added["ua_added"] == pytest.approx(added["ua"] - added["honest_ua"])
    assert "best seed" not in rows.index
    told = (run[0].folder / "results/report/tables/from-german-inflation.md").read_text()
    assert "Not told, best seed: searched, probe and cta-rnn, there is one seed." in told
    assert metrics(run, "from-german", "searched")["inflated"].keys() == {
        "pooled instead of mean of folds"
    }


def test_nothing_but_the_metrics_is_made_of_them(run):
    """So that no score has a part in a choice, a weight or another score."""
    jobs = run[0].snakemake("--detailed-summary")
    assert "inflated.h5" in jobs
    for line in jobs.splitlines():
        cells = line.split("\t")
        if any("inflated.h5" in cell for cell in cells[1:]):
            assert cells[0].endswith("metrics.json"), cells[0]
