"""Jobs that begin with their libraries loaded: they do, and give the same bytes."""

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked on Linux only")

SYSTEM = "results/train/tiny/cnn/seed0/group1"
FILES = ("predictions.h5", "weights.safetensors", "history.csv", "cost.json")


TELLS = "\nimport sys\n\nprint('this is', *sys.orig_argv, file=sys.stderr)\n"


def test_jobs_are_forks_of_the_process_that_has_the_libraries(changed):
    changed.comment("workflow/scripts/audit.py", TELLS)
    target = "results/protocols/tiny/audit.json"
    assert "preloading/server.py" in changed.snakemake("--cores", "1", target)
    said = changed.snakemake("--cores", "1", "--force", target, "--config", "preload=false")
    assert "this is" in said
    assert "preloading" not in said


def test_jobs_of_one_submission_share_the_process(changed):
    changed.comment("workflow/scripts/audit.py", TELLS)
    # As Snakemake is called at the end of a submission, with all that depends on it left alone.
    jobs = ("audit:protocol=tiny", "corpora:corpus=spoken")
    remote = ("--cores", "1", "--mode", "remote", "--nolock", "--no-hooks", "--force")
    for count in (1, 2):
        said = changed.snakemake(*remote, "--target-jobs", *jobs[:count])
        assert ("preloading/server.py" in said) == (count == 2)


def test_the_results_are_those_of_jobs_with_a_python_of_their_own(finished, changed):
    folder = changed.folder / SYSTEM
    (folder / "predictions.h5").unlink()
    changed.snakemake("--cores", "1", f"{SYSTEM}/predictions.h5", "--config", "preload=false")
    for file in FILES:
        assert (folder / file).read_bytes() == (finished.folder / SYSTEM / file).read_bytes(), file
