"""From the results of a run to the folder of an exported system."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from emonas import __version__
from emonas.checkpoints.checkpoint import Checkpoint
from emonas.checkpoints.recorded import read_record
from emonas.errors import EmonasError
from emonas.export.card import write_card
from emonas.export.choosing import Chosen, refuse_before_run
from emonas.export.contract import (
    ExportedCheckpoint,
    ExportedFeature,
    ExportedModel,
    ExportedSystem,
    write_model,
    write_shape,
)
from emonas.export.graphs.write import refuse_missing_packages, write_graphs
from emonas.export.held_answers import hold_answers
from emonas.export.model import verified_checkpoints
from emonas.jobs import report_line
from emonas.settings.plan import Plan
from emonas.storage.folds import read_index
from emonas.storage.predictions import Predictions, read_predictions
from emonas.storage.weights import read_weights
from emonas.systems.learnt_shape import learnt_parts, learnt_shape
from emonas.systems.material import FeaturePaths, Material, feature_paths
from emonas.systems.shapes import NetworkShape

RESULTS = Path("results")


def export_system(
    plan: Plan,
    chosen: Chosen,
    folds: Sequence[str],
    output: Path,
    settings: Path,
    results: Path = RESULTS,
    *,
    onnx: bool = False,
    tell: Callable[[str], object] = report_line,
) -> ExportedModel:
    """Write a system that was run, of one seed and the given folds (all where none are), into a
    folder that is not there yet; `settings` is the file that it was run from. With `onnx` each fold
    has a graph too, where the system allows it. What could not be checked is told.

    Raises:
        EmonasError: the folder is there, a result is missing or damaged, the system hears what
            can't be computed from a recording or answers otherwise than in the run, or a package
            that graphs need is not installed.
    """
    if onnx:
        refuse_missing_packages()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise EmonasError(f"{output}: is there already; name a new folder, or delete this one")
    _refuse_unheard(plan, chosen.system)
    refuse_before_run(results, chosen.protocol, settings)
    there = list(read_index(results / "protocols" / chosen.protocol / "folds.csv")["fold"])
    if unknown := [fold for fold in folds if fold not in there]:
        raise EmonasError(
            f"--fold {unknown[0]}: {chosen.protocol} has no such fold; there are {', '.join(there)}"
        )
    kept = [fold for fold in there if not folds or fold in folds]
    part = output.with_name(f".{output.name}-new")
    shutil.rmtree(part, ignore_errors=True)
    try:
        writer = _Writer(plan, chosen, results, part)
        model = writer.write(kept)
        writer.hold(model, tell)
        if onnx:
            model = writer.with_graphs(model)
        write_card(part, plan, model, results, settings)
        if output.exists():
            output.rmdir()
        part.rename(output)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return model


def export_fold(
    plan: Plan, chosen: Chosen, fold: str, output: Path, results: Path = RESULTS
) -> ExportedModel:
    """Write one fold of a system that was run into a new folder, without a card.

    Raises:
        EmonasError: as of `export_system`.
    """
    _refuse_unheard(plan, chosen.system)
    return _Writer(plan, chosen, results, output).write([fold])


def _refuse_unheard(plan: Plan, system: str) -> None:
    """Refuse what can't be computed from a recording alone."""
    for feature in plan.features_of(system):
        options = plan.settings.features[feature]
        if options.reads and getattr(options, "transcript", None) is None:
            raise EmonasError(
                f"features.{feature}: reads the words that the corpus tells, which nobody knows of "
                f"a new recording; export a system that reads a transcript"
            )
        if not (options.hears or options.reads):
            raise EmonasError(
                f"features.{feature}: comes from files of your own, and not from a recording, so "
                f"that {system} can't hear a new one; export a system of other features"
            )


