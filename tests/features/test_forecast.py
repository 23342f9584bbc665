"""What a job says of its size and time: figures counted by hand, and by the clock of the test."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from emonas.features import forecast
from emonas.features.batches import batches_by_length
from emonas.features.extraction import ExtractorOptions, Resources
from emonas.features.extractors import fbank, spectrogram
from emonas.features.forecast import Forecast
from emonas.features.job import FeatureJob, extract_feature
from emonas.learning.options import RuntimeOptions
from emonas.storage.manifest import Utterance, write_manifest

SECONDS = [20.0, 20.0, 10.0, 10.0, 5.0, 5.0, 5.0, 5.0]


@pytest.fixture
def said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[..., list[str]]:
    """Forecasts batches of 20 s, each of which takes 10 s on the clock and gives 3 million numbers.

    Gives what was said.
    """
    caplog.set_level(logging.INFO, "emonas")

    def told(done: int = 0, **options: object) -> list[str]:
        clock = [0.0]
        monkeypatch.setattr(forecast.time, "monotonic", lambda: clock[0])
        rows = pd.DataFrame({"utterance": list("abcdefgh"), "seconds": SECONDS})
        batches = batches_by_length(rows, 20.0)
        assert [len(batch) for batch in batches] == [1, 1, 2, 4]
        batches = batches[done:]
        made = Forecast("f of c", rows, batches, **options)
        for batch in batches:
            clock[0] += 10.0
            arrays = [np.zeros((1, 3_000_000 // len(batch)), np.float32) for _ in range(len(batch))]
            made.step(arrays, 4)
        return caplog.messages

    return told


def test_size_and_time_go_with_the_audio(said, capsys):
    """12 MB for 20 s of 80 s; two batches are still to come, of 20 s of audio each."""
    assert said() == ["f of c: 8 of 8 utterances, 1.3 min", "f of c: about 48 MB, 20 s to go"]
    assert capsys.readouterr().err == "  f of c: about 48 MB, 20 s to go\n"


def test_where_each_utterance_takes_the_same_place_they_are_counted(said):
    """12 MB for one of eight."""
    assert said(fixed_length=True)[1] == "f of c: about 96 MB, 20 s to go"


def test_short_utterances_count_as_the_least(said):
    """Each of eight is work of 30 s, and six are to come; the file goes with the audio still."""
    assert said(least=30.0) == [
        "f of c: 8 of 8 utterances, 1.3 min",
        "f of c: about 48 MB, 60 s to go",
    ]


def test_what_an_earlier_job_did_is_in_the_file_and_takes_no_time(said):
    """Of three batches the second, twice 10 s, is measured; one is left, of four times 5 s."""
    assert said(done=1) == ["f of c: 7 of 8 utterances, 1.0 min", "f of c: about 48 MB, 10 s to go"]


@pytest.mark.parametrize("done", [2, 3, 4])
def test_nothing_is_foretold_where_nothing_is_measured_or_to_come(said, done):
    assert len(said(done=done)) == 1


@pytest.mark.parametrize("options", [fbank.Options(bands=80), spectrogram.Options()])
def test_a_real_job_foretells_the_size_of_its_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, options: ExtractorOptions
) -> None:
    """Batches of 60 s: frames go with the audio, and images do not."""
    caplog.set_level(logging.INFO, "emonas")
    rows = []
    for index in range(60):
        seconds = 8.0 - index / 8
        audio = tmp_path / f"u{index:02}.wav"
        noise = np.random.default_rng(index).normal(0, 0.1, round(16000 * seconds))
        soundfile.write(audio, noise, 16000)
        rows.append(
            Utterance(f"u{index}", str(audio), "c", "", "s", "", "", "", "", "", seconds, 16000, "")
        )
    write_manifest(tmp_path / "manifest.csv", rows)
    job = FeatureJob(
        corpus="c",
        feature="f",
        options=options,
        manifest=tmp_path / "manifest.csv",
        resources=Resources(RuntimeOptions()),
        resume=tmp_path / "resume",
        code="",
    )
    extract_feature(job, tmp_path / "f.h5")
    (foretold,) = re.findall(r"about (\d+) MB", "\n".join(caplog.messages))
    megabytes = (tmp_path / "f.h5").stat().st_size / 1e6
    assert float(foretold) == pytest.approx(megabytes, rel=0.02, abs=0.51)
