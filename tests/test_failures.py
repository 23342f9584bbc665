import signal
import subprocess
import sys

import pytest
import yaml

from emonas.errors import EmonasError
from emonas.failures import failure_lines, why_failed
from emonas.jobs import logged_job, report_line

KILLED = (
    "it ended without a word (by SIGKILL, perhaps for its memory, by another signal or an exit)"
)
ASKED = "it was asked from outside to stop (SIGTERM), perhaps at a limit of its time or memory"


def end(log, error):
    with logged_job(log):
        report_line("1 of 3, loss 0.7")
        raise error


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (EmonasError("a/b: the sentence"), "a/b: the sentence"),
        (ValueError("wrong"), "ValueError: wrong"),
        (KeyboardInterrupt(), "stopped"),
    ],
)
def test_a_jobs_last_words_are_why(tmp_path, error, why):
    log = tmp_path / "a.log"
    with pytest.raises(SystemExit):
        end(log, error)
    assert why_failed(log) == why


def test_a_job_without_last_words_was_killed(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("10:00:01 begins\n10:00:02 train a: 1 of 3, loss 0.7\n\n", encoding="utf-8")
    assert why_failed(log) == f"{KILLED}; its log ends with: train a: 1 of 3, loss 0.7"
    log.write_text("")
    lines = list(failure_lines([("train", log), ("fold", None)], 0, goes_on=True))
    assert lines == [f"failed: fold: {KILLED}", f"failed: {log}: {KILLED}"]


ENDING = """
import os, signal, sys
from pathlib import Path
from emonas.jobs import logged_job, report_line

def end_itself():
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))
    signal.pause()

with logged_job(Path(sys.argv[1])):
    report_line("1 of 3, loss 0.7")
    end_itself()
"""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("SIGKILL", KILLED),
        ("SIGTERM", ASKED),
        ("SIGSEGV", "it crashed (Segmentation fault, in File"),
        ("SIGABRT", "it crashed (Aborted, in File"),
        ("SIGBUS", "it crashed (Bus error, in File"),
        ("SIGILL", "it crashed (Illegal instruction, in File"),
    ],
)
@pytest.mark.fault
def test_a_crash_is_told_apart_from_a_kill(tmp_path, name, why, tally):
    log = tmp_path / "a job.log"
    command = [sys.executable, "-c", ENDING, str(log), name]
    ended = subprocess.run(command, check=False, capture_output=True)
    # Nothing is caught: whoever waits for the job sees the signal, as before.
    assert ended.returncode == -getattr(signal, name)
    said = why_failed(log)
    assert said.startswith(why)
    assert said.endswith("; its log ends with: 1 of 3, loss 0.7")
    assert ("end_itself" in said) == ("crashed" in why)
    assert ("not for its memory" in said) == (name in ("SIGSEGV", "SIGILL"))
    tally("a job that a signal ends", 1)


def test_who_raises_after_a_crash_elsewhere_has_the_last_word(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("Fatal Python error: Aborted\n\n10:00:02 failed: a/b: the sentence\n")
    assert why_failed(log) == "a/b: the sentence"


def test_what_was_not_run_is_counted():
    assert list(failure_lines([], 1, goes_on=True)) == ["not run, because of what failed: 1 job"]
    (line,) = failure_lines([], 7, goes_on=False)
    assert line.startswith("not run: 7 jobs; with --keep-going")
    assert not list(failure_lines([], 0, goes_on=False))


def test_the_report_of_all_others_can_be_had():
    leave_out = {"own": ["chance", "rnn"], "other": ["rnn"]}
    *_, line = failure_lines([], 3, goes_on=True, leave_out=leave_out)
    assert yaml.safe_load(line.partition("settings file: ")[2]) == {"leave_out": leave_out}
    # Without --keep-going nobody knows who would have had results.
    (line,) = failure_lines([], 3, goes_on=False, leave_out=leave_out)
    assert "meanwhile" not in line
