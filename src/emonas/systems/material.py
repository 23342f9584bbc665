"""The files that a system is made from, each held against its digest."""

from __future__ import annotations

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
    found = {
        feature: {corpus: _Found.of(path) for corpus, path in files.items()}
        for feature, files in paths.items()
    }
    _refuse_others(features, paths, found)
    for feature, entry in features.items():
        _refuse_other_weights(entry["checkpoint"], paths[feature], found[feature])
        shapes = {corpus: one.shape for corpus, one in found[feature].items()}
        if len(set(shapes.values())) > 1:
            told = "; ".join(f"{corpus}: {shape}" for corpus, shape in shapes.items())
            raise EmonasError(
                f"features.{feature}: differs between the corpora ({told}); write it alike for all"
            )
    return paths


@dataclass(frozen=True)
class _Found:
    """What a feature file says of itself: the digests of what made it, and its shape in words."""

    digest: str
    checkpoint: str
    shape: str

    @classmethod
    def of(cls, path: Path) -> _Found:
        with FeatureFile(path) as file:
            facts, width, vectors = file.facts, file.width, file.of_vectors
        form = "one vector an utterance" if vectors else f"{facts.frame_rate:g} frames a second"
        shape = f"{len(facts.layers)} layers, {form}, {width} features"
        return cls(facts.digest, facts.checkpoint, shape)


_AllFound = Mapping[str, Mapping[str, _Found]]


def _refuse_others(
    features: Mapping[str, Mapping[str, Any]], paths: FeaturePaths, found: _AllFound
) -> None:
    """Refuse files that are not those of the settings, all at once, as a change of code makes all
    of them such.
    """
    others = [
        paths[feature][corpus]
        for feature, entry in features.items()
        for corpus, one in found[feature].items()
        if one.digest != entry["digest"]
    ]
    if others:
        more = f", like {len(others) - 1} more" if len(others) > 1 else ""
        raise EmonasError(
            f"{others[0]}: was made with other options, weights or code than the settings name"
            f"{more}; {make_again(*others)}"
        )


def _refuse_other_weights(
    record: str, paths: Mapping[str, Path], found: Mapping[str, _Found]
) -> None:
    weights = read_record(Path(record)).digest if record else ""
    for corpus, one in found.items():
        if one.checkpoint != weights:
            raise EmonasError(
                f"{paths[corpus]}: was made with other weights than those of "
                f"{record or 'the settings'}; {make_again(paths[corpus])}"
            )


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
