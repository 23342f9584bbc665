"""What figures of embeddings and of gates ask of the settings."""

from collections.abc import Iterable, Iterator
from typing import Any

from emonas.errors import EmonasError
from emonas.report.embeddings_options import EmbeddingsOptions
from emonas.report.gates_options import GatesOptions
from emonas.settings.columns import UsedDomain, check_domain, known_domains
from emonas.settings.messages import nearest
from emonas.systems.multilingual_options import GatedOptions

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


def domains_of_figures(settings: Any) -> Iterator[UsedDomain]:
    """Every domain that these figures name."""
    for name, figure in settings.figures.items():
        path = f"figures.{name}"
        if isinstance(figure, EmbeddingsOptions):
            for title, panel in figure.panels.items():
                if panel.domain is not None:
                    yield f"{path}.panels.{title}.domain", panel.protocol, panel.domain
        elif isinstance(figure, GatesOptions):
            for domain in figure.protocols:
                yield f"{path}.protocols", figure.protocol, domain
            for domain in (domain for bars in figure.bars() for domain in bars):
                yield f"{path}.published", figure.protocol, domain


def check_figures(settings: Any) -> None:
    """Check what these figures ask of names that are defined.

    Raises:
        EmonasError: a system is in no run of the protocol, a protocol has no such domain or part,
            or a feature is none that the system hears.
    """
    for path, protocol, domain in domains_of_figures(settings):
        check_domain(settings, path, protocol, domain)
    for name, figure in settings.figures.items():
        path = f"figures.{name}"
        if isinstance(figure, EmbeddingsOptions):
            for title, panel in figure.panels.items():
                _check_panel(settings, f"{path}.panels.{title}", panel)
        elif isinstance(figure, GatesOptions):
            _check_gates(settings, path, figure)


def _check_panel(settings: Any, path: str, panel: Any) -> None:
    _check_run(settings, f"{path}.system", panel.system, panel.protocol)
    protocol = settings.protocols[panel.protocol]
    if panel.part == "validation" and protocol.validation == "none" and protocol.test != "list":
        raise EmonasError(f"{path}.part: nobody validates in protocol {panel.protocol}")


def _check_gates(settings: Any, path: str, figure: GatesOptions) -> None:
    _check_run(settings, f"{path}.system", figure.system, figure.protocol)
    for feature in figure.single:
        _check_hears(settings, f"{path}.single", figure.system, feature)
    for feature in (name for bars in figure.bars() for domain in bars.values() for name in domain):
        _check_hears(settings, f"{path}.published", figure.system, feature)
    for feature, system in figure.single.items():
        _check_alone(settings, f"{path}.single.{feature}", system, feature)
        for protocol in _protocols_of_singles(settings, figure):
            _check_run(settings, f"{path}.single.{feature}", system, protocol)
    weighed = settings.systems[figure.system]
    if not isinstance(weighed, GatedOptions):
        raise EmonasError(
            f"{path}.system: {figure.system} ({getattr(weighed, 'network', 'a fusion')}) weighs no "
            "features; name one of omoe, mmoe or multi-gating"
        )


def _check_hears(settings: Any, path: str, system: str, feature: str) -> None:
    heard = [entry.feature for entry in getattr(settings.systems[system], "inputs", ())]
    if feature not in heard:
        raise EmonasError(f"{path}: {system} hears no feature {feature}{nearest(feature, heard)}")


def _check_alone(settings: Any, path: str, system: str, feature: str) -> None:
    _check_hears(settings, path, system, feature)
    heard = dict.fromkeys(entry.feature for entry in settings.systems[system].inputs)
    if len(heard) > 1:
        raise EmonasError(
            f"{path}: {system} hears {', '.join(heard)}; name a system that hears {feature} alone"
        )


def _protocols_of_singles(settings: Any, figure: GatesOptions) -> Iterable[str]:
    """The protocols that the systems of one feature must be run under."""
    named = dict.fromkeys(figure.protocols.values())
    known = known_domains(settings.protocols[figure.protocol])
    if not named or any(domain not in figure.protocols for domain in known):
        named |= {figure.protocol: None}
    return named


def _check_run(settings: Any, path: str, system: str, protocol: str) -> None:
    run = [name for entry in settings.runs if entry.protocol == protocol for name in entry.systems]
    if system not in run:
        raise EmonasError(
            f"{path}: {system} is in no run of protocol {protocol}{nearest(system, run)}"
        )
