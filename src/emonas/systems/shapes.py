"""What goes into a network and what comes out of it, as far as files and folds decide it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emonas.kinds import kind_module
from emonas.systems.options import SystemOptions

NO_DOMAIN = ""
"""The one domain of a protocol that tells none apart."""


@dataclass(frozen=True)
class NetworkShape:
    """Inputs and outputs of a network.

    Args:
        widths: features a frame of each stream.
        classes: how many there are, over all domains.
        names: each stream's feature, with its layer where it has any.
        vectors: of each stream whether it has one vector an utterance, and no frames.
        domains: the numbers of the classes that occur in each domain, by its name; empty for a
            network that knows no domains.
        tasks: the answers to each task beside the classes, by its name; of asr the characters.
        checkpoint: the verified weights that the network begins with, and whose sizes it has;
            none for one that is made anew.
    """

    widths: tuple[int, ...]
    classes: int
    names: tuple[str, ...] = ()
    vectors: tuple[bool, ...] = ()
    domains: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    tasks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    checkpoint: Path | None = None


def knows_domains(options: SystemOptions) -> bool:
    """Whether a kind of system treats the domains of a protocol, such as languages, apart."""
    return getattr(kind_module("network", options.network), "DOMAINS", False)


def classes_by_domain(
    domains: Iterable[str], labels: Iterable[str], classes: Sequence[str]
) -> dict[str, tuple[int, ...]]:
    """The numbers of each domain's classes, from the domain and label of every utterance that is
    learnt from.
    """
    found: dict[str, set[int]] = {}
    for domain, label in zip(domains, labels, strict=True):
        found.setdefault(domain, set()).add(classes.index(label))
    return {domain: tuple(sorted(found[domain])) for domain in sorted(found)}
