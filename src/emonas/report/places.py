"""Where a file of the report belongs: to a protocol, a system, a paper; and what it shows."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from emonas.report.names import FOLD_FIGURE
from emonas.report.plan import ReportPlan

_OF_SYSTEMS = {
    "confusion": "Confusion matrix: rows are true classes, in percent of the row and in utterances "
    "over all seeds and folds.",
    "curves": "Validation loss and UA by epoch, a line a fold and seed, and their median.",
    "cells": "What the first of its searches found.",
    "alphas": "Mean weight of each candidate operation over the edges of a cell, by epoch of the "
    "first search.",
    "connections": "The connections that were searched, of every seed and fold.",
    "choices": "What its searches chose, and how often.",
}
_OF_FOLDS = {
    "cells": "What its search found.",
    "alphas": "Mean weight of each candidate operation over the edges of a cell, by epoch of its "
    "search.",
}
_OF_PROTOCOLS = {
    "systems": "UA and WA of every system, and what chance reaches.",
    "comparisons": "The systems in pairs: differences in points, with p by permutation of "
    "speakers, corrected by Holm's method.",
    "folds": "UA and WA of every fold and seed.",
    "card": "The protocol: who is tested on whom, what crosses, and what encoders heard before.",
    "utterances": "Utterances of each class, and the speakers, of each part of each fold.",
    "parts": "Speakers and utterances of each part of each fold.",
    "classes": "Utterances of each class in each part.",
    "cost": "What the systems cost in use, and which are worth it: the Pareto front.",
    "inflation": "What habits of the field that inflate scores would add.",
    "ledger": "What searches, and trainings beside them, took, by fold and seed.",
    "stability": "How often what a search chose returns over seeds and folds.",
    "domains": "UA and WA by domain.",
}
_OF_ALL = {
    "overview": "The system of the highest mean UA under every protocol, beside chance.",
    "left-out": "What was not run, and why.",
    "problems": "Files of the corpora that could not be used as they are.",
    "encoders": "Pretrained weights, and what they were trained on.",
    "recognition": "Error rates of the recognisers.",
}
REPORT, PAPERS = "Report", "Papers"
EVERY = "All systems"


@dataclass(frozen=True)
class Place:
    """What a file shows, in a word and in a sentence, and the protocols and systems that it is of;
    no systems are all of a protocol's.
    """

    word: str
    shows: str
    category: str
    protocols: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()

    @property
    def subcategory(self) -> str:
        """The system, where it is of one."""
        return self.systems[0] if len(self.systems) == 1 else EVERY


@dataclass(frozen=True)
class FoldFigure:
    """A drawing, such as `cells`, of a system's search in another fold than the first. Each part
    may be a wildcard of Snakemake's, which then stands in the file and the place.
    """

    protocol: str
    system: str
    drawing: str
    fold: str

    @property
    def file(self) -> str:
        """Relative to the report's folder."""
        return FOLD_FIGURE.format(**asdict(self))

    @property
    def place(self) -> Place:
        """Where it belongs, and what it shows."""
        return Place(
            f"{self.drawing} of {self.fold}",
            _OF_FOLDS.get(self.drawing, ""),
            f"Protocol {self.protocol}",
            (self.protocol,),
            (self.system,),
        )


def place_of(plan: ReportPlan, file: str) -> Place:
    """The place of a figure or table, by the name of its file."""
    stem = file.partition("/")[2].rpartition(".")[0]
    options: Any = plan.tables.get(stem) or plan.figures.get(stem.removesuffix("-panels"))
    if options is not None:
        source = f" ({options.source})" if options.source else ""
        said = set(_texts(options.model_dump()))
        return Place(
            stem,
            f"{options.title or stem}{source}.",
            PAPERS,
            tuple(name for name in plan.protocols if name in said),
            tuple(name for name in plan.systems if name in said),
        )
    if stem in _OF_ALL:
        return Place(stem, _OF_ALL[stem], REPORT, tuple(plan.run_protocols()))
    return max(_within(plan, stem), key=lambda found: len(found[0]))[1]


def _within(plan: ReportPlan, stem: str) -> Iterator[tuple[str, Place]]:
    """The protocols and systems that a file may be of, with what of its name says so."""
    yield "", Place(stem, f"{stem.replace('-', ' ')}.".capitalize(), REPORT)
    for protocol in plan.run_protocols():
        category = f"Protocol {protocol}"
        if stem.startswith(start := f"{protocol}-"):
            kind = stem.removeprefix(start)
            yield start, Place(kind, _shows(kind), category, (protocol,))
        for system in plan.run_systems(protocol):
            start = f"{protocol}-{system}-"
            if (kind := stem.removeprefix(start)) in _OF_SYSTEMS and stem.startswith(start):
                yield start, Place(kind, _OF_SYSTEMS[kind], category, (protocol,), (system,))


def _shows(kind: str) -> str:
    if kind.startswith("transfer-"):
        corpus = kind.removeprefix("transfer-")
        if corpus.endswith("-map"):
            return f"What the emotions of {corpus.removesuffix('-map')} count as."
        return f"UA and WA on {corpus}, on which the models of every fold are tested."
    return _OF_PROTOCOLS.get(kind, f"{kind.replace('-', ' ')}.".capitalize())


def _texts(value: Any) -> Iterator[str]:
    """Every text of options, keys aside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
