"""`keep: all | best | none`: what stays of the weights, and what a later run makes again."""

import json
from pathlib import Path

import h5py
import pytest
import yaml
from sklearn.metrics import balanced_accuracy_score

pytestmark = [pytest.mark.fault, pytest.mark.long]


def weights(checkout):
    root = checkout.folder / "results"
    return {path.relative_to(root).as_posix() for path in root.rglob("*.safetensors")}


def keeping(value, **more):
    def change(settings):
        settings.update({"keep": value, **more})

    return change


def pairs(checkout):
    settings = yaml.safe_load((checkout.folder / "tiny.yaml").read_text())
    runs = [run for run in settings["runs"] if run["protocol"] != "absent"]
    return {(run["protocol"], system) for run in runs for system in run["systems"]}


def validation_ua(path: Path) -> float:
    with h5py.File(path) as file:
        part = file["validation"]
        classes = [name.decode() for name in part["logits/emotion"].attrs["classes"]]
        said = [classes[row.argmax()] for row in part["logits/emotion"][:]]
        return balanced_accuracy_score(list(part["label"].asstr()[:]), said)


def test_best_keeps_those_that_validation_prefers_and_learns_nothing_again(changed):
    before = weights(changed)
    changed.rewrite(keeping("best"))
    assert changed.reruns() == {f"best {'/'.join(pair)}" for pair in pairs(changed)}
    changed.snakemake("--cores", "2")
    assert len(pairs(changed)) > 10
    best = {f"evaluate/{'/'.join(pair)}/best.safetensors" for pair in pairs(changed)}
    # What a former run left and no job touched goes when it is told to.
    assert weights(changed) - best == {path for path in before if path.startswith("search/")}
    changed.snakemake("--delete-temp-output", "--cores", "1")
    assert weights(changed) == best
    assert changed.reruns() == set()


def test_which_is_best(finished, changed):
    """Two seeds of two folds, against scikit-learn's figure."""
    kept = {name: (finished.folder / "results" / name).read_bytes() for name in weights(finished)}
    changed.rewrite(keeping("best"))
    changed.snakemake("--cores", "2", "results/evaluate/tiny/linear/best.safetensors")
    folder = changed.folder / "results/train/tiny/linear"
    scores = {
        path.parent.relative_to(folder).as_posix(): validation_ua(path)
        for path in sorted(folder.glob("*/*/predictions.h5"))
    }
    assert len(scores) == 4
    told = json.loads((changed.folder / "results/evaluate/tiny/linear/best.json").read_text())
    assert told["validation_ua"] == pytest.approx(max(scores.values()))
    assert told["job"] == next(job for job, ua in scores.items() if ua == max(scores.values()))
    best = changed.folder / "results/evaluate/tiny/linear/best.safetensors"
    assert best.read_bytes() == kept[f"train/tiny/linear/{told['job']}/weights.safetensors"]


def test_none_after_a_run_and_a_later_fusion_makes_again_what_it_needs(changed):
    changed.rewrite(keeping("none"))
    assert changed.reruns() == set()
    changed.snakemake("--delete-temp-output", "--cores", "1")
    assert weights(changed) == set()
    assert changed.reruns() == set()

    def fuse(settings):
        settings["systems"]["later"] = settings["systems"]["joint"] | {"fuse": ["resnet", "chance"]}
        settings["runs"][2]["systems"].append("later")

    changed.rewrite(fuse)
    names = changed.reruns()
    trained = {name for name in names if name.startswith(("train ", "search ", "features "))}
    # Another joint fusion hears chance too, which is written anew: so its other stream is as well.
    again = {"train once/resnet/0/run0", "train once/chance/0/run0"}
    assert trained == again | {"train once/kept/0/run0", "search once/kept/0/run0"}
    changed.snakemake("--cores", "2")
    assert weights(changed) == set()
    assert changed.reruns() == set()


def test_none_from_the_beginning_gives_the_same_results(finished, fresh, tmp_path):
    checkout = fresh.copy(tmp_path / "a copy")
    runs = [
        {"protocol": "tiny", "systems": ["linear"], "seeds": 2},
        {"protocol": "once", "systems": ["kept", "chance", "joint"]},
    ]
    checkout.rewrite(keeping("none", runs=runs, tables={}))
    said = checkout.snakemake("--cores", "2")
    assert weights(checkout) == set()
    assert "Removing temporary output results/train/once/kept/seed0/run0/weights" in said
    assert checkout.reruns() == set()
    assert not (checkout.folder / "results/resume/train").exists()
    for path in (checkout.folder / "results").rglob("predictions.h5"):
        same = finished.folder / path.relative_to(checkout.folder)
        assert path.read_bytes() == same.read_bytes()
    assert (checkout.folder / "results/report/index.html").exists()
