"""Change one thing: exactly what it touches would run again."""

import pytest

FOLDS = {
    "tiny": ("group1", "group2"),
    "once": ("run0",),
    "own": tuple(f"speaker{name}" for name in ("anna", "bert", "carl", "dora")),
}
SEEDS = {("tiny", "linear"): 2}
METHODS = tuple(f"fused-{m}" for m in ("concat", "sum", "max", "min", "perceptron"))
FUSED = {"tiny": ("emotionnas",), "once": ("joint", *METHODS), "own": ()}
SYSTEMS = {
    "tiny": ("linear", "cnn", "rnn", "shared"),
    "once": ("chance", "kept", "resnet"),
    "own": ("linear",),
}


def learned(stage, protocol, *systems):
    """The jobs of some systems at a stage."""
    return {
        f"{stage} {protocol}/{system}/{seed}/{fold}"
        for system in systems
        for seed in range(SEEDS.get((protocol, system), 1))
        for fold in FOLDS[protocol]
    }


def evaluated(protocol, *systems):
    return {"report", f"compare {protocol}"} | {
        f"evaluate {protocol}/{system}" for system in systems
    }


TWO_STREAMS = learned("fuse", "tiny", "emotionnas") | evaluated("tiny", "cnn", "emotionnas")
ALL_FUSED = (
    learned("fuse", "tiny", "emotionnas")
    | learned("fuse", "once", *FUSED["once"])
    | evaluated("tiny", "emotionnas")
    | evaluated("once", *FUSED["once"])
)
HEARS_FBANK = (
    {"features spoken/fbank", "features own/fbank"}
    | learned("search", "tiny", "rnn")
    | learned("train", "tiny", "linear", "rnn")
    | learned("train", "once", "chance")
    | learned("train", "own", "linear")
    | ALL_FUSED
    | evaluated("tiny", "linear", "rnn")
    | evaluated("once", "chance")
    | evaluated("own", "linear")
)


def system(name, **values):
    """A change of a system's options."""
    return lambda settings: settings["systems"][name].update(values)


OPTIONS = {
    "a fusion's training": (
        system("emotionnas", training={"epochs": 3}),
        learned("fuse", "tiny", "emotionnas") | evaluated("tiny", "emotionnas"),
    ),
    "retraining of the cells, and not their search": (
        system("cnn", training={"epochs": 3, "batch": 8}),
        learned("train", "tiny", "cnn") | TWO_STREAMS,
    ),
    "the cells' search": (
        lambda settings: settings["systems"]["cnn"]["search"].update(epochs=5),
        learned("search", "tiny", "cnn") | learned("train", "tiny", "cnn") | TWO_STREAMS,
    ),
    "whether what was searched is retrained": (
        lambda settings: settings["systems"]["kept"]["search"].update(retrain=True),
        learned("train", "once", "kept")
        | learned("fuse", "once", "joint")
        | evaluated("once", "kept", "joint"),
    ),
    "one more seed": (
        lambda settings: settings["runs"][0].update(seeds=3),
        {"train tiny/linear/2/group1", "train tiny/linear/2/group2"} | evaluated("tiny", "linear"),
    ),
    "the title": (lambda settings: settings.update(title="Another"), {"report"}),
    "a figure of a paper": (
        lambda settings: settings["tables"]["streams"]["rows"]["both"]["published"].update(wa=0.71),
        {"report"},
    ),
    "what may cross, which is the audit's business": (
        lambda settings: settings["protocols"]["tiny"]["allow"].append("audio"),
        {"audit tiny", "report"},
    ),
    "a feature nobody hears": (
        lambda settings: settings["features"].update(spare={"extractor": "mfcc"}),
        set(),
    ),
}


@pytest.mark.parametrize("change", OPTIONS)
def test_options(changed, change):
    rewrite, expected = OPTIONS[change]
    changed.rewrite(rewrite)
    assert changed.reruns() == expected


def test_what_learns_is_asked_too_where_an_audit_runs_again(changed):
    for name in ("what may cross, which is the audit's business", "a fusion's training"):
        changed.rewrite(OPTIONS[name][0])
    changed.snakemake("--cores", "2")
    history = changed.folder / "results/fuse/tiny/emotionnas/seed0/group1/history.csv"
    assert len(history.read_text().splitlines()) == 1 + 3
    assert changed.reruns() == set()


def test_a_target_is_made_also_where_an_audit_runs_again(changed):
    target = "results/fuse/tiny/emotionnas/seed0/group1/predictions.h5"
    (changed.folder / target).unlink()
    changed.rewrite(OPTIONS["what may cross, which is the audit's business"][0])
    changed.snakemake("--cores", "2", target)
    assert (changed.folder / target).exists()


