"""A fold whose numbers are none stops, and the run goes on with the others."""

import csv
import os
import re
import signal
import subprocess
import time

import pytest
import torch

from emonas.storage.features import FeatureFile, write_features

pytestmark = [pytest.mark.fault, pytest.mark.long]
CHANCE = (
    "its architecture was drawn by chance, .*: let systems.chance.search be .*, which leaves out "
    "who diverges"
)
KEYS = r"lower systems\.chance\.training\.learning_rate or set systems\.chance\.training\.clip"


def diverging(settings):
    """So high a rate that with some seeds and folds the loss is no number before the end."""
    steps = {"optimiser": "sgd", "epochs": 20, "learning_rate": 30.0, "weight_decay": 1.0}
    settings["systems"]["chance"]["training"] = steps
    settings["runs"] = [{"protocol": "own", "systems": ["linear", "chance"], "seeds": 2}]
    settings["tables"] = {}


def failures(said):
    """The sentence of every job that failed, by its log, as they stand at the end."""
    return dict(re.findall(r"^  failed: (\S+): (.*)$", said, flags=re.MULTILINE))


def test_the_others_go_on_and_the_end_says_what_failed_and_why(changed, tally):
    changed.rewrite(diverging)
    results = changed.folder / "results"
    said = changed.snakemake("--cores", "2", "--keep-going", fails=True)
    found = failures(said)
    folds = {
        f"chance-seed{seed}-speaker{name}"
        for seed in (0, 1)
        for name in ("anna", "bert", "carl", "dora")
    }
    failed = {path.removeprefix("results/logs/train/own/")[:-4] for path in found}
    assert failed < folds
    assert failed
    for log, sentence in found.items():
        tally("a loss or a weight that is no finite number, through Snakemake")
        job = re.sub(r".*/own/(chance)-(seed\d)-(\w+)\.log", r"own/\1/\2/\3", log)
        told = re.fullmatch(
            rf"{job}: the training stopped in epoch (\d+)\b.*; the state after epoch (\d+) is kept "
            rf"in (results/resume/train/\w+); {CHANCE}, or {KEYS}, .* trained anew",
            sentence,
        )
        assert told is not None, sentence
        kept = torch.load(changed.folder / told[3] / "state.pt", weights_only=True)
        assert len(kept["history"]) == int(told[2]) == int(told[1]) - 1
        assert not (results / "train" / job / "predictions.h5").exists()
        # Every epoch before it is in the job's log.
        assert f"{told[2]} of 20" in (changed.folder / log).read_text()
    for one in folds - failed:
        assert (results / "train/own" / one.replace("-", "/") / "predictions.h5").exists()
    assert (results / "evaluate/own/linear/metrics.json").exists()
    assert "not run, because of what failed: 4 jobs" in said

    # What it says gives the report of the others, and leaves what is made.
    assert "settings file: leave_out: {own: [chance]}" in said
    page = results / "report/index.html"
    page.unlink(missing_ok=True)
    made = {path: path.stat().st_mtime_ns for path in results.glob("train/own/*/*/*/*.h5")}
    changed.rewrite(lambda settings: settings.update(leave_out={"own": ["chance"]}))
    changed.snakemake("--cores", "2")
    assert "leave_out.own names chance" in page.read_text(encoding="utf-8")
    assert made == {path: path.stat().st_mtime_ns for path in made}
    changed.rewrite(lambda settings: settings.pop("leave_out"))

    # With a mended rate it ends well, and does what does not depend on it no second time.
    def mend(settings):
        settings["systems"]["chance"]["training"] |= {"learning_rate": 0.01, "clip": 1.0}

    changed.rewrite(mend)
    names = changed.reruns()
    assert {name for name in names if name.startswith("train")} == {
        "train " + one.replace("-", "/").replace("chance/", "own/chance/").replace("seed", "")
        for one in folds
    }
    assert not {name for name in names if name.startswith(("search", "features"))}
    changed.snakemake("--cores", "2")
    assert (results / "evaluate/own/chance/metrics.json").exists()


def test_who_builds_on_it_has_no_result_either_and_is_named(changed, tally):
    def build(settings):
        diverging(settings)
        settings["runs"] = [
            {"protocol": "own", "systems": ["resnet", "chance", "fused-sum"]},
            {"protocol": "tiny", "systems": ["linear"]},
        ]

    changed.rewrite(build)
    tally("a loss or a weight that is no finite number, through Snakemake")
    said = changed.snakemake("--cores", "2", "--keep-going", fails=True)
    assert "settings file: leave_out: {own: [chance]}" in said


