"""What goes wrong on a cluster: Snakemake is killed, or a job has too little time or memory."""

import re
import signal
import subprocess
from pathlib import Path

import pytest
from slurm_cluster import wait_for
from submitting import files_of

pytestmark = [pytest.mark.slurm, pytest.mark.fault, pytest.mark.long]
TINY = ("--configfile", "tiny.yaml")
SEARCH = "results/search/tiny/cnn/seed0/group1"
GENOTYPE = f"{SEARCH}/genotype.json"
LOG = "results/logs/search/tiny/cnn-seed0-group1.log"
RESULTS = (
    "results/search/*/*/*/*/genotype.json",
    "results/*/*/*/*/*/predictions.h5",
    "results/*/*/*/*/*/weights.safetensors",
    "results/evaluate/*/*/metrics.json",
)

WAIT_FOR_EVER = """
# The first process that learns stops itself behind its first epochs, once.
import os, pathlib, signal, sys, threading, time

def watch(stopped=pathlib.Path("stopped"), states=pathlib.Path("results/resume/search")):
    while not stopped.exists():
        if list(states.glob("*/state.pt")):
            stopped.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.002)

if sys.argv and ".snakemake/scripts" in " ".join(sys.orig_argv):
    threading.Thread(target=watch, daemon=True).start()
"""

EAT = """
# Every process that searches takes 1.5 gigabytes more behind its first epochs.
import pathlib, sys, threading, time

def watch(states=pathlib.Path("results/resume/search"), seen=pathlib.Path("eaten")):
    while not list(states.glob("*/state.pt")):
        time.sleep(0.002)
    held = b"x" * (1500 * 2**20)
    seen.write_text(str(len(held)))
    time.sleep(1000)

if ".snakemake/scripts" in " ".join(sys.orig_argv):
    threading.Thread(target=watch, daemon=True).start()
"""


def documented_command():
    """The line of docs/cluster.md that ends the jobs of former runs."""
    text = (Path(__file__).parents[3] / "docs/cluster.md").read_text()
    (line,) = re.findall(r"^.*scancel --name.*$", text, flags=re.MULTILINE)
    return line


def times(cluster, job):
    """When a SLURM job began and ended, in words that sort as the times do."""
    said = cluster.ask("scontrol", "show", "job", job)
    return [re.search(rf"{name}=(\S+)", said).group(1) for name in ("StartTime", "EndTime")]


def test_after_sigkill_of_snakemake_the_documented_way_gives_equal_results(
    submitting, fresh, tmp_path, tally
):
    target = "results/evaluate/tiny/emotionnas/metrics.json"
    local = fresh.copy(tmp_path / "undisturbed")
    local.snakemake("--cores", "2", target)
    expected = files_of(local.folder, *RESULTS)

    process = submitting.start(target, *TINY)
    states = submitting.folder / "results/resume/search"
    wait_for(lambda: list(states.glob("*/state.pt")) or process.poll() is not None, "a search", 600)
    process.send_signal(signal.SIGKILL)
    process.wait()
    tally("SIGKILL of snakemake while its jobs run in SLURM")
    before = submitting.submissions()
    assert "RUNNING" in {job["state"] for job in before}

    # Without the way back it does not begin.
    submitting.run("--unlock", *TINY)
    said = submitting.run(target, *TINY, fails=True)
    assert "jobs of an earlier run" in said

    command = documented_command()
    subprocess.run(
        ["bash", "-c", command], cwd=submitting.folder, env=submitting.environment(), check=True
    )
    wait_for(
        lambda: (
            not {"RUNNING", "PENDING", "COMPLETING"}
            & {job["state"] for job in submitting.submissions()}
        ),
        "the end of the former run's jobs",
    )
    submitting.run("--unlock", *TINY)
    submitting.run(target, *TINY)
    assert files_of(submitting.folder, *RESULTS) == expected

    former = {job["id"] for job in before}
    ended = max(times(submitting.cluster, job)[1] for job in former)
    after = [job["id"] for job in submitting.submissions() if job["id"] not in former]
    assert min(times(submitting.cluster, job)[0] for job in after) >= ended


def disturbed(submitting, source):
    """The environment in which Python runs a module of ours when it starts."""
    folder = submitting.folder / "disturbing"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(source)
    paths = f"{folder}:{submitting.folder / 'src'}"
    return {"PYTHONPATH": paths}


def whole_bytes(fresh, tmp_path):
    local = fresh.copy(tmp_path / "undisturbed")
    local.snakemake("--cores", "2", GENOTYPE)
    return (local.folder / GENOTYPE).read_bytes()


def minutes(limit):
    parts = [int(part) for part in limit.split(":")]
    hours, whole, _ = [0] * (3 - len(parts)) + parts
    return 60 * hours + whole


def test_a_job_over_its_time_limit_gets_more_and_goes_on(submitting, fresh, tmp_path, tally):
    expected = whole_bytes(fresh, tmp_path)
    process = submitting.start(GENOTYPE, *TINY, **disturbed(submitting, WAIT_FOR_EVER))
    stopped = submitting.folder / "stopped"
    wait_for(lambda: stopped.exists() or process.poll() is not None, "the search to stop", 600)
    first = submitting.wait_for_job("search")
    # Its time is over in a minute; a minute is the least that SLURM knows.
    submitting.cluster.ask("scontrol", "update", f"JobId={first['id']}", "TimeLimit=1")
    assert process.wait() == 0, submitting.log.read_text()[-4000:]
    tally("a job over SLURM's time limit")

    (over, again) = [job for job in submitting.submissions() if "search" in job["comment"]]
    assert over["state"] == "TIMEOUT"
    assert again["state"] == "COMPLETED"
    assert minutes(again["limit"]) == pytest.approx(2 * minutes(first["limit"]), abs=1)
    went_on(submitting)
    assert (submitting.folder / GENOTYPE).read_bytes() == expected


def test_a_job_over_its_memory_gets_more_and_goes_on(submitting, fresh, tmp_path, tally):
    expected = whole_bytes(fresh, tmp_path)
    submitting.run(GENOTYPE, *TINY, **disturbed(submitting, EAT))
    tally("a job over its memory, ended by SLURM")
    assert (submitting.folder / "eaten").exists()
    jobs = [job for job in submitting.submissions() if "search" in job["comment"]]
    assert [job["state"] for job in jobs][-1] == "COMPLETED"
    assert len(jobs) == 2
    sizes = [int(job["memory"].removesuffix("M")) for job in jobs]
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=2)
    went_on(submitting)
    assert (submitting.folder / GENOTYPE).read_bytes() == expected


def went_on(submitting):
    """The log is that of the last try: it did not begin anew."""
    log = (submitting.folder / LOG).read_text()
    assert "1 of 6" not in log
    assert "6 of 6" in log
