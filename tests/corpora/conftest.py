from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

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
