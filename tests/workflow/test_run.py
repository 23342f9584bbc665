"""The tiny run, from its corpora to its report."""

import html
import json
import sys
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest

RUNS = {
    "tiny": ({"linear": 2, "cnn": 1, "rnn": 1, "shared": 1}, ("group1", "group2")),
    "once": ({"chance": 1, "kept": 1, "resnet": 1}, ("run0",)),
    "own": ({"linear": 1}, tuple(f"speaker{name}" for name in ("anna", "bert", "carl", "dora"))),
}
FUSED = {
    "tiny": ("emotionnas",),
    "once": ("joint", *(f"fused-{m}" for m in ("concat", "sum", "max", "min", "perceptron"))),
    "own": (),
}
SEARCHES = [
    *(f"tiny/{system}/seed0/{fold}" for system in ("cnn", "rnn") for fold in RUNS["tiny"][1]),
    "tiny/shared/seed0/group1",
    "once/chance/seed0/run0",
    "once/kept/seed0/run0",
]
LEARNED = ("predictions.h5", "history.csv", "cost.csv", "cost.json", "weights.safetensors")


def contract():
    """Every path that the contract of files names for the tiny run."""
    for corpus in ("spoken", "own"):
        yield f"corpora/{corpus}/manifest.csv"
        yield f"corpora/{corpus}/problems.csv"
    yield from ("features/spoken/fbank.h5", "features/own/fbank.h5", "features/spoken/image.h5")
    for search in SEARCHES:
        for file in ("genotype.json", "history.csv", "cost.csv"):
            yield f"search/{search}/{file}"
    for protocol, (systems, folds) in RUNS.items():
        yield f"protocols/{protocol}/audit.json"
        for fold in folds:
            yield from (f"protocols/{protocol}/{fold}/{part}.csv" for part in parts())
        for stage, seeds in (("train", systems), ("fuse", dict.fromkeys(FUSED[protocol], 1))):
            for system in seeds:
                yield f"evaluate/{protocol}/{system}/metrics.json"
                for job in jobs(seeds[system], folds):
                    yield from (f"{stage}/{protocol}/{system}/{job}/{file}" for file in LEARNED)


def parts():
    return ("train", "validation", "test")


def jobs(seeds, folds):
    return [f"seed{seed}/{fold}" for seed in range(seeds) for fold in folds]


def test_every_stage_writes_what_the_contract_names(finished):
    results = finished.folder / "results"
    assert [path for path in contract() if not (results / path).is_file()] == []


def test_one_search_serves_all_folds_where_it_is_shared(finished):
    root = finished.folder / "results"
    assert [path.name for path in root.glob("search/tiny/shared/seed0/*")] == ["group1"]
    assert len(list(root.glob("train/tiny/shared/seed0/*/predictions.h5"))) == 2


def test_no_state_of_a_job_is_left_behind(finished):
    assert [p for p in (finished.folder / "results/resume").rglob("*") if p.is_file()] == []


def read_test(path):
    """True labels and those predicted, of the test part, read without the package."""
    with h5py.File(path) as file:
        group = file["test"]
        logits = group["logits/emotion"]
        classes = [name.decode() for name in logits.attrs["classes"]]
        return group["label"].asstr()[:], np.array(classes)[logits[:].argmax(axis=1)]


def recall(true, predicted):
    return np.mean([np.mean(predicted[true == label] == label) for label in np.unique(true)])


