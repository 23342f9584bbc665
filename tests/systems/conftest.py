from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emonas.storage.features import FeatureFacts, write_features
from emonas.storage.folds import write_part

CLASSES = ("angry", "neutral", "sad")


@dataclass
class Fold:
    """A fold on disk: two corpora, a plain feature and one with layers."""

    folder: Path
    frames: dict
    parts: dict
    features: dict

    def table(self, part):
        return pd.read_csv(self.parts[part], dtype=str, keep_default_na=False)


@pytest.fixture
def fold(tmp_path):
    folder = tmp_path / "a folder"
    generator = np.random.default_rng(11)
    frames, features = {}, {"fbank": {}, "deep": {}}
    for corpus in ("one", "two"):
        for feature, layers in (("fbank", ()), ("deep", ("2", "12"))):
            path = folder / corpus / f"{feature}.h5"
            facts = FeatureFacts(feature, {}, 100.0, layers=layers)
            with write_features(path, facts) as writer:
                for number in range(30):
                    shape = (*([len(layers)] if layers else []), int(generator.integers(2, 9)), 4)
                    values = generator.normal(size=shape).astype(np.float32) + number % 3
                    frames[feature, corpus, f"u{number}"] = values
                    writer.append(f"u{number}", values)
            features[feature][corpus] = path
    rows = [
        {"utterance": f"u{n}", "corpus": c, "label": CLASSES[n % 3], "domain": ""}
        for c in ("one", "two")
        for n in range(30)
    ]
    parts = {}
    for part, numbers in (
        ("train", range(12)),
        ("validation", range(12, 20)),
        ("test", range(20, 30)),
    ):
        parts[part] = folder / f"{part}.csv"
        table = pd.DataFrame([row for row in rows if int(row["utterance"][1:]) in numbers])
        write_part(parts[part], table)
    return Fold(folder, frames, parts, features)
