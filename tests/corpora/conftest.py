import os
from collections.abc import Callable, Iterable
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


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Path]]:
    """Links one short tone to each of the paths below a root, of one suffix; gives the paths."""

    def link(root: Path, names: Iterable[str], rate: int, subtype: str = "PCM_16") -> list[Path]:
        paths = [root / name for name in names]
        tone = tmp_path_factory.mktemp("tone") / f"tone{paths[0].suffix}"
        samples = 0.3 * np.sin(np.arange(rate // 16) / 30)
        soundfile.write(tone, samples, rate, subtype=subtype)
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(tone, path)
        return paths

    return link


@pytest.fixture(scope="session")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[ReaderOptions], Tables]:
    """As `written`, for the trees that a module shares."""

    def run(options: ReaderOptions) -> Tables:
        folder = tmp_path_factory.mktemp("listed")
        manifest, problems = folder / "manifest.csv", folder / "problems.csv"
        write_corpus("mine", options, manifest, problems)
        return read_manifest(manifest).set_index("utterance"), read_problems(problems)

    return run
