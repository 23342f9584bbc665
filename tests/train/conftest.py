from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emonas.kinds import kind_options
from emonas.learning.options import RuntimeOptions
from emonas.storage.features import FeatureFacts, write_features
from emonas.storage.folds import write_part
from emonas.systems.material import Material
from emonas.systems.outputs import SystemOutputs
from emonas.train.job import TrainJob, train_system

LABELS = ("sad", "angry", "neutral")
PARTS = {"train": range(24), "validation": range(24, 36), "test": range(36, 50)}
FILES = {
    "predictions": "predictions.h5",
    "history": "history.csv",
    "costs": "cost.csv",
    "cost": "cost.json",
    "weights": "weights.safetensors",
}


@dataclass
class Store:
    """A fold on disk; `frames` and `labels` by utterance may be changed before `write`."""

    folder: Path
    frames: dict[str, np.ndarray]
    labels: dict[str, str]
    parts: dict[str, list[str]]

    def write(self):
        path = self.folder / "f.h5"
        with write_features(self.folder / "new.h5", FeatureFacts("fbank", {}, 100.0)) as writer:
            for name, values in self.frames.items():
                writer.append(name, values)
        # A file that is written anew is another input, even with the same bytes.
        if not path.exists() or path.read_bytes() != (self.folder / "new.h5").read_bytes():
            (self.folder / "new.h5").replace(path)
        parts = {}
        for part, names in self.parts.items():
            parts[part] = self.folder / f"{part}.csv"
            table = pd.DataFrame({"utterance": names, "corpus": "toy", "domain": ""})
            table["label"] = [self.labels[name] for name in names]
            write_part(parts[part], table)
        return {"f": {"toy": path}}, parts

    def job(self, system, seed=0, manifests=None, **more):
        features, parts = self.write()
        return TrainJob(
            name="toy/system/seed0/fold0",
            system=kind_options("network", {"inputs": ["f"], **system}),
            seed=seed,
            material=Material(features, manifests or {}),
            parts=parts,
            runtime=RuntimeOptions(device="cpu"),
            resume=self.folder / "resume",
            code="1",
            **more,
        )

    def train(self, system, name="out", **more):
        """Train, and give the paths of what was written."""
        outputs = SystemOutputs(**{key: self.folder / name / file for key, file in FILES.items()})
        train_system(self.job(system, **more), outputs)
        return outputs


@pytest.fixture
def store(tmp_path):
    generator = np.random.default_rng(6)
    frames, labels = {}, {}
    for number in range(50):
        name = f'ü "{number * 7 % 50:02d}", a'
        values = generator.normal(size=(int(generator.integers(2, 9)), 4)) + 0.7 * (number % 3)
        frames[name], labels[name] = values.astype(np.float32), LABELS[number % 3]
    names = list(frames)
    parts = {part: [names[number] for number in numbers] for part, numbers in PARTS.items()}
    return Store(tmp_path / "a folder", frames, labels, parts)
