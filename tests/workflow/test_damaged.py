"""A result whose bytes changed behind everybody's back is found, named, and made again."""

import os
import re

import pytest

pytestmark = pytest.mark.fault
FILES = {
    "results/features/spoken/fbank.h5": "results/train/tiny/linear/seed0/group1/predictions.h5",
    "results/train/tiny/cnn/seed0/group1/predictions.h5": "results/evaluate/tiny/cnn/metrics.json",
    "results/search/tiny/cnn/seed0/group1/genotype.json": (
        "results/train/tiny/cnn/seed0/group1/predictions.h5"
    ),
    "results/search/once/kept/seed0/run0/weights.safetensors": (
        "results/train/once/kept/seed0/run0/predictions.h5"
    ),
}
"""A file, and what is made from it."""


def damage(path, way):
    """Change the file, but not the time by which Snakemake would see it."""
    status, whole = path.stat(), path.read_bytes()
    middle = len(whole) // 2
    flipped = bytearray(whole)
    flipped[middle] ^= 4
    path.write_bytes(flipped if way == "a flipped byte" else whole[:middle])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("way", ["a flipped byte", "cut short"])
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_result_is_made_again(finished, changed, file, way, tally):
    path, target = changed.folder / file, FILES[file]
    damage(path, way)
    (changed.folder / target).unlink()
    said = changed.snakemake("--cores", "2", target, fails=True)
    assert re.search(
        rf"emonas: {re.escape(file)}: .*; it is {path.name}\.damaged now, and the same command, "
        "given again, makes it anew",
        said,
    ), said
    assert not path.exists()
    changed.snakemake("--cores", "2", target)
    for each in (file, target):
        assert (changed.folder / each).read_bytes() == (finished.folder / each).read_bytes()
    tally(f"{path.name} with {way}, in the workflow")
