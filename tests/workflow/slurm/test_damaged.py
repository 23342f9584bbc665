"""A result that jobs in SLURM find damaged: the run at the other end sets it aside."""

import re

import pytest
from submitting import Submitting

pytestmark = [pytest.mark.slurm, pytest.mark.fault, pytest.mark.long]
DAMAGED = "results/search/once/kept/seed0/run0/weights.safetensors"
NEEDS_IT = "results/train/once/kept/seed0/run0/predictions.h5"
OTHER = "results/train/tiny/linear/seed0/group2/predictions.h5"
TARGETS = (NEEDS_IT, OTHER, "--configfile", "tiny.yaml")


def test_it_is_named_at_every_try_and_made_again_by_the_same_command(
    finished, changed, cluster, tally
):
    submitting = Submitting(changed, cluster)
    path = changed.folder / DAMAGED
    path.write_bytes(path.read_bytes()[:-1])
    for target in (NEEDS_IT, OTHER):
        (changed.folder / target).unlink()
    said = submitting.run(*TARGETS, "--retries", "1", fails=True)
    tally("a damaged result that jobs in SLURM found")
    assert "Missing files" not in said
    tries = [job for job in submitting.submissions() if "kept" in job["comment"]]
    assert [job["state"] for job in tries] == ["FAILED", "FAILED"]
    (told,) = re.findall(r"^  failed: results/logs/train/once/kept-\S+: (.*)$", said, flags=re.M)
    assert told.startswith(f"{DAMAGED}: ")
    assert told.endswith("given again, makes it anew")
    assert not path.exists()
    assert path.with_name("weights.safetensors.damaged").exists()
    assert (changed.folder / OTHER).read_bytes() == (finished.folder / OTHER).read_bytes()

    submitting.run(*TARGETS, "--retries", "1")
    for file in (DAMAGED, NEEDS_IT):
        assert (changed.folder / file).read_bytes() == (finished.folder / file).read_bytes()
