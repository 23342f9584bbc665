import pytest

from emonas.errors import EmonasError
from emonas.failures import failure_lines, why_failed
from emonas.jobs import logged_job, report_line

KILLED = "it was ended from outside, perhaps for its memory or its time"


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


def test_what_was_not_run_is_counted():
    assert list(failure_lines([], 1, goes_on=True)) == ["not run, because of what failed: 1 job"]
    (line,) = failure_lines([], 7, goes_on=False)
    assert line.startswith("not run: 7 jobs; with --keep-going")
    assert not list(failure_lines([], 0, goes_on=False))