@pytest.mark.parametrize(
    ("protocol", "system"),
    [("tiny", "linear"), ("tiny", "emotionnas"), ("once", "kept"), ("own", "linear")],
)
def test_metrics_are_those_of_the_predictions(finished, protocol, system):
    stage = "fuse" if system in FUSED[protocol] else "train"
    seeds = RUNS[protocol][0].get(system, 1)
    folds = RUNS[protocol][1]
    root = finished.folder / "results"
    runs = {
        (seed, fold): read_test(
            root / f"{stage}/{protocol}/{system}/seed{seed}/{fold}/predictions.h5"
        )
        for seed in range(seeds)
        for fold in folds
    }
    metrics = json.loads((root / f"evaluate/{protocol}/{system}/metrics.json").read_text())
    for entry in metrics["folds"]:
        true, predicted = runs[entry["seed"], entry["fold"]]
        assert entry["ua"] == pytest.approx(recall(true, predicted))
        assert entry["wa"] == pytest.approx(np.mean(true == predicted))
    pooled = protocol == "own"
    assert metrics["pooled"] is pooled
    by_seed = []
    for seed in range(seeds):
        of_seed = [runs[seed, fold] for fold in folds]
        if pooled:
            by_seed.append(recall(*(np.concatenate(both) for both in zip(*of_seed, strict=True))))
        else:
            by_seed.append(np.mean([recall(*run) for run in of_seed]))
    assert metrics["ua"]["mean"] == pytest.approx(np.mean(by_seed))
    pairs = [pair for run in runs.values() for pair in zip(*run, strict=True)]
    counted = [[pairs.count((a, b)) for b in metrics["labels"]] for a in metrics["labels"]]
    assert metrics["confusion"] == counted


def test_a_fold_without_a_class_is_scored_over_those_it_has(finished):
    root = finished.folder / "results"
    metrics = json.loads((root / "evaluate/own/linear/metrics.json").read_text())
    classes = {entry["fold"]: entry["classes"] for entry in metrics["folds"]}
    assert classes == {"speakeranna": 2, "speakerbert": 2, "speakercarl": 2, "speakerdora": 1}
    warning = "the test part of fold speakerdora has no sad"
    assert warning in json.loads((root / "protocols/own/audit.json").read_text())["warnings"]
    assert warning in page(finished)


def test_files_that_cannot_be_used_are_left_out_and_reported(finished):
    root = finished.folder / "results"
    manifest = pd.read_csv(root / "corpora/own/manifest.csv")
    assert len(manifest) == 21
    for name, reason in (
        ("anna truncated", "it is truncated: its header promises"),
        ("bert silent", "it is silent"),
        ("carl letter", "it is no audio that can be decoded"),
    ):
        assert not manifest["audio"].str.contains(name).any()
        assert name in page(finished)
        assert reason in page(finished)


def page(checkout):
    """The text of the report."""
    return html.unescape((checkout.folder / "results/report/index.html").read_text())


def test_a_corpus_without_a_root_is_skipped_with_the_reason(finished):
    reason = "corpora.absent.root is not given"
    assert f"emonas: skipped under absent: linear: {reason}" in finished.said
    assert reason in page(finished)
    assert not (finished.folder / "results/corpora/absent").exists()


def test_an_environment_in_a_folder_with_a_blank(fresh, tmp_path):
    checkout = fresh.copy(tmp_path / "a copy")
    (tmp_path / "an environment").symlink_to(sys.prefix)
    python = str(tmp_path / "an environment/bin/python")
    command = [python, *checkout.start("--cores", "1", "results/corpora/own/manifest.csv")[1:]]
    assert "1 of 1 steps" in checkout.run(command)


def test_the_report_names_no_folder_of_this_machine(finished):
    report = finished.folder / "results/report"
    for path in (p for p in report.rglob("*") if p.suffix in (".html", ".md", ".csv", ".tex")):
        assert str(finished.folder) not in path.read_text(), path
    assert "snakemake --cores all --configfile tiny.yaml" in page(finished)


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.reruns() == set()


def test_another_settings_file_is_run_in_the_same_folder(finished):
    command = [*finished.start("-n")[:3], "-n"]
    said = finished.run(command)
    assert {"corpora english", "protocols demo", "report"} <= {
        job.name for job in finished.announced(said)
    }


def test_snakemakes_own_report_is_made(changed):
    changed.snakemake("--report", "report.html")
    assert "index.html" in (changed.folder / "report.html").read_text()
    changed.snakemake("--report", "report.zip")
    with zipfile.ZipFile(changed.folder / "report.zip") as archive:
        assert any(name.endswith("report.html") for name in archive.namelist())
