"""The names of the report's files, relative to its folder; the workflow declares them."""

from emonas.report import encoders
from emonas.report.figure_kinds import AnyFigureOptions
from emonas.report.plan import ReportPlan

FORMATS = ("csv", "md", "tex")
FOLDS = "folds"
"""The folder of the figures of other folds than the first: which there are, nobody knows before
the protocol is made, so that the workflow declares the folder alone.
"""
FOLD_FIGURE = FOLDS + "/{protocol}/{system}/{fold}-{drawing}.svg"
FOLD_CAPTIONS = "captions/folds.rst"
"""The captions of all of these, of which Snakemake shows each beside its figure."""


def overview_figure() -> str:
    """The best system of every protocol."""
    return "figures/overview.svg"


def overview_table() -> str:
    """The stem of the table of protocols, a line each."""
    return "tables/overview"


def left_out_table() -> str:
    """The stem of the table of what was not run."""
    return "tables/left-out"


def problems_table() -> str:
    """The stem of the table of files that could not be used as they are."""
    return "tables/problems"


def encoders_table() -> str:
    """The stem of the table of pretrained weights."""
    return "tables/encoders"


def numbers_of(figure: str) -> str:
    """The numbers that a figure shows, in a CSV beside it."""
    return f"{figure.removesuffix('.svg')}.csv"


def caption_of(file: str) -> str:
    """The caption of a figure or table, which quotes the settings."""
    return f"captions/{file.rpartition('.')[0]}.rst"


def systems_figure(protocol: str) -> str:
    """UA by fold of every system of a protocol."""
    return f"figures/{protocol}-systems.svg"


def confusion_figure(protocol: str, system: str) -> str:
    """The confusion matrix of a system."""
    return f"figures/{protocol}-{system}-confusion.svg"


def curves_figure(protocol: str, system: str) -> str:
    """Validation loss and UA by epoch of a system."""
    return f"figures/{protocol}-{system}-curves.svg"


def cells_figure(protocol: str, system: str, fold: str = "") -> str:
    """The cells that were searched for a system: the first fold and seed, or those of `fold`."""
    return _search_figure(protocol, system, "cells", fold)


def alphas_figure(protocol: str, system: str, fold: str = "") -> str:
    """The weights of the candidate operations by epoch: the first fold and seed, or those of
    `fold`.
    """
    return _search_figure(protocol, system, "alphas", fold)


def _search_figure(protocol: str, system: str, drawing: str, fold: str) -> str:
    if fold:
        return FOLD_FIGURE.format(protocol=protocol, system=system, fold=fold, drawing=drawing)
    return f"figures/{protocol}-{system}-{drawing}.svg"


def connections_table(protocol: str, system: str) -> str:
    """The stem of the table of the connections that were searched for a system."""
    return f"tables/{protocol}-{system}-connections"


def systems_table(protocol: str) -> str:
    """The stem of the table of a protocol's systems."""
    return f"tables/{protocol}-systems"


def card_table(protocol: str) -> str:
    """The stem of the card of a protocol."""
    return f"tables/{protocol}-card"


def utterances_table(protocol: str) -> str:
    """The stem of the table of a protocol's utterances and speakers, a row a fold and part."""
    return f"tables/{protocol}-utterances"


def ledger_table(protocol: str) -> str:
    """The stem of the table of what searches and trainings took, where anything was searched."""
    return f"tables/{protocol}-ledger"


def stability_table(protocol: str) -> str:
    """The stem of the table of how often what a search chose returns."""
    return f"tables/{protocol}-stability"


def choices_table(protocol: str, system: str) -> str:
    """The stem of the table of what the searches of a system chose, and how often."""
    return f"tables/{protocol}-{system}-choices"


def inflation_table(protocol: str) -> str:
    """The stem of the table of what habits of the field would add to a protocol's scores."""
    return f"tables/{protocol}-inflation"


def cost_table(protocol: str) -> str:
    """The stem of the table of what a protocol's systems cost in use."""
    return f"tables/{protocol}-cost"


def cost_figure(protocol: str) -> str:
    """UA of a protocol's systems against what they cost in use."""
    return f"figures/{protocol}-cost.svg"


def parts_table(protocol: str) -> str:
    """The stem of the table of a protocol's folds, with the sizes of their parts."""
    return f"tables/{protocol}-parts"


def classes_table(protocol: str) -> str:
    """The stem of the table of a protocol's classes, over all folds."""
    return f"tables/{protocol}-classes"


def map_table(protocol: str, corpus: str) -> str:
    """The stem of the table of what the emotions of another corpus count as."""
    return f"tables/{protocol}-transfer-{corpus}-map"


