"""A result whose bytes changed behind everybody's back is found, named, and made again."""

import os
import re

import pytest

pytestmark = pytest.mark.fault
DAMAGED = "results/search/once/kept/seed0/run0/weights.safetensors"
NEEDS_IT = "results/train/once/kept/seed0/run0/predictions.h5"
TOGETHER = (
    {
        "results/features/spoken/fbank.h5": "results/train/tiny/linear/seed0/group1/predictions.h5",
        "results/train/tiny/cnn/seed0/group1/predictions.h5": (
            "results/evaluate/tiny/cnn/metrics.json"
        ),
        DAMAGED: NEEDS_IT,
    },
    {
        "results/search/tiny/cnn/seed0/group1/genotype.json": (
            "results/train/tiny/cnn/seed0/group1/predictions.h5"
        ),
        "results/protocols/tiny/group2/train.csv": (
            "results/train/tiny/linear/seed0/group2/predictions.h5"
        ),
    },
)
"""Files that one run finds damaged, each by the job that makes from it what it stands beside."""
TOUCHED = {
    **{file: True for files in TOGETHER for file in files},
    "results/train/tiny/cnn/seed0/group1/cost.json": True,
    "results/evaluate/tiny/cnn/metrics.json": True,
    "results/protocols/tiny/audit.json": True,
    "results/protocols/tiny/folds.csv": False,
    "results/corpora/spoken/manifest.csv": True,
}
"""Results, and whether it takes a job to find them damaged."""
BRIEF = (
    "results/protocols/tiny/folds.csv",
    "results/train/tiny/cnn/seed0/group1/cost.json",
    "results/train/tiny/cnn/seed0/group1/predictions.h5",
)
"""Those that `make test` touches; `make test-faults` does all, each of which takes two runs."""
OTHERS = [f"results/train/tiny/linear/seed{seed}/group2/predictions.h5" for seed in (0, 1)]


def told(file):
    """What a job says that found it damaged."""
    name = re.escape(file.rpartition("/")[2])
    return (
        rf"{re.escape(file)}: .*; it will be renamed to {name}\.damaged, and the same command, "
        "given again, makes it anew"
    )


def damage(path, way):
    """Change the file, but not the time by which Snakemake would see it."""
    status, whole = path.stat(), path.read_bytes()
    middle = len(whole) // 2
    flipped = bytearray(whole)
    flipped[middle] ^= 4
    path.write_bytes(flipped if way == "a flipped byte" else whole[:middle])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("way", ["a flipped byte", "cut short"])
@pytest.mark.parametrize("files", TOGETHER, ids=["what is learned", "what it is learned from"])
def test_damaged_results_are_made_again(finished, changed, files, way, tally):
    for file, target in files.items():
        damage(changed.folder / file, way)
        (changed.folder / target).unlink()
    command = ("--cores", "2", "--keep-going", *files.values())
    said = changed.snakemake(*command, fails=True)
    for file in files:
        assert re.search(rf"^emonas: {told(file)}$", said, flags=re.MULTILINE), said
        assert not (changed.folder / file).exists()
    changed.snakemake(*command)
    for each in (*files, *files.values()):
        assert (changed.folder / each).read_bytes() == (finished.folder / each).read_bytes()
    for file in files:
        tally(f"{file.rpartition('/')[2]} with {way}, in the workflow")


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=() if file in BRIEF else pytest.mark.long) for file in TOUCHED],
)
def test_the_same_command_makes_again_what_was_touched(finished, changed, file, tally):
    """Another time lets Snakemake run what needs the file; then nobody has to name a target."""
    path = changed.folder / file
    path.write_bytes(path.read_bytes()[:-40])
    if TOUCHED[file]:
        said = changed.snakemake("--cores", "2", fails=True)
        assert "Traceback" not in said
        assert re.search(rf"damaged: {re.escape(file)} is .*\.damaged now", said), said
    changed.snakemake("--cores", "2")
    assert path.read_bytes() == (finished.folder / file).read_bytes()
    for metrics in sorted((finished.folder / "results/evaluate").rglob("*.json")):
        again = changed.folder / metrics.relative_to(finished.folder)
        assert again.read_bytes() == metrics.read_bytes()
    assert changed.reruns() == set()
    tally(f"{path.name} cut short and its time changed, made again by the same command")