def test_who_stops_a_run_is_told_of_what_failed_before_alone(changed, tally):
    def lengthen(settings):
        diverging(settings)
        settings["systems"]["resnet"]["training"] = {"epochs": 100_000}
        settings["runs"] = [
            {"protocol": "own", "systems": ["chance"]},
            {"protocol": "tiny", "systems": ["resnet"]},
        ]

    changed.rewrite(lengthen)
    log = changed.folder / "said.txt"
    # A shell in the background would have the signal ignored, and so would all that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with log.open("wb") as file:
        process = subprocess.Popen(
            changed.start("--cores", "2", "--keep-going"),
            cwd=changed.folder,
            env=changed.environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    signal.signal(signal.SIGINT, before)
    begun = time.monotonic()
    wanted = ("Error in rule train", "of 100000")
    while not all(words in log.read_text() for words in wanted):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() - begun < 300
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    process.wait()
    said = log.read_text()
    tally("a run that is stopped with Ctrl-C behind a failure")
    assert failures(said)
    assert all("/own/chance-" in path for path in failures(said))
    assert "emonas: stopped; mend what is said above, and run the same command" in said
    assert "not run" not in said
    assert "leave_out" not in said


def test_without_keep_going_the_end_names_it(changed, tally):
    tally("a loss or a weight that is no finite number, through Snakemake")
    changed.rewrite(diverging)
    said = changed.snakemake("--cores", "1", fails=True)
    assert len(failures(said)) == 1
    assert re.search(r"^  not run: \d+ jobs; with --keep-going", said, flags=re.MULTILINE)
    assert said.count("emonas: mend what") == 1


def test_searches_and_fusions_stop_the_same_way(changed, tally):
    def diverge(settings):
        settings["systems"]["cnn"]["search"] |= {
            "learning_rate": 1000.0,
            "weight_decay": 1e27,
            "clip": None,
        }
        steps = {"epochs": 9, "optimiser": "sgd", "learning_rate": 1000.0, "weight_decay": 1e27}
        settings["systems"]["fused-{m}"]["training"] = steps

    changed.rewrite(diverge)
    found = failures(changed.snakemake("--cores", "2", "--keep-going", fails=True))
    keys = {
        "search/tiny/cnn-seed0-group1": "systems.cnn.search",
        "search/tiny/cnn-seed0-group2": "systems.cnn.search",
        "fuse/once/fused-concat-seed0-run0": "systems.fused-concat.training",
        "fuse/once/fused-perceptron-seed0-run0": "systems.fused-perceptron.training",
    }
    for log, key in keys.items():
        tally("a loss or a weight that is no finite number, through Snakemake")
        sentence = found[f"results/logs/{log}.log"]
        noun = "search" if log.startswith("search") else "fusion"
        assert re.match(rf"[\w/-]+: the {noun} stopped in epoch \d", sentence), sentence
        assert f"lower {key}.learning_rate or set {key}.clip" in sentence
    # The other stream, and the system that a search of its own has, are as they were.
    assert (changed.folder / "results/evaluate/tiny/rnn/metrics.json").exists()


def huge(path, utterance):
    """Give an utterance a frame of finite numbers that are too large, at the time of before."""
    status = path.stat()
    with FeatureFile(path) as file:
        frames = {name: file.read(name).copy() for name in file.utterances}
        facts = file.facts
    frames[utterance][:, 0] = 3e38
    with write_features(path, facts) as writer:
        for name, values in frames.items():
            writer.append(name, values)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_logits_that_are_none_get_no_score(changed, tally):
    results = changed.folder / "results"
    with (results / "protocols/tiny/group1/test.csv").open(newline="") as file:
        utterance = next(csv.DictReader(file))["utterance"]
    huge(results / "features/spoken/fbank.h5", utterance)
    target = "results/train/tiny/linear/seed0/group1/predictions.h5"
    (changed.folder / target).unlink()
    found = failures(changed.snakemake("--cores", "1", target, fails=True))
    said = found["results/logs/train/tiny/linear-seed0-group1.log"]
    assert said.startswith(f"{target}: not written, because in the part test the")
    assert f" of {utterance} of spoken holds numbers that are none or infinite (1 of" in said
    assert not (changed.folder / target).exists()
    tally("a feature with numbers that are too large in a test part, through Snakemake")
