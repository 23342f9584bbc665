import logging
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from emonas.errors import DamagedFileError, EmonasError
from emonas.jobs import Progress, logged_job, report_line


def fail(log, error):
    with logged_job(log):
        report_line("begun")
        raise error


def test_an_error_for_users_is_one_line_and_code_1(tmp_path, capsys):
    log = tmp_path / "a folder" / "job.log"
    with pytest.raises(SystemExit) as caught:
        fail(log, EmonasError("a.csv: the column b is missing"))
    assert caught.value.code == 1
    assert capsys.readouterr().err == "emonas: a.csv: the column b is missing\n"
    lines = log.read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "begun",
        "failed: a.csv: the column b is missing",
    ]


def test_the_sentence_and_its_end_are_one_write(tmp_path):
    """Of jobs that fail together, neither writes into the other's line."""
    program = (
        "from pathlib import Path\nfrom emonas.errors import EmonasError\n"
        "from emonas.jobs import Progress, logged_job\n"
        "with logged_job(Path('job.log')):\n"
        "    Progress('train', 2, every=0).step(1, 'an epoch')\n"
        "    raise EmonasError('a.csv: the column b is missing')\n"
    )
    # A socket of datagrams tells one write from two.
    told, heard = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with told, heard:
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, cwd=tmp_path, stderr=told, check=False)
        heard.setblocking(False)
        written = []
        with suppress(BlockingIOError):
            while True:
                written.append(heard.recv(1000).decode())
    assert done.returncode == 1
    assert written == [
        "  train: 1 of 2, an epoch\n",
        "emonas: a.csv: the column b is missing\n",
    ]


def test_a_damaged_result_is_named_alike_at_every_try_and_stays(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = Path("results/search/genotype.json")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    told = f"{path}: no JSON; it will be renamed to genotype.json.damaged, and the same command"
    for _ in range(3):
        with pytest.raises(SystemExit):
            fail(Path("job.log"), DamagedFileError(path, "no JSON"))
        assert capsys.readouterr().err == f"emonas: {told}, given again, makes it anew\n"
        assert path.read_text() == "{"
    assert len(list(Path("results/resume/damaged").iterdir())) == 1


@pytest.mark.parametrize("reason", ["no result", "no note can be written"])
def test_what_the_run_will_not_rename_is_made_again_by_a_command(
    tmp_path, monkeypatch, capsys, reason
):
    monkeypatch.chdir(tmp_path)
    path = Path("results/genotype.json")
    path.parent.mkdir()
    if reason != "no result":
        path.write_text("{")
        Path("results/resume").write_text("in the way")
    with pytest.raises(SystemExit):
        fail(Path("job.log"), DamagedFileError(path, "no JSON"))
    said = capsys.readouterr().err
    assert said.startswith(f"emonas: {path}: no JSON; make it again: snakemake ")
    assert f"--force {path}" in said


def test_another_error_goes_into_the_log_with_its_traceback(tmp_path, capsys):
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit) as caught:
        fail(log, ZeroDivisionError("oh"))
    assert caught.value.code == 1
    text = log.read_text()
    assert "this should not have happened; please report it" in text
    assert "Traceback" in text
    assert "in fail" in text
    assert "ZeroDivisionError: oh" in text
    assert "ZeroDivisionError: oh" in capsys.readouterr().err


def test_being_stopped_is_no_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        fail(tmp_path / "job.log", KeyboardInterrupt())
    assert caught.value.code == 130
    assert capsys.readouterr().err == "emonas: stopped: job\n"
    assert "Traceback" not in (tmp_path / "job.log").read_text()


def test_a_job_that_ends_well_goes_on_and_leaves_no_handler(tmp_path):
    before = list(logging.getLogger("emonas").handlers)
    for number in (1, 2):
        with logged_job(tmp_path / f"{number}.log"):
            report_line(f"ü {number}")
    report_line("afterwards")
    assert logging.getLogger("emonas").handlers == before
    for number in (1, 2):
        lines = (tmp_path / f"{number}.log").read_text(encoding="utf-8").splitlines()
        assert [line.split(" ", 1)[1] for line in lines] == [f"ü {number}"]


def test_a_log_is_written_anew(tmp_path):
    (tmp_path / "job.log").write_text("of the run before\n")
    with logged_job(tmp_path / "job.log"):
        pass
    assert (tmp_path / "job.log").read_text() == ""


def test_every_step_is_logged_and_some_are_shown(tmp_path, capsys):
    with logged_job(tmp_path / "job.log"):
        quiet, loud = Progress("train a", 3, every=1e9), Progress("train b", 3, every=0.0)
        for done in (1, 2):
            quiet.step(done, "loss 0.5")
            loud.step(done, "loss 0.5")
    log = (tmp_path / "job.log").read_text()
    for name in "ab":
        assert f"train {name}: 1 of 3, loss 0.5" in log
        assert f"train {name}: 2 of 3, loss 0.5" in log
    assert capsys.readouterr().err.splitlines() == [
        "  train b: 1 of 3, loss 0.5",
        "  train b: 2 of 3, loss 0.5",
    ]


def test_the_process_of_a_failed_job_ends_with_1(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from emonas.errors import EmonasError; from emonas.jobs import logged_job\n"
        "with logged_job(Path(sys.argv[1])):\n    raise EmonasError('mend it')\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "job.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "emonas: mend it\n")
