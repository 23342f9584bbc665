"""What of a system that can't be timed is told."""

import pytest

from emonas.errors import EmonasError
from emonas.export import timing
from emonas.export.stopwatch import Asked


def asked(tmp_path):
    return Asked(
        folder=tmp_path / "no system",
        recording=tmp_path / "speech.wav",
        speech=10.0,
        rate=16000,
        device="cpu",
        threads=1,
    )


def test_what_a_process_says_of_a_system_is_the_error(tmp_path):
    with pytest.raises(EmonasError, match=r"no system: there is no such folder"):
        timing.timed(asked(tmp_path), tmp_path)


def test_a_process_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "PATIENCE", 0.05)
    with pytest.raises(EmonasError, match=r"cpu: 10 s of speech took more than 0\.05 s"):
        timing.timed(asked(tmp_path), tmp_path)
