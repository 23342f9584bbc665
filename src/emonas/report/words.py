"""Plain words for settings, durations and genotypes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emonas.phrases import count
from emonas.report.plan import SystemCard

__all__ = [
    "count",
    "describe",
    "duration",
    "how_found",
    "listed",
    "memory",
    "option_pairs",
    "probability",
]


def listed(names: Iterable[str], word: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; or with another word before the last."""
    *head, last = list(names) or [""]
    return f"{', '.join(head)} {word} {last}" if head else last


def duration(seconds: float) -> str:
    """Wall time for people."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def memory(mebibytes: float) -> str:
    """Peak memory for people."""
    return f"{mebibytes / 1024:.1f} GiB" if mebibytes >= 1024 else f"{mebibytes:.0f} MiB"


def probability(value: float) -> str:
    """A p value for people: `p = 0.034`, `p < 0.001`."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def describe(name: str, card: SystemCard) -> str:
    """What a system of some name is, in a few words."""
    if card.kind == "fusion":
        method = card.options.get("method", "")
        return f"fusion of {listed(card.streams)}" + (f" by {method}" if method else "")
    text = f"{card.network} on {listed(card.inputs)}" if card.inputs else card.network
    if card.tasks:
        weights = "random weights" if card.random_encoder else card.checkpoint
        begins = f"{card.start} (of {weights})" if card.start else weights
        learnt = [task for task in card.tasks if task not in card.unlearnt]
        unlearns = f" and unlearns {listed(card.unlearnt)}" if card.unlearnt else ""
        text += f", learns {listed(learnt)}{unlearns}, from {begins} on"
    if not card.search:
        return text
    if card.searcher and card.searcher != name:
        return f"{text}, trained with what the search of {card.searcher} found"
    return f"{text}, {how_found(card)}" + ("" if card.retrain else ", as it was searched")


_FOUND = {
    "random": "drawn at random",
    "random-search": "the best of some drawn at random",
    "hand-made": "the best of those made by hand",
}


def how_found(card: SystemCard) -> str:
    """How a system's own search finds its architecture, and within which budget."""
    budget = f", at the budget of {card.budget}" if card.budget else ""
    return _FOUND.get(card.search, f"searched by {card.search}") + budget


def option_pairs(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Options as keys and texts; those that say nothing are left out."""
    said = {key: value for key, value in options.items() if value not in (None, "", [], (), {})}
    return [(key, _option(value)) for key, value in said.items()]


def _option(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {text}" for key, text in option_pairs(value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_option(inner) for inner in value)
    return str(value)