class _Writer:
    """One export in the making."""

    def __init__(self, plan: Plan, chosen: Chosen, results: Path, folder: Path) -> None:
        self._plan = plan
        self._chosen = chosen
        self._results = results
        self._folder = folder
        trained = plan.trained_of(chosen.system)
        self._trained = trained
        self._systems = [*trained, *([] if chosen.system in trained else [chosen.system])]

    def write(self, folds: Sequence[str]) -> ExportedModel:
        """All folds, and what they share."""
        # Of all systems at once, so that all feature files that are others now are told together.
        self._feature_paths(self._chosen.system)
        shapes = [self._fold(fold) for fold in folds]
        model = ExportedModel(
            emonas=__version__,
            system=self._chosen.system,
            protocol=self._chosen.protocol,
            seed=self._chosen.seed,
            folds={
                fold: self._predictions(self._chosen.system, fold, "test").classes for fold in folds
            },
            domains=tuple(dict.fromkeys(name for shape in shapes for name in shape.domains)),
            systems={name: self._system(name) for name in self._systems},
            features={name: self._feature(name) for name in self._features()},
            transcripts={name: self._transcript(name) for name in self._transcripts()},
            checkpoints={name: self._checkpoint(name) for name in self._checkpoints()},
        )
        write_model(self._folder, model)
        return model

    def hold(self, model: ExportedModel, tell: Callable[[str], object]) -> None:
        """Hold what each fold answers against the run; where weights that it refers to are not to
        be had, tell that nobody did.
        """
        try:
            found = _begun_with(model)
        except EmonasError as error:
            tell(f"the answers were not held against the run: {error}")
            return
        system = self._chosen.system
        features = self._feature_paths(system)
        for fold, test in self._tests(model).items():
            predictions = self._run(system, fold) / "predictions.h5"
            hold_answers(self._folder, fold, model, found, features, test, predictions)

    def with_graphs(self, model: ExportedModel) -> ExportedModel:
        """The graphs of all folds, and what `model.json` says of them."""
        features = self._feature_paths(self._chosen.system)
        graphs = write_graphs(self._folder, model, features, self._tests(model), _begun_with(model))
        told = model.model_copy(update={"onnx": graphs})
        write_model(self._folder, told)
        return told

    def _feature_paths(self, system: str) -> FeaturePaths:
        corpora = self._plan.corpora_of(self._chosen.protocol)
        return feature_paths(self._plan.feature_paths(system, corpora))

    def _tests(self, model: ExportedModel) -> dict[str, Path]:
        protocol = self._results / "protocols" / self._chosen.protocol
        return {fold: protocol / fold / "test.csv" for fold in model.folds}

    def _fold(self, fold: str) -> NetworkShape:
        """The files of a fold; gives the shape of the first network that hears."""
        shapes = {name: self._trained_shape(name, fold) for name in self._trained}
        for name, shape in shapes.items():
            self._copy(name, fold, shape)
        if self._chosen.system not in self._trained:
            streams = [self._predictions(name, fold, "test") for name in self._trained]
            widths = tuple(stream.embedding.shape[1] for stream in streams)
            fused = NetworkShape(widths, len(streams[0].classes), tuple(self._trained))
            self._copy(self._chosen.system, fold, fused)
        return shapes[self._trained[0]]

    def _trained_shape(self, name: str, fold: str) -> NetworkShape:
        options = self._plan.settings.systems[name]
        features = self._feature_paths(name)
        heard = [self._predictions(name, fold, part) for part in learnt_parts(options)]
        return learnt_shape(options, Material(features), heard)

    def _copy(self, name: str, fold: str, shape: NetworkShape) -> None:
        source, target = self._run(name, fold), self._folder / fold / name
        target.mkdir(parents=True)
        weights = source / "weights.safetensors"
        if not weights.exists():
            raise EmonasError(
                f"{weights}: these weights were not kept, or are not trained yet; run the "
                "workflow with `keep: all`"
            )
        read_weights(weights)  # so that damage is told of the file that can be made again
        shutil.copyfile(weights, target / "weights.safetensors")
        write_shape(target / "shape.json", shape)
        genotype = self._genotype(name, fold)
        if genotype is not None:
            shutil.copyfile(genotype, target / "genotype.json")

    def _run(self, name: str, fold: str) -> Path:
        chosen = self._chosen
        stage = self._plan.stage_of(name)
        return self._results / stage / chosen.protocol / name / f"seed{chosen.seed}" / fold

    def _predictions(self, name: str, fold: str, part: str) -> Predictions:
        path = self._run(name, fold) / "predictions.h5"
        if not path.exists():
            raise EmonasError(f"{path}: this is not there yet; run the workflow first")
        return read_predictions(path, part)

    def _genotype(self, name: str, fold: str) -> Path | None:
        plan, chosen = self._plan, self._chosen
        if plan.is_fused(name) or not plan.is_searched(name):
            return None
        if plan.uses_shared_search(name):
            index = self._results / "protocols" / chosen.protocol / "folds.csv"
            fold = read_index(index)["fold"].iloc[0]
        folder = self._results / "search" / chosen.protocol / plan.searcher_of(name)
        return folder / f"seed{chosen.seed}" / fold / "genotype.json"

    def _system(self, name: str) -> ExportedSystem:
        options = self._plan.settings.systems[name]
        fuses = self._plan.is_fused(name)
        return ExportedSystem(
            fuses=fuses,
            options=options.model_dump(mode="json", exclude=None if fuses else {"search"}),
            searched=not fuses and self._plan.tests_searched(name),
            checkpoint=getattr(options, "checkpoint", None),
        )

    def _features(self) -> list[str]:
        return self._plan.features_of(self._chosen.system)

    def _feature(self, name: str) -> ExportedFeature:
        options = self._plan.settings.features[name].model_dump(mode="json")
        return ExportedFeature(options=options, layers=tuple(self._plan.layers_of(name)))

    def _transcripts(self) -> list[str]:
        features = self._plan.settings.features
        named = [getattr(features[name], "transcript", None) for name in self._features()]
        return list(dict.fromkeys(name for name in named if name is not None))

    def _transcript(self, name: str) -> dict[str, object]:
        options: dict[str, object] = self._plan.settings.transcripts[name].model_dump(mode="json")
        return options

    def _checkpoints(self) -> list[str]:
        settings = self._plan.settings
        users: Iterable[object] = [
            *(settings.features[name] for name in self._features()),
            *(settings.transcripts[name] for name in self._transcripts()),
            *(settings.systems[name] for name in self._trained),
        ]
        named = [getattr(options, "checkpoint", None) for options in users]
        return list(dict.fromkeys(name for name in named if name is not None))

    def _checkpoint(self, name: str) -> ExportedCheckpoint:
        record = read_record(self._results / "checkpoints" / f"{name}.json")
        return ExportedCheckpoint(
            options=self._plan.settings.checkpoints[name], digest=record.digest
        )


def _begun_with(model: ExportedModel) -> dict[str, Checkpoint]:
    """The verified weights that its networks begin with."""
    needed = {system.checkpoint for system in model.systems.values()}
    weights = {name: one for name, one in model.checkpoints.items() if name in needed}
    return verified_checkpoints(weights, {})
