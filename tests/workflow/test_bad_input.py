"""What a user can mend is one sentence on the terminal, and no traceback."""

import csv
import json
import re
import shutil

import pytest


@pytest.fixture
def copy(fresh, tmp_path):
    """A checkout where nothing has run, for a test to change."""
    return fresh.copy(tmp_path / "a copy")


def sentence(said):
    """What the user reads at last."""
    assert "Traceback" not in said
    last = said.strip().splitlines()[-1]
    assert last.startswith("emonas: ")
    return last.removeprefix("emonas: ")


def failure(said):
    """The sentence of the job that failed."""
    assert "Traceback" not in said
    ours = [line for line in said.splitlines() if line.startswith("emonas: ")]
    *ours, advice = [line for line in ours if not line.startswith("emonas: skipped")]
    assert "run the same command" in advice
    (line,) = ours
    return line.removeprefix("emonas: ")


def inside(*keys, **values):
    """A change somewhere in the settings."""

    def change(settings):
        for key in keys:
            settings = settings[key]
        settings.update(values)

    return change


SETTINGS = [
    (
        inside("systems", "rnn", inputs=["fbnk"]),
        "systems.rnn.inputs: no feature is named fbnk; did you mean fbank?",
    ),
    (
        inside("systems", "rnn", hiden=8),
        "systems.rnn.hiden: is no known key; did you mean hidden?",
    ),
    (
        inside("systems", "resnet", network="resnt"),
        r"systems.resnet.network: nothing is named resnt; did you mean resnet\? \(there are .*\)",
    ),
    (
        inside("corpora", "own", reader="folder"),
        r"corpora.own.reader: nothing is named folder; did you mean folders\? \(there are .*\)",
    ),
    (
        inside("features", "fbank", extractor="fbanks"),
        r"features.fbank.extractor: nothing is named fbanks; did you mean fbank\? \(there are .*\)",
    ),
    (
        inside("systems", "cnn", "search", method="dart"),
        r"systems.cnn.search.method: nothing is named dart; did you mean darts\? \(there are .*\)",
    ),
    (
        inside("features", "fbank", bands=1),
        "features.fbank.bands: must be at least 3, not 1",
    ),
    (
        inside("corpora", "own", root="own speach"),
        "corpora.own.root: there is no folder own speach; correct it, or leave it out to skip the "
        "runs that need it",
    ),
]


@pytest.mark.parametrize(
    ("change", "expected"), SETTINGS, ids=[expected.split(":")[0] for _, expected in SETTINGS]
)
def test_settings(copy, change, expected):
    copy.rewrite(change)
    said = sentence(copy.snakemake("-n", fails=True))
    assert said == expected or re.fullmatch(expected, said), said


def test_a_key_that_stands_twice(copy):
    """Snakemake would take the last, and say nothing."""
    settings = copy.folder / "tiny.yaml"
    settings.write_text(settings.read_text() + "preload: false\npreload: true\n")
    line = len(settings.read_text().splitlines())
    assert sentence(copy.snakemake("-n", fails=True)) == (
        f"tiny.yaml: line {line}: preload stands there twice; keep one of them"
    )


def test_a_genotype_that_was_edited_wrongly_is_named_and_the_rest_goes_on(changed):
    folder = changed.folder / "results"
    genotype = folder / "search/tiny/cnn/seed0/group1/genotype.json"
    text = genotype.read_text().replace("skip_connect", "skip").replace("conv", "con")
    # Who edits a genotype takes the digest of what was there out.
    edited = {key: value for key, value in json.loads(text).items() if key != "digest"}
    genotype.write_text(json.dumps(edited))
    other = folder / "evaluate/once/resnet/metrics.json"
    other.unlink()
    said = changed.snakemake("--cores", "2", "--keep-going", fails=True)
    line = failure(said)
    assert line.startswith("results/search/tiny/cnn/seed0/group1/genotype.json: ")
    assert "; mend it, or make it again: snakemake --cores all --force results/search/" in line
    assert other.is_file()
    log = "results/logs/train/tiny/cnn-seed0-group1.log"
    assert f"log: {log} (check log file(s) for error details)" in said
    assert line in (changed.folder / log).read_text()


def test_folds_that_share_a_speaker_stop_before_anything_learns(changed):
    manifest = changed.folder / "results/corpora/spoken/manifest.csv"
    with manifest.open() as file:
        rows = list(csv.DictReader(file))
    speakers = sorted({row["speaker"] for row in rows})
    given = ("train", "train", "train", "validation", "validation", "test")
    parts = dict(zip(speakers, given, strict=True))
    lines = [f"{row['utterance']},one,{parts[row['speaker']]}" for row in rows]
    # One utterance of a training speaker goes to the test.
    crossing = next(row for row in rows if row["speaker"] == speakers[0])
    lines[rows.index(crossing)] = f"{crossing['utterance']},one,test"
    (changed.folder / "my list.csv").write_text("\n".join(["utterance,fold,part", *lines, ""]))

    def listed(settings):
        settings["protocols"]["given"] = {
            "corpora": ["spoken"],
            "test": "list",
            "list": "my list.csv",
            "allow": ["text", "session"],
        }
        settings["runs"] = [{"protocol": "given", "systems": ["linear"]}]

    changed.rewrite(listed)
    said = changed.snakemake("--cores", "2", fails=True)
    line = failure(said)
    assert line.startswith("protocols.given: ")
    assert f"in fold one train and test share speaker {speakers[0]}: " in line
    assert f"and {crossing['utterance']} in test" in line
    assert "results/protocols/given/audit.failed.json lists all" in line
    assert line.endswith("add to protocols.given.allow: speaker")
    assert not (changed.folder / "results/train/given").exists()


def test_a_corpus_with_nothing_that_can_be_used(copy):
    shutil.rmtree(copy.folder / "own speech")
    (copy.folder / "own speech/sad").mkdir(parents=True)
    (copy.folder / "own speech/sad/anna.wav").write_bytes(b"")
    target = "results/corpora/own/manifest.csv"
    said = copy.snakemake("--cores", "1", target, fails=True)
    assert failure(said) == (
        "corpora.own: no utterance can be used: own speech/sad/anna.wav: it is empty; copy it again"
    )
