from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from emonas.corpora.job import write_corpus
from emonas.corpora.reading import ReaderOptions
from emonas.storage.manifest import read_manifest, read_problems

Tables = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture
def tone() -> Callable[..., Path]:
    """Writes half a second of a tone; `pitch` makes recordings differ."""

    def write(path: Path, pitch: float = 200, rate: int = 16000) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        seconds = np.arange(rate // 2) / rate
        samples = np.rint(10000 * np.sin(2 * np.pi * pitch * seconds)).astype(np.int16)
        soundfile.write(path, samples, rate, subtype="PCM_16")
        return path

    return write


@pytest.fixture
def written(tmp_path: Path) -> Callable[[ReaderOptions], Tables]:
    """Runs the job: gives the manifest by utterance, and the problems by the file's name."""

    def run(options: ReaderOptions) -> Tables:
        folder = tmp_path / "results of mine" / "mine"
        manifest, problems = folder / "manifest.csv", folder / "problems.csv"
        write_corpus("mine", options, manifest, problems)
        rows = read_problems(problems)
        rows.index = pd.Index([Path(file).name for file in rows["file"]])
        return read_manifest(manifest).set_index("utterance"), rows

    return run