def comparisons_table(protocol: str) -> str:
    """The stem of the table of a protocol's systems in pairs."""
    return f"tables/{protocol}-comparisons"


def folds_table(protocol: str) -> str:
    """The stem of the table of every fold and seed of a protocol's systems."""
    return f"tables/{protocol}-folds"


def paper_table(table: str) -> str:
    """The stem of a paper's table."""
    return f"tables/{table}"


def transfer_table(protocol: str, corpus: str) -> str:
    """The stem of the table of a protocol's systems on another corpus."""
    return f"tables/{protocol}-transfer-{corpus}"


def domains_table(protocol: str) -> str:
    """The stem of the table of a protocol's systems by domain."""
    return f"tables/{protocol}-domains"


def paper_figure(figure: str) -> str:
    """A paper's figure; its numbers stand in the table of the same name."""
    return f"figures/{figure}.svg"


def figure_points(figure: str) -> str:
    """The points of a paper's figure of embeddings."""
    return f"{paper_table(figure)}.csv"


def figure_table(figure: str, options: AnyFigureOptions) -> str:
    """The stem of the table below a paper's figure: its numbers, or its panels where the numbers
    are points.
    """
    stem = paper_table(figure)
    return f"{stem}-panels" if options.kind == "embeddings" else stem


def recognition_table() -> str:
    """The stem of the table of error rates by corpus and recogniser."""
    return "tables/recognition"


def report_figures(plan: ReportPlan) -> list[str]:
    """The figures that will surely exist for a plan; each has a PNG of the same stem beside it."""
    names = [paper_figure(name) for name in plan.figures]
    if any(plan.systems[system].tells_emotions for run in plan.runs for system in run.systems):
        names.append(overview_figure())
    for protocol in plan.run_protocols():
        names.append(systems_figure(protocol))
        if any(plan.systems[system].tells_emotions for system in plan.run_systems(protocol)):
            names.append(cost_figure(protocol))
        for system in plan.run_systems(protocol):
            names.append(curves_figure(protocol, system))
            if plan.systems[system].tells_emotions:
                names.append(confusion_figure(protocol, system))
            if plan.systems[system].draws_cells:
                names.append(cells_figure(protocol, system))
            if plan.systems[system].draws_alphas(system):
                names.append(alphas_figure(protocol, system))
    return names


def report_tables(plan: ReportPlan) -> list[str]:
    """The tables that will exist for a plan, each in three formats, and the points of figures."""
    stems = [paper_table(name) for name in plan.tables]
    stems += [figure_table(name, options) for name, options in plan.figures.items()]
    stems += [overview_table(), left_out_table(), problems_table()]
    stems += [encoders_table()] if encoders.encoders_table(plan) else []
    for protocol in plan.run_protocols():
        stems += [systems_table(protocol), comparisons_table(protocol), folds_table(protocol)]
        stems += [card_table(protocol), utterances_table(protocol)]
        searched = [name for name in plan.run_systems(protocol) if plan.systems[name].search]
        emotional = any(plan.systems[name].tells_emotions for name in plan.run_systems(protocol))
        stems += [cost_table(protocol)] if emotional else []
        stems.append(inflation_table(protocol))
        stems += [ledger_table(protocol), stability_table(protocol)] if searched else []
        stems += [choices_table(protocol, name) for name in searched]
        gates = [name for name in searched if plan.systems[name].search == "gates"]
        stems += [connections_table(protocol, name) for name in gates]
        stems += [parts_table(protocol), classes_table(protocol)]
        stems += [domains_table(protocol)] if plan.protocols[protocol].domain else []
        stems += [transfer_table(protocol, corpus) for corpus in plan.protocols[protocol].transfer]
        stems += [map_table(protocol, corpus) for corpus in plan.protocols[protocol].transfer]
    if plan.recognition:
        stems.append(recognition_table())
    points = [
        figure_points(name) for name, said in plan.figures.items() if said.kind == "embeddings"
    ]
    return [*(f"{stem}.{suffix}" for stem in stems for suffix in FORMATS), *points]


def report_numbers(plan: ReportPlan) -> list[str]:
    """The numbers of the figures that will surely exist; those of papers are among the tables."""
    papers = {paper_figure(name) for name in plan.figures}
    return [numbers_of(name) for name in report_figures(plan) if name not in papers]


def captioned(plan: ReportPlan) -> list[str]:
    """The figures and tables that have a caption, a file each."""
    return [*report_figures(plan), *(name for name in report_tables(plan) if name.endswith(".csv"))]


def report_captions(plan: ReportPlan) -> list[str]:
    """The captions of the figures and tables."""
    return [*(caption_of(name) for name in captioned(plan)), FOLD_CAPTIONS]
