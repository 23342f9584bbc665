"""Captions that stand alone: what a file of the report shows, and under which settings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from emonas.report import names
from emonas.report.gather import ProtocolResults
from emonas.report.other_folds import fold_figures
from emonas.report.places import Place, place_of
from emonas.report.plan import ReportPlan
from emonas.report.protocol_card import protocol_facts
from emonas.report.summary import warnings
from emonas.report.words import count, describe, listed, option_pairs
from emonas.storage.atomic import write_text

_FEW = 6
_FOLD = "Fold {{ snakemake.wildcards.fold.replace('_', '\\\\_') }}, of the first seed.\n\n"
_SIGNS = "\\`*_|{}<>[]:#%"


def write_captions(plan: ReportPlan, gathered: Mapping[str, ProtocolResults], folder: Path) -> None:
    """Write the caption of every figure and table that is declared, in reStructuredText."""
    for file in names.captioned(plan):
        text = caption(plan, gathered, place_of(plan, file))
        write_text(folder / names.caption_of(file), text)
    write_text(folder / names.FOLD_CAPTIONS, _fold_captions(plan, gathered))


def caption(plan: ReportPlan, gathered: Mapping[str, ProtocolResults], place: Place) -> str:
    """What is shown, of which systems, under which protocols: a paragraph each."""
    said = _sentences(plan, gathered, place)
    return "\n\n".join(escape_rst(sentence) for sentence in said) + "\n"


def _fold_captions(plan: ReportPlan, gathered: Mapping[str, ProtocolResults]) -> str:
    """A template of Snakemake's, which has one caption for all that a pattern finds: the fold, and
    what is said of the drawing and the system whose names it fills in.
    """
    drawn = dict.fromkeys(replace(figure, fold="") for figure in fold_figures(gathered.values()))
    captions = [_FOLD] if drawn else []
    for figure in drawn:
        parts = (part for part in asdict(figure).items() if part[0] != "fold")
        own = " and ".join(f"snakemake.wildcards.{part} == '{name}'" for part, name in parts)
        text = caption(plan, gathered, figure.place)
        captions.append(f"{{% if {own} %}}\n{text}{{% endif %}}\n")
    return "".join(captions)


def _sentences(
    plan: ReportPlan, gathered: Mapping[str, ProtocolResults], place: Place
) -> Iterator[str]:
    yield place.shows
    for name in place.protocols:
        if name not in gathered:
            yield f"Protocol {name}: not run."
            continue
        protocol = gathered[name]
        yield _protocol(plan, protocol)
        systems = plan.run_systems(name)
        for system in place.systems or systems:
            if system in systems:
                yield _system(plan, system, systems[system], whole=bool(place.systems))
        yield from warnings(protocol)
    yield f"Settings: {plan.settings_file}."


def _protocol(plan: ReportPlan, protocol: ProtocolResults) -> str:
    facts = [f"{key.lower()}: {text}" for key, text in protocol_facts(plan, protocol)]
    folds = list(protocol.audit.folds)
    shown = f" ({', '.join(folds)})" if len(folds) <= _FEW else ""
    return f"Protocol {protocol.name}: {'; '.join([*facts, count(len(folds), 'fold') + shown])}."


def _system(plan: ReportPlan, name: str, seeds: Sequence[int], whole: bool) -> str:
    """A system with its seeds, and all of its options where it is `whole`."""
    card = plan.systems[name]
    word = "seed" if len(seeds) == 1 else "seeds"
    said = [describe(name, card), f"{word} {listed(map(str, seeds))}"]
    if whole:
        said += [f"{key.replace('_', ' ')}: {text}" for key, text in option_pairs(card.options)]
    return f"System {name}: {'; '.join(said)}."


def escape_rst(text: str) -> str:
    """Keep a text from being read as reStructuredText, or as a template of Snakemake's."""
    text = "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in " ".join(text.split()))
    # What stands first may begin a list or a directive.
    return text if text[:1].isalnum() or text.startswith("\\") else f"\\{text}"
