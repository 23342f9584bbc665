"""The demonstration as it comes, on two nodes and on this machine: the same figures."""

import shutil
import sys
from pathlib import Path

import pytest
from submitting import files_of

pytestmark = [pytest.mark.slurm, pytest.mark.workflow]
DEFAULT = ("--configfile", "config.yaml")
ROOT = Path(__file__).parents[3]
ONE = "results/evaluate/demo/linear/metrics.json"
METRICS = ("results/evaluate/*/*/metrics.json", "results/protocols/*/audit.json")


@pytest.fixture
def local(fresh, tmp_path):
    """The demonstration on this machine; where `make run` has run here it has little to do."""
    checkout = fresh.copy(tmp_path / "a local run")
    for part in ("results", ".snakemake/metadata"):
        if (ROOT / part).exists():
            shutil.copytree(ROOT / part, checkout.folder / part, dirs_exist_ok=True)
    return checkout


def refuse_single_submissions(submitting, said):
    """Jobs that ended well, several of them in a submission."""
    jobs = submitting.submissions()
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    done = max(int(line.split()[0]) for line in said.splitlines() if " steps (100%) done" in line)
    print(f"{done - 1} jobs in {len(jobs)} submissions")
    assert len(jobs) < done / 2


def test_one_system_has_the_metrics_of_a_local_run(submitting, local):
    """What `.ci/run` has the time for: features, folds, trainings in groups, another corpus."""
    local.run([sys.executable, "-m", "snakemake", *DEFAULT, "--cores", "2", "--", ONE])
    expected = (local.folder / ONE).read_bytes()
    shutil.rmtree(local.folder)
    said = submitting.run(ONE, *DEFAULT)
    assert (submitting.folder / ONE).read_bytes() == expected
    refuse_single_submissions(submitting, said)


def test_the_default_run_has_the_metrics_of_a_local_run(submitting, local):
    local.run([sys.executable, "-m", "snakemake", *DEFAULT, "--cores", "2"])
    expected = files_of(local.folder, *METRICS)
    assert len(expected) >= 10
    shutil.rmtree(local.folder)

    said = submitting.run(*DEFAULT)
    assert files_of(submitting.folder, *METRICS) == expected
    assert (submitting.folder / "results/report/index.html").exists()

    refuse_single_submissions(submitting, said)
    assert any(job["comment"].startswith("rule_train") for job in submitting.submissions())
