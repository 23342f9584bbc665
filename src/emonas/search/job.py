"""The stage's one job: a fold's training and validation part become a genotype."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonas.jobs import report_line
from emonas.kinds import kind_module
from emonas.learning.devices import prepare
from emonas.learning.options import RuntimeOptions
from emonas.learning.resume import resume_point
from emonas.learning.seeds import seed_of
from emonas.search.outcome import SearchOptions, SearchOutcome, SearchProblem
from emonas.storage.cost import write_epoch_costs
from emonas.storage.genotype import write_genotype
from emonas.storage.tables import write_rows
from emonas.storage.weights import write_weights
from emonas.systems.data import FeaturePaths, load_fold
from emonas.systems.options import SystemOptions


@dataclass(frozen=True)
class SearchJob:
    """One search.

    Args:
        name: protocol, system, seed and fold, such as `demo/cnn/seed0/group1`; seeds depend on it.
        system: options of the system.
        search: options of the search method, whose module is named as `search.method`.
        seed: the run's seed.
        features: feature files that the system hears.
        train: the fold's training part.
        validation: the fold's validation part.
        runtime: where it is computed.
        resume: the folder of what interrupted jobs left.
        code: digest of the code that searches.
    """

    name: str
    system: SystemOptions
    search: SearchOptions
    seed: int
    features: FeaturePaths
    train: Path
    validation: Path
    runtime: RuntimeOptions
    resume: Path
    code: str


@dataclass(frozen=True)
class SearchOutputs:
    """The files that a search writes."""

    genotype: Path
    history: Path
    costs: Path
    weights: Path


def search_architecture(job: SearchJob, output: SearchOutputs) -> None:
    """Search an architecture, and go on where an interrupted job of the same kind stopped.

    Raises:
        EmonasError: the method does not fit the system, or an input is damaged.
    """
    data = load_fold(job.system, job.features, job.train, job.validation)
    device = prepare(job.runtime, seed_of(job.seed, job.name))
    with resume_point(job.resume, "search", _params(job), _inputs(job)) as resume:
        problem = SearchProblem(job.system, data, job.seed, device, resume, job.name)
        outcome = _run(job.search, problem)
        _write(outcome, output)
    report_line(f"{job.name}: {output.genotype} is written")


def _run(options: SearchOptions, problem: SearchProblem) -> SearchOutcome:
    outcome: SearchOutcome = kind_module("method", options.method).search(options, problem)
    return outcome


def _write(outcome: SearchOutcome, output: SearchOutputs) -> None:
    write_weights(output.weights, outcome.weights)
    write_rows(output.history, outcome.history, None if outcome.history else ("epoch",))
    write_epoch_costs(output.costs, outcome.costs)
    write_genotype(output.genotype, outcome.genotype)


def _params(job: SearchJob) -> dict[str, Any]:
    return {
        "name": job.name,
        "seed": job.seed,
        "code": job.code,
        "system": job.system.model_dump(mode="json"),
        "search": job.search.model_dump(mode="json"),
        "runtime": job.runtime.model_dump(mode="json"),
    }


def _inputs(job: SearchJob) -> list[Path]:
    features = [
        path for _, paths in sorted(job.features.items()) for _, path in sorted(paths.items())
    ]
    archive = getattr(job.search, "archive", None)
    return [job.train, job.validation, *features, *([] if archive is None else [archive])]
