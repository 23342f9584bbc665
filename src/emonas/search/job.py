"""The stage's one job: a fold's training and validation part become a genotype."""

from dataclasses import dataclass
from pathlib import Path

from emonas.jobs import report_line
from emonas.kinds import kind_module
from emonas.learning.job import LearningJob
from emonas.search.outcome import SearchOptions, SearchOutcome, SearchProblem, SearchTask
from emonas.storage.cost import computed_in, write_epoch_costs
from emonas.storage.degenerate import degenerate
from emonas.storage.genotype import write_genotype
from emonas.storage.tables import write_rows
from emonas.storage.weights import write_weights
from emonas.systems.data import load_fold
from emonas.systems.material import FeaturePaths, Material, feature_files
from emonas.systems.options import TrainedOptions


@dataclass(frozen=True)
class SearchFiles:
    """The feature files that the system hears, and the parts of a fold that a search may see."""

    features: FeaturePaths
    train: Path
    validation: Path

    @property
    def paths(self) -> list[Path]:
        """All files."""
        return [self.train, self.validation, *feature_files(self.features)]


@dataclass(frozen=True, kw_only=True)
class SearchJob(LearningJob):
    """One search; `files` is None for a method on which no utterance has a say; `budget` is the
    `cost.csv` of the search that says how much may be computed, where there is one.
    """

    system: TrainedOptions
    search: SearchOptions
    files: SearchFiles | None
    budget: Path | None = None


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
    device = job.prepare()
    with job.resume_point("search", _inputs(job), system=job.system, search=job.search) as resume:
        task = SearchTask(job.system, job.seed, device, resume, job.name)
        outcome = _run(job, task)
        _write(outcome, output)
    for clause in degenerate(outcome.genotype):
        report_line(f"{job.name}: degenerate genotype: {clause}")
    report_line(f"{job.name}: {output.genotype} is written")


def _run(job: SearchJob, task: SearchTask) -> SearchOutcome:
    if job.files is not None:
        files = job.files
        data = load_fold(job.system, Material(files.features), files.train, files.validation)
        budget = None if job.budget is None else computed_in(job.budget)
        task = SearchProblem(**vars(task), data=data, budget=budget)
    outcome: SearchOutcome = kind_module("method", job.search.method).search(job.search, task)
    return outcome


def _write(outcome: SearchOutcome, output: SearchOutputs) -> None:
    write_weights(output.weights, outcome.weights)
    write_rows(output.history, outcome.history, None if outcome.history else ("epoch",))
    write_epoch_costs(output.costs, outcome.costs)
    write_genotype(output.genotype, outcome.genotype)


def _inputs(job: SearchJob) -> list[Path]:
    found = [] if job.files is None else job.files.paths
    others = getattr(job.search, "archive", None), job.budget
    return [*found, *(path for path in others if path is not None)]
