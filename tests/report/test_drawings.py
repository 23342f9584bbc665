"""The processes that draw figures."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import os, time
from functools import partial
from pathlib import Path
import emonas.report.drawings as drawings

def draw(name):
    Path(name).write_text(f"{os.getpid()}\\n")
    time.sleep(1)

drawings._drawings = lambda protocol, folder: [partial(draw, "0"), partial(draw, "1")]
drawings.draw_figures([None], Path(), workers=2)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="several processes draw on Linux only")
@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_who_is_killed_leaves_no_process_that_draws(tmp_path, end):
    report = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=tmp_path)
    files = [tmp_path / "0", tmp_path / "1"]
    wait_for(lambda: all(file.exists() and file.read_text().endswith("\n") for file in files))
    workers = [Path("/proc", file.read_text().strip()) for file in files]
    getattr(report, end)()
    report.wait()
    wait_for(lambda: not any(worker.exists() for worker in workers))


def wait_for(condition):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < 60
        time.sleep(0.02)