SOURCES = {
    "protocols/audit.py": {"audit tiny", "audit once", "audit own", "report"},
    "features/extractors/fbank.py": HEARS_FBANK,
    "networks/resnet.py": learned("train", "once", "resnet")
    | learned("fuse", "once", *METHODS)
    | evaluated("once", "resnet", *METHODS),
    "fuse/job.py": ALL_FUSED,
    "search/methods/random.py": learned("search", "once", "chance")
    | {"search tiny/shared/0/group1"}
    | learned("train", "once", "chance")
    | learned("train", "tiny", "shared")
    | learned("fuse", "once", *FUSED["once"])
    | evaluated("once", "chance", *FUSED["once"])
    | evaluated("tiny", "shared"),
    "evaluate/scores.py": evaluated("tiny", *SYSTEMS["tiny"], *FUSED["tiny"])
    | evaluated("once", *SYSTEMS["once"], *FUSED["once"])
    | evaluated("own", *SYSTEMS["own"]),
    "report/views.py": {"report"},
    "report/templates/index.html": {"report"},
    "settings/messages.py": set(),
    "cli/main.py": set(),
}


@pytest.mark.parametrize("source", SOURCES)
def test_sources(changed, source):
    text = "{# a comment #}\n" if source.endswith(".html") else "# a comment\n"
    changed.comment(f"src/emonas/{source}", text)
    assert changed.reruns() == SOURCES[source]


def test_new_kinds_rerun_nothing(changed):
    package = changed.folder / "src/emonas"
    for folder, old, new in (
        ("corpora/readers", "folders", "newfolders"),
        ("features/extractors", "mfcc", "newmfcc"),
        ("systems/kinds", "resnet", "newnet"),
        ("search/methods", "random", "newchance"),
    ):
        text = (package / folder / f"{old}.py").read_text()
        (package / folder / f"{new}.py").write_text(text.replace(f'"{old}"', f'"{new}"'))
    assert changed.reruns() == set()


def test_what_stands_between_is_made_again_with_the_report(changed):
    """A genotype mended by hand reruns what was trained from it, and the report that draws it."""
    path = changed.folder / "results/search/tiny/cnn/seed0/group1/genotype.json"
    path.write_text(path.read_text().replace('"channels": 2', '"channels": 3'))
    assert changed.reruns() == {
        "train tiny/cnn/0/group1",
        "fuse tiny/emotionnas/0/group1",
    } | evaluated("tiny", "cnn", "emotionnas")


MISSING = {
    "results/features/spoken/fbank.h5": "features spoken/fbank",
    "results/protocols/tiny/folds.csv": "protocols tiny",
    "results/protocols/tiny/audit.json": "audit tiny",
    "results/protocols/tiny/group1/train.csv": "fold tiny/group1",
    "results/train/tiny/cnn/seed0/group1/predictions.h5": "train tiny/cnn/0/group1",
    "results/evaluate/tiny/cnn/metrics.json": "evaluate tiny/cnn",
    "results/evaluate/tiny/comparisons.json": "compare tiny",
}


@pytest.mark.parametrize("file", MISSING)
def test_whatever_is_missing_is_made_again(changed, file):
    (changed.folder / file).unlink()
    assert MISSING[file] in changed.reruns()


def test_a_change_is_not_missed_where_an_index_of_folds_is_missing(changed):
    (changed.folder / "results/protocols/tiny/folds.csv").unlink()
    changed.rewrite(OPTIONS["retraining of the cells, and not their search"][0])
    changed.snakemake("--cores", "2")
    history = changed.folder / "results/train/tiny/cnn/seed0/group1/history.csv"
    assert len(history.read_text().splitlines()) == 1 + 3
    assert changed.reruns() == set()


def test_what_failed_is_tried_again(changed, finished):
    source = changed.folder / "src/emonas/networks/resnet.py"
    text = source.read_text()
    source.write_text(text + "\nraise RuntimeError('this is broken')\n")
    for _ in range(2):
        said = changed.snakemake("--cores", "2", "--keep-going", fails=True)
        assert "failed: results/logs/train/once/resnet-seed0-run0.log" in said
    source.write_text(text)
    changed.snakemake("--cores", "2")
    file = "results/train/once/resnet/seed0/run0/predictions.h5"
    assert (changed.folder / file).read_bytes() == (finished.folder / file).read_bytes()
    assert changed.reruns() == set()
