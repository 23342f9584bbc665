"""The demonstration as it comes, on two nodes and on this machine: the same figures."""

import shutil
import sys

import pytest
from submitting import files_of

pytestmark = [pytest.mark.slurm, pytest.mark.workflow]
DEFAULT = ("--configfile", "config.yaml")
METRICS = ("results/evaluate/*/*/metrics.json", "results/protocols/*/audit.json")


def test_the_default_run_has_the_metrics_of_a_local_run(submitting, fresh, tmp_path):
    local = fresh.copy(tmp_path / "a local run")
    local.run([sys.executable, "-m", "snakemake", *DEFAULT, "--cores", "2"])
    expected = files_of(local.folder, *METRICS)
    assert len(expected) >= 10
    shutil.rmtree(local.folder)

    said = submitting.run(*DEFAULT)
    assert files_of(submitting.folder, *METRICS) == expected
    assert (submitting.folder / "results/report/index.html").exists()

    jobs = submitting.submissions()
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    done = max(int(line.split()[0]) for line in said.splitlines() if " steps (100%) done" in line)
    print(f"{done - 1} jobs in {len(jobs)} submissions")
    assert len(jobs) < done / 2
    assert any(job["comment"].startswith("rule_train") for job in jobs)
