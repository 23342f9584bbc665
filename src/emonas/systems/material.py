"""The files that a system is made from, each held against its digest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emonas.checkpoints.record import read_checkpoint
from emonas.checkpoints.recorded import read_record
from emonas.errors import EmonasError, make_again
from emonas.storage.features import FeatureFile
from emonas.systems.task_targets import Manifests

FeaturePaths = Mapping[str, Mapping[str, Path]]
"""Paths of feature files, by feature and corpus."""


@dataclass(frozen=True)
class Material:
    """What a system is made from: feature files, for tasks beside emotion the manifests of the
    corpora that it learns from, and the verified weights that it begins with, where it needs such.
    """

    features: FeaturePaths
    manifests: Manifests = field(default_factory=dict)
    checkpoint: Path | None = None

    @property
    def files(self) -> list[Path]:
        """All files, in the order of their names."""
        manifests = [path for _, path in sorted(self.manifests.items())]
        return [*feature_files(self.features), *manifests, *filter(None, [self.checkpoint])]


def feature_paths(features: Mapping[str, Mapping[str, Any]]) -> FeaturePaths:
    """Paths of feature files from plain values, each file held against its digests.

    Args:
        features: by feature, `corpora` with a path a corpus, the `digest` of everything in the
            settings that the feature depends on, and as `checkpoint` the record of its verified
            weights, empty where it needs none.

    Raises:
        EmonasError: a file is damaged, or was made with other options, weights or code; the
            record of the weights is missing; or a feature has other layers, another frame rate or
            width in one corpus than in another.
    """
    paths = {
        feature: {corpus: Path(path) for corpus, path in entry["corpora"].items()}
        for feature, entry in features.items()
    }
    for feature, entry in features.items():
        record = entry["checkpoint"]
        weights = read_record(Path(record)).digest if record else ""
        shapes = {
            corpus: _checked(path, entry["digest"], weights, record)
            for corpus, path in paths[feature].items()
        }
        if len(set(shapes.values())) > 1:
            told = "; ".join(f"{corpus}: {shape}" for corpus, shape in shapes.items())
            raise EmonasError(
                f"features.{feature}: differs between the corpora ({told}); write it alike for all"
            )
    return paths


def _checked(path: Path, digest: str, weights: str, record: str) -> str:
    """The shape of a file's features in words, if the file is that of the settings."""
    with FeatureFile(path) as file:
        facts, width, vectors = file.facts, file.width, file.of_vectors
    if facts.digest != digest:
        raise EmonasError(
            f"{path}: was made with other options, weights or code than the settings name; "
            f"{make_again(path)}"
        )
    if facts.checkpoint != weights:
        raise EmonasError(
            f"{path}: was made with other weights than those of {record or 'the settings'}; "
            f"{make_again(path)}"
        )
    form = "one vector an utterance" if vectors else f"{facts.frame_rate:g} frames a second"
    return f"{len(facts.layers)} layers, {form}, {width} features"


def material(
    features: Mapping[str, Mapping[str, Any]], record: Path | None, manifests: Iterable[str]
) -> Material:
    """What a system is made from, by plain values, each file held against its digests.

    Args:
        features: as of `feature_paths`.
        record: that of the weights that the system begins with.
        manifests: paths, each in a folder named as its corpus.

    Raises:
        EmonasError: as of `feature_paths`, or the weights are gone or others now.
    """
    return Material(
        feature_paths(features),
        {path.parent.name: path for path in map(Path, manifests)},
        None if record is None else read_checkpoint(record).path,
    )


def feature_files(features: FeaturePaths) -> list[Path]:
    """All feature files, in the order of their names."""
    return [path for _, paths in sorted(features.items()) for _, path in sorted(paths.items())]
