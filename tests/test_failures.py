from emonas.failures import failure_lines, why_failed


def test_the_last_line_of_a_log_is_why(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("10:00:01 begins\n10:00:02 a/b: the sentence\n\n", encoding="utf-8")
    assert why_failed(log) == "a/b: the sentence"
    log.write_text("10:00:01 please report it\nTraceback\nValueError: wrong\n", encoding="utf-8")
    assert why_failed(log) == "ValueError: wrong"


def test_a_job_that_left_no_log_is_told_all_the_same(tmp_path):
    empty = tmp_path / "empty.log"
    empty.touch()
    lines = list(failure_lines([("train", empty), ("fold", None)], 0, goes_on=True))
    assert [line.split(": it said")[0] for line in lines] == ["failed: fold", f"failed: {empty}"]


def test_what_was_not_run_is_counted():
    assert list(failure_lines([], 1, goes_on=True)) == ["not run, because of what failed: 1 job"]
    (line,) = failure_lines([], 7, goes_on=False)
    assert line.startswith("not run: 7 jobs; with --keep-going")
    assert not list(failure_lines([], 0, goes_on=False))
