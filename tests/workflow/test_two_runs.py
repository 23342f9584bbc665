"""Two runs in one folder: the second is refused, and where it is let in nothing is half written."""

import re
import subprocess
import time

import pytest

pytestmark = [pytest.mark.fault, pytest.mark.long]
PATIENCE = 120
REFUSED = r"emonas: another run works in this folder \((.*)\); wait for its end"
MEASURED = ("cost.csv",)
"""Files that hold times and memory."""


@pytest.fixture
def copy(fresh, tmp_path):
    return fresh.copy(tmp_path / "a copy")


def begin(checkout, *arguments):
    return subprocess.Popen(
        checkout.start("--cores", "1", *arguments),
        cwd=checkout.folder,
        env=checkout.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def results(checkout):
    """The bytes of everything that was made; the report tells how long it took."""
    root = checkout.folder / "results"
    left_out = {"logs", "resume", "report"}
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
        and path.relative_to(root).parts[0] not in left_out
        and path.name not in MEASURED
    }


def wait_for(checkout, pattern, process):
    begun = time.monotonic()
    while not list((checkout.folder / "results").glob(pattern)):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() - begun < PATIENCE
        time.sleep(0.05)


def test_of_two_that_begin_at_once_one_is_refused(finished, copy, tally):
    both = [begin(copy), begin(copy)]
    said = {process.pid: process.communicate()[0] for process in both}
    (worked,) = [process for process in both if process.returncode == 0]
    (refused,) = [process for process in both if process.returncode != 0]
    tally("a second run begun in the same folder")
    told = re.fullmatch(REFUSED + ".*\n", said[refused.pid].splitlines(keepends=True)[-1])
    assert told is not None, said[refused.pid]
    assert told[1] == "it has just begun" or told[1].startswith(f"process {worked.pid} on ")
    assert results(copy) == results(finished)


def test_other_settings_and_unlocking_wait_too(finished, copy, tally):
    other = copy.folder / "other settings.yaml"
    other.write_text((copy.folder / "tiny.yaml").read_text().replace("A tiny run", "Another"))
    first = begin(copy)
    wait_for(copy, "search/tiny/*/seed0/*/genotype.json", first)
    command = copy.start("--cores", "1")
    command[command.index("tiny.yaml")] = other.name
    for attempt in (command, copy.start("--unlock")):
        tally("a second run begun in the same folder")
        told = re.search(REFUSED, copy.run(attempt, fails=True))
        assert told is not None
        assert told[1].startswith(f"process {first.pid} on ")
    # Who only looks may.
    copy.snakemake("-n")
    said, _ = first.communicate()
    assert first.returncode == 0, said
    assert results(copy) == results(finished)
    copy.run(command)


def test_two_that_write_the_same_files_leave_whole_ones(finished, copy, tally):
    """With --nolock nobody is refused: at worst a run stops and a job is done twice."""
    both = [begin(copy, "--nolock", "--keep-going") for _ in range(2)]
    for process in both:
        process.communicate()
    tally("two runs that write the same files at the same time (--nolock)")
    kept, wanted = results(copy), results(finished)
    for name in kept.keys() & wanted.keys():
        assert kept[name] == wanted[name], name
    copy.snakemake("--cores", "2", "--rerun-incomplete")
    assert results(copy) == wanted
