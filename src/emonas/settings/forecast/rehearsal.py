"""What a job takes on this machine: the real job, once, on a few random examples."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emonas.features.extraction import Resources, Speech
from emonas.features.job import build_extractor
from emonas.fuse.job import FuseJob, fuse_streams
from emonas.kinds import kind_module, kind_options
from emonas.learning.options import RuntimeOptions
from emonas.search.job import SearchFiles, SearchJob, SearchOutputs, search_architecture
from emonas.settings.forecast.answers import rehearsable, write_answers
from emonas.settings.passes import is_solved
from emonas.storage.cost import NetworkCost, write_network_cost
from emonas.storage.features import Array, FeatureFacts, write_features
from emonas.storage.folds import PARTS, Part, write_part
from emonas.storage.predictions import Predictions, read_predictions, write_predictions
from emonas.storage.tables import read_table
from emonas.systems.material import Material
from emonas.systems.outputs import SystemOutputs
from emonas.train.job import TrainJob, train_system

CLASSES = 4
FEWEST = 2
SIZES = (FEWEST, 8, 32)
"""Utterances of a rehearsal: the next more is tried as long as the last took not too long."""
ENOUGH_SECONDS = 1.5
REHEARSAL = "rehearsal"
"""What its corpus and its jobs are called."""
FUSED_UTTERANCES = 64


@dataclass(frozen=True)
class Heard:
    """What an extractor gives: seconds an utterance, one example of it, names of layers, and how
    long the utterance of the example is.
    """

    seconds: float
    example: Array
    layers: tuple[str, ...]
    frame_rate: float
    length: float = 1.0


@dataclass(frozen=True)
class Fused:
    """Seconds an utterance and epoch of a fusion, its embedding's width, and its weights' bytes."""

    seconds: float
    width: int
    weights: int


@dataclass(frozen=True)
class Learnt:
    """Seconds an utterance and epoch of the search and of training, the embedding's width, and the
    bytes of the trained and of the searched network's weights.
    """

    search: float
    train: float
    width: int
    utterances: int
    weights: int = 0
    searched: int = 0


def rehearse_extraction(options: Any, seconds: float, resources: Resources) -> Heard | None:
    """Extract a feature from noise twice; None where it takes what is not there.

    Raises:
        EmonasError: the extractor can't be made.
    """
    module = kind_module("extractor", options.extractor)
    lacks_weights = hasattr(options, "checkpoint") and resources.checkpoint is None
    if not options.hears:
        return None
    if not options.missing and not lacks_weights:
        extractor = build_extractor(options, resources)
    elif hasattr(module, "untrained"):
        extractor = module.untrained(options, resources)
    else:
        return None
    samples = round(seconds * options.sampling_rate)
    noise = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    speech = Speech("noise", noise, "a few words")
    extractor.extract([speech])
    started = time.perf_counter()
    example = extractor.extract([speech])[0]
    taken = time.perf_counter() - started
    return Heard(taken, example, tuple(extractor.layers), extractor.frame_rate, seconds)


def rehearse_system(
    options: Any,
    heard: Mapping[str, Heard],
    runtime: RuntimeOptions,
    folder: Path,
    checkpoint: Path | None = None,
) -> Learnt:
    """Search and train a system for one epoch, first to warm up, then on as many as time allows.

    An epoch here is one batch. Small batches take longer an utterance, so this is an upper bound.
    A system that begins with weights which are not at hand is rehearsed with random ones.

    Raises:
        EmonasError: the system can't be searched or trained so.
    """
    options = rehearsable(options, checkpoint)
    learnt = _rehearse(options, heard, runtime, folder / "warm", SIZES[0], checkpoint)
    if _takes_long(learnt) and getattr(options, "search", None) is not None:
        # The first search on a machine compiles.
        learnt = _rehearse(options, heard, runtime, folder / "compiled", SIZES[0], checkpoint)
    for size in SIZES[1:]:
        # What takes long from the start is not measured again: there the first steps count little.
        slow = _takes_long(learnt) and not is_solved(options)
        if slow or learnt.utterances >= options.together:
            break
        count = min(size, options.together)
        learnt = _rehearse(options, heard, runtime, folder / str(size), count, checkpoint)
    return learnt


def _takes_long(learnt: Learnt) -> bool:
    return learnt.utterances * max(learnt.search, learnt.train) > ENOUGH_SECONDS


def rehearse_fusion(
    options: Any, widths: Mapping[str, int], runtime: RuntimeOptions, folder: Path
) -> Fused:
    """Train a fusion of streams with random embeddings.

    Raises:
        EmonasError: the streams can't be fused so.
    """
    generator = np.random.default_rng(0)
    for name, width in widths.items():
        parts: dict[str, Predictions] = {
            part: _random_predictions(generator, width) for part in PARTS
        }
        write_predictions(folder / f"{name}.h5", parts)
        write_network_cost(folder / f"{name}.json", NetworkCost(None, 1, 1, [[1, width]]))
    job = FuseJob(
        name=REHEARSAL,
        options=options.model_copy(update={"training": _one_epoch(options.training)}),
        seed=0,
        predictions={name: folder / f"{name}.h5" for name in widths},
        costs={name: folder / f"{name}.json" for name in widths},
        runtime=runtime,
        resume=folder / "resume",
        code="",
    )
    outputs = _outputs(folder / "fused")
    fuse_streams(job, outputs)
    seconds = _epoch_seconds(outputs.costs) / FUSED_UTTERANCES
    return Fused(seconds, _width(outputs), outputs.weights.stat().st_size)


def _rehearse(
    options: Any,
    heard: Mapping[str, Heard],
    runtime: RuntimeOptions,
    folder: Path,
    count: int,
    checkpoint: Path | None,
) -> Learnt:
    paths = {name: {REHEARSAL: folder / f"{name}.h5"} for name in heard}
    for number, (name, example) in enumerate(heard.items()):
        _write_random(paths[name][REHEARSAL], example, count + 2 * _held_out(count), number)
    parts = _write_parts(folder, count)
    system = _small_system(options, count)
    searched, genotype, searched_weights = 0.0, None, 0
    if getattr(options, "search", None) is not None:
        found = _search_outputs(folder)
        search = SearchJob(
            name=REHEARSAL,
            system=system,
            search=_small_search(options.search, count),
            seed=0,
            files=SearchFiles(paths, parts["train"], parts["validation"]),
            runtime=runtime,
            resume=folder / "resume",
            code="",
        )
        search_architecture(search, found)
        searched, genotype = _epoch_seconds(found.costs) / count, found.genotype
        searched_weights = found.weights.stat().st_size
    outputs = _outputs(folder)
    job = TrainJob(
        name=REHEARSAL,
        system=system,
        seed=0,
        material=Material(paths, write_answers(options, folder / REHEARSAL, parts), checkpoint),
        parts=parts,
        runtime=runtime,
        resume=folder / "resume",
        code="",
        genotype=genotype,
    )
    whole = _wall_seconds(lambda: train_system(job, outputs))
    seconds = whole if is_solved(options) else _epoch_seconds(outputs.costs)
    weights = outputs.weights.stat().st_size
    return Learnt(searched, seconds / count, _width(outputs), count, weights, searched_weights)


def _width(outputs: SystemOutputs) -> int:
    """The width of the embeddings that were predicted."""
    return int(read_predictions(outputs.predictions, "train").embedding.shape[1])


def _small_system(options: Any, count: int) -> Any:
    """The system without its search, trained for one epoch of one batch."""
    if not is_solved(options):
        training = _one_epoch(options.training, batch=count)
        options = options.model_copy(update={"training": training})
    return kind_options("network", options.model_dump(mode="json", exclude={"search"}))


def _small_search(options: Any, count: int) -> Any:
    """The search for one epoch, on one batch."""
    module = kind_module("method", options.method)
    if hasattr(module, "rehearsal"):
        options = module.rehearsal(options)
    elif hasattr(options, "epochs"):
        options = options.model_copy(update={"epochs": 1})
    return options.model_copy(update={"batch": count}) if hasattr(options, "batch") else options


def _one_epoch(training: Any, **changes: int) -> Any:
    return training.model_copy(update={"epochs": 1, "patience": None, **changes})


def _wall_seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _epoch_seconds(cost: Path) -> float:
    """Seconds of an epoch of one architecture."""
    rows = read_table(cost, ("seconds", "architectures"))
    if not len(rows):
        return 0.0
    architectures = max(1, int(rows["architectures"].astype(int).max()))
    return float(rows["seconds"].astype(float).max()) / architectures


def _write_random(path: Path, heard: Heard, count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    facts = FeatureFacts("rehearsal", {}, heard.frame_rate, heard.layers)
    with write_features(path, facts) as writer:
        for number in range(count):
            frames = generator.standard_normal(heard.example.shape).astype(np.float32)
            writer.append(f"u{number}", frames)


def _write_parts(folder: Path, count: int) -> dict[Part, Path]:
    """`count` utterances to train on, and others to validate and test on."""
    paths: dict[Part, Path] = {part: folder / f"{part}.csv" for part in PARTS}
    few, start = _held_out(count), 0
    for part, size in zip(PARTS, (count, few, few), strict=True):
        table = pd.DataFrame(
            {
                "utterance": [f"u{start + row}" for row in range(size)],
                "corpus": REHEARSAL,
                "label": [f"class{row % CLASSES}" for row in range(size)],
                "domain": "",
            }
        )
        write_part(paths[part], table)
        start += size
    return paths


def _held_out(count: int) -> int:
    """Utterances to validate on beside `count` to train on."""
    return max(FEWEST, count // 4)


def _search_outputs(folder: Path) -> SearchOutputs:
    return SearchOutputs(
        genotype=folder / "genotype.json",
        history=folder / "search-history.csv",
        costs=folder / "search-costs.csv",
        weights=folder / "searched.safetensors",
    )


def _outputs(folder: Path) -> SystemOutputs:
    return SystemOutputs(
        predictions=folder / "predictions.h5",
        history=folder / "history.csv",
        costs=folder / "costs.csv",
        cost=folder / "cost.json",
        weights=folder / "weights.safetensors",
    )


def predictions_file(path: Path, width: int, count: int, parts: int) -> int:
    """Write random predictions of so many utterances in parts; the bytes of the file."""
    generator = np.random.default_rng(0)
    found: dict[str, Predictions] = {
        f"part{part}": _random_predictions(generator, width, count // parts)
        for part in range(parts)
    }
    write_predictions(path, found)
    return path.stat().st_size


def _random_predictions(
    generator: np.random.Generator, width: int, count: int = FUSED_UTTERANCES
) -> Predictions:
    names = tuple(f"class{number}" for number in range(CLASSES))
    return Predictions(
        utterances=tuple(f"u{number}" for number in range(count)),
        corpora=(REHEARSAL,) * count,
        labels=tuple(names[number % CLASSES] for number in range(count)),
        classes=names,
        logits=generator.standard_normal((count, CLASSES)).astype(np.float32),
        embedding=generator.standard_normal((count, width)).astype(np.float32),
    )