def test_jobs_that_do_not_need_it_go_on_where_jobs_are_tried_again(finished, changed, tally):
    damage(changed.folder / DAMAGED, "a flipped byte")
    targets = [NEEDS_IT, *OTHERS]
    for target in targets:
        (changed.folder / target).unlink()
    command = ("--cores", "1", "--retries", "2", "--keep-going", *targets)
    said = changed.snakemake(*command, fails=True)
    # A try and two more, which find the file in its place.
    assert len(re.findall(rf"^emonas: {told(DAMAGED)}$", said, flags=re.MULTILINE)) == 3, said
    assert "Missing files" not in said
    log = "results/logs/train/once/kept-seed0-run0.log"
    assert re.findall(r"^  failed: (.*)$", said, flags=re.MULTILINE) == [
        re.search(rf"^  failed: ({log}: {told(DAMAGED)})$", said, flags=re.MULTILINE)[1]
    ]
    assert f"damaged: {DAMAGED} is weights.safetensors.damaged now" in said
    assert not (changed.folder / DAMAGED).exists()
    assert not (changed.folder / NEEDS_IT).exists()
    for other in OTHERS:
        assert (changed.folder / other).read_bytes() == (finished.folder / other).read_bytes()
    assert changed.reruns(*targets) == {"search once/kept/0/run0", "train once/kept/0/run0"}
    changed.snakemake(*command)
    for file in (DAMAGED, *targets):
        assert (changed.folder / file).read_bytes() == (finished.folder / file).read_bytes()
    tally("weights.safetensors with a flipped byte, with jobs that are tried again")


def test_what_a_killed_run_noted_is_made_again_by_the_next(finished, changed, tally):
    """A run whose hooks are not called leaves what a killed one does."""
    path, before = changed.folder / DAMAGED, (finished.folder / DAMAGED).read_bytes()
    damage(path, "cut short")
    (changed.folder / NEEDS_IT).unlink()
    changed.snakemake("--cores", "1", "--no-hooks", NEEDS_IT, fails=True)
    assert changed.reruns(NEEDS_IT) == {"train once/kept/0/run0"}
    assert path.read_bytes() == before[: len(before) // 2]
    said = changed.snakemake("--cores", "1", NEEDS_IT)
    assert said.count(f"damaged: {DAMAGED} is weights.safetensors.damaged now") == 1
    for file in (DAMAGED, NEEDS_IT):
        assert (changed.folder / file).read_bytes() == (finished.folder / file).read_bytes()
    assert not list((changed.folder / "results/resume/damaged").iterdir())
    tally("weights.safetensors cut short, noted by a run without an end")


def test_an_index_of_folds_that_lost_one_is_made_again_at_once(finished, changed, tally):
    """Its folds are what the jobs of a run are."""
    file, target = "results/protocols/tiny/folds.csv", "results/evaluate/tiny/cnn/metrics.json"
    path = changed.folder / file
    status = path.stat()
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    (changed.folder / target).unlink()
    # A dry run changes nothing.
    said = changed.snakemake("-n", target, fails=True)
    assert re.search(rf"^emonas: {re.escape(file)}: its bytes are not those", said, re.MULTILINE)
    assert "make it again: snakemake" in said
    assert "Traceback" not in said
    said = changed.snakemake("--cores", "1", target)
    assert f"emonas: {file}: its bytes are not those that were written" in said
    assert "it is folds.csv.damaged now, to be made anew" in said
    for each in (file, target):
        assert (changed.folder / each).read_bytes() == (finished.folder / each).read_bytes()
    tally("folds.csv with a lost line, in the workflow")


def test_an_index_without_a_digest_that_was_cut_is_a_sentence(finished, changed, tally):
    file = "results/protocols/tiny/folds.csv"
    path = changed.folder / file
    (changed.folder / f"{file}.sha256").unlink()
    path.write_bytes(path.read_bytes().rstrip()[:-2])
    said = changed.snakemake("-n", fails=True)
    sentence = re.search(rf"^emonas: {re.escape(file)}: .*; make it again: (.*),", said, re.M)
    assert sentence, said
    assert "Traceback" not in said
    changed.snakemake("--cores", "1", "--force", file)
    assert path.read_bytes() == (finished.folder / file).read_bytes()
    tally("folds.csv cut short, in the workflow")
