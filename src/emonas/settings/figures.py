"""What figures of embeddings and of gates ask of the settings."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from emonas.errors import EmonasError
from emonas.report.embeddings_options import EmbeddingsOptions
from emonas.report.gates_options import GatesOptions
from emonas.settings.messages import nearest

Use = tuple[str, str, str, Iterable[str]]
"""The path of a key, the kind of what it names, the name, and the names that there are."""


def uses_of_figures(settings: Any) -> Iterator[Use]:
    """Every name that these figures use, and what there is of its kind."""
    for name, figure in settings.figures.items():
        path = f"figures.{name}"
        if isinstance(figure, EmbeddingsOptions):
            for title, panel in figure.panels.items():
                here = f"{path}.panels.{title}"
                yield f"{here}.system", "system", panel.system, settings.systems
                yield f"{here}.protocol", "protocol", panel.protocol, settings.protocols
        elif isinstance(figure, GatesOptions):
            yield f"{path}.system", "system", figure.system, settings.systems
            yield f"{path}.protocol", "protocol", figure.protocol, settings.protocols
            for feature, system in figure.single.items():
                yield f"{path}.single.{feature}", "system", system, settings.systems
            for domain, protocol in figure.protocols.items():
                yield f"{path}.protocols.{domain}", "protocol", protocol, settings.protocols


def check_figures(settings: Any) -> None:
    """Check what these figures ask of names that are defined.

    Raises:
        EmonasError: a system is in no run of the protocol, a protocol has no such domain or part,
            or a feature is none that the system hears.
    """
    for name, figure in settings.figures.items():
        path = f"figures.{name}"
        if isinstance(figure, EmbeddingsOptions):
            for title, panel in figure.panels.items():
                _check_panel(settings, f"{path}.panels.{title}", panel)
        elif isinstance(figure, GatesOptions):
            _check_gates(settings, path, figure)


def _check_panel(settings: Any, path: str, panel: Any) -> None:
    _check_run(settings, f"{path}.system", panel.system, panel.protocol)
    if panel.domain is not None:
        _check_domain(settings, f"{path}.domain", panel.domain, panel.protocol)
    protocol = settings.protocols[panel.protocol]
    if panel.part == "validation" and protocol.validation == "none" and protocol.test != "list":
        raise EmonasError(f"{path}.part: nobody validates in protocol {panel.protocol}")


def _check_gates(settings: Any, path: str, figure: GatesOptions) -> None:
    _check_run(settings, f"{path}.system", figure.system, figure.protocol)
    printed = [(domain, bars[domain]) for bars in figure.bars() for domain in bars]
    for feature in figure.single:
        _check_hears(settings, f"{path}.single", figure.system, feature)
    for _, bars in printed:
        for feature in bars:
            _check_hears(settings, f"{path}.published", figure.system, feature)
    for domain in figure.protocols:
        _check_domain(settings, f"{path}.protocols", domain, figure.protocol)
    for domain, _ in printed:
        _check_domain(settings, f"{path}.published", domain, figure.protocol)
    for feature, system in figure.single.items():
        _check_hears(settings, f"{path}.single.{feature}", system, feature)
        for protocol in _protocols_of_singles(settings, figure):
            _check_run(settings, f"{path}.single.{feature}", system, protocol)


def _check_hears(settings: Any, path: str, system: str, feature: str) -> None:
    heard = [entry.feature for entry in getattr(settings.systems[system], "inputs", ())]
    if feature not in heard:
        raise EmonasError(f"{path}: {system} hears no feature {feature}{nearest(feature, heard)}")


def _protocols_of_singles(settings: Any, figure: GatesOptions) -> Iterable[str]:
    """The protocols that the systems of one feature must be run under."""
    named = dict.fromkeys(figure.protocols.values())
    known = _known_domains(settings.protocols[figure.protocol])
    if not named or any(domain not in figure.protocols for domain in known):
        named |= {figure.protocol: None}
    return named


def _check_run(settings: Any, path: str, system: str, protocol: str) -> None:
    run = [name for entry in settings.runs if entry.protocol == protocol for name in entry.systems]
    if system not in run:
        raise EmonasError(
            f"{path}: {system} is in no run of protocol {protocol}{nearest(system, run)}"
        )


def _check_domain(settings: Any, path: str, domain: str, protocol: str) -> None:
    """A domain is one of the protocol's, as far as the settings tell."""
    options = settings.protocols[protocol]
    if options.domain == "none":
        raise EmonasError(
            f"{path}: protocol {protocol} has no domains; give it `domain: language` or "
            "`domain: corpus`, or leave the domain out"
        )
    known = _known_domains(options)
    if known and domain not in known:
        raise EmonasError(
            f"{path}: protocol {protocol} has no domain {domain}{nearest(domain, known)}"
        )


def _known_domains(protocol: Any) -> Sequence[str]:
    """The domains of a protocol, as far as the settings tell: which languages a corpus has, its
    files say.
    """
    return tuple(protocol.corpora if protocol.domain == "corpus" else protocol.language)
