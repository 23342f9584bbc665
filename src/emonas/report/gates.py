"""The papers' figures of gates: each feature alone, and its weight among all."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emonas.report.gates_options import GatesOptions
from emonas.report.options import Published
from emonas.report.own import Own, OwnFigures
from emonas.report.papers import NOT_RUN, reasons_of
from emonas.report.reached import deviation
from emonas.report.summary import INTERVAL_NOTE, chance, warnings
from emonas.report.tables import Column, Row, Table
from emonas.storage.metrics import Metrics, OfDomain

_GATES_NOTE = (
    "A weight is the mean over the domain's test utterances of all folds and seeds, that of a "
    "feature the sum over its layers; the weights of one utterance add up to one."
)


@dataclass(frozen=True)
class Bar:
    """A feature in a domain: the UA of its system or its weight, and what the paper prints."""

    domain: str
    feature: str
    own: Own
    published: Published | None


@dataclass(frozen=True)
class GateBars:
    """Both panels: a bar a domain and feature, in the same order."""

    domains: tuple[str, ...]
    features: tuple[str, ...]
    alone: tuple[Bar, ...]
    gates: tuple[Bar, ...]


def gate_bars(own: OwnFigures, options: GatesOptions) -> GateBars:
    """What a figure draws; a bar that was not run says why."""
    domains, features = _domains(own, options), _features(own, options)
    places = [(domain, feature) for domain in domains for feature in features]
    return GateBars(
        domains,
        features,
        alone=tuple(
            Bar(*place, _alone(own, options, *place), options.printed("ua", *place))
            for place in places
        ),
        gates=tuple(
            Bar(*place, _gate(own, options, *place), options.printed("gates", *place))
            for place in places
        ),
    )


def _domains(own: OwnFigures, options: GatesOptions) -> tuple[str, ...]:
    """The domains that any system has results of, those with a protocol of their own, and those
    that the paper prints.
    """
    systems = (options.system, *options.single.values())
    reached = [_metrics(own, system, options.protocol) for system in systems]
    found = [
        name for metrics in reached if isinstance(metrics, Metrics) for name in metrics.domains
    ]
    names = (*found, *options.protocols, *(name for bars in options.bars() for name in bars))
    # Where nothing was run, nobody knows the domains.
    return tuple(dict.fromkeys(names)) or ("",)


def _features(own: OwnFigures, options: GatesOptions) -> tuple[str, ...]:
    """The features with a system of their own, and all others that the gates weigh."""
    metrics = _metrics(own, options.system, options.protocol)
    found = metrics.domains.values() if isinstance(metrics, Metrics) else ()
    weighed = (_feature(stream, options) for domain in found for stream in domain.gates)
    printed = (name for bars in options.bars() for domain in bars.values() for name in domain)
    return tuple(dict.fromkeys((*options.single, *weighed, *printed)))


def gates_table(own: OwnFigures, name: str, options: GatesOptions, bars: GateBars) -> Table:
    """A row a domain and feature: the UA of the feature alone, and its weight."""
    rows = [_row(options, alone, gate) for alone, gate in zip(bars.alone, bars.gates, strict=True)]
    notes = tuple(dict.fromkeys(_notes(options, bars)))
    return Table(options.title or name, tuple(_columns(options, rows)), rows, notes)


def _row(options: GatesOptions, alone: Bar, gate: Bar) -> dict[str, Any]:
    low, high = alone.own.interval or (None, None)
    return {
        "domain": alone.domain,
        "feature": alone.feature,
        "system": options.single.get(alone.feature),
        "protocol": alone.own.protocol,
        "ua_published": alone.published,
        "ua": NOT_RUN if alone.own.missing else alone.own.value,
        "ua_std": alone.own.spread,
        "ua_low": low,
        "ua_high": high,
        "gate_published": gate.published,
        "gate": NOT_RUN if gate.own.missing else gate.own.value,
    }


def _columns(options: GatesOptions, rows: Iterable[Row]) -> Iterator[Column]:
    printed = {key for row in rows for key, value in row.items() if value is not None}
    yield Column("domain", "Domain")
    yield Column("feature", "Feature")
    yield Column("system", "Our system of it alone")
    yield Column("protocol", "Protocol")
    if "ua_published" in printed:
        yield Column("ua_published", "UA alone (%), published", "percent")
    yield Column("ua", "UA alone (%)", "percent", "ua_std", "ua" if "ua_low" in printed else "")
    if "gate_published" in printed:
        yield Column("gate_published", "Weight, published", "score")
    yield Column("gate", f"Weight in {options.system}", "score")


def _notes(options: GatesOptions, bars: GateBars) -> Iterator[str]:
    if options.source:
        yield f"From {options.source}."
    yield _GATES_NOTE
    for text, panel in (("{} alone", bars.alone), ("the weight of {}", bars.gates)):
        yield from reasons_of([(text.format(_place(bar)), bar.own) for bar in panel])
    yield from options.notes
    owns = [bar.own for bar in (*bars.alone, *bars.gates)]
    if any(own.interval for own in owns):
        yield INTERVAL_NOTE
    for own in owns:
        yield from own.warnings


def _place(bar: Bar) -> str:
    return f"{bar.feature} ({bar.domain})" if bar.domain else bar.feature


def _metrics(own: OwnFigures, system: str, protocol: str) -> Metrics | str:
    """What a system reached, or why there is nothing."""
    results = own.gathered.get(protocol)
    if results is None or system not in results.systems:
        return own.not_run(system, protocol)
    return results.systems[system].metrics


def _alone(own: OwnFigures, options: GatesOptions, domain: str, feature: str) -> Own:
    """The UA of a feature's own system in a domain."""
    if feature not in options.single:
        return Own()
    protocol = options.protocols.get(domain, options.protocol)
    metrics = _metrics(own, options.single[feature], protocol)
    if isinstance(metrics, str):
        return Own(missing=metrics)
    if domain in options.protocols:
        return _scored(own, metrics, metrics)
    found = metrics.domains.get(domain)
    if found is None:
        return Own(missing=_no_results(metrics, domain))
    return _scored(own, metrics, found)


def _scored(own: OwnFigures, metrics: Metrics, found: Metrics | OfDomain) -> Own:
    level, _ = chance(found.confusion)
    figure = found.figure("ua") if isinstance(found, Metrics) else found.ua
    return Own(
        value=figure.mean,
        spread=deviation(figure, metrics),
        interval=figure.interval,
        level=level,
        **_where(own, metrics),
    )


def _gate(own: OwnFigures, options: GatesOptions, domain: str, feature: str) -> Own:
    """The mean weight of a feature in a domain; empty where the gates don't weigh it."""
    metrics = _metrics(own, options.system, options.protocol)
    if isinstance(metrics, str):
        return Own(missing=metrics)
    if not any(found.gates for found in metrics.domains.values()):
        return Own(missing=f"{options.system} has no gates under {options.protocol}")
    found = metrics.domains.get(domain)
    if found is None:
        return Own(missing=_no_results(metrics, domain))
    weights = [found.gates[name] for name in found.gates if _feature(name, options) == feature]
    return Own(value=sum(weights) if weights else None, **_where(own, metrics))


def _feature(stream: str, options: GatesOptions) -> str:
    """The feature of a stream, which is named with its layer where the feature has any."""
    feature, _, _ = stream.rpartition(".")
    return feature if stream not in options.single and feature in options.single else stream


def _no_results(metrics: Metrics, domain: str) -> str:
    return f"{metrics.system} has no results of {domain} under {metrics.protocol}"


def _where(own: OwnFigures, metrics: Metrics) -> Mapping[str, Any]:
    """Where a figure was reached, and what must stand beside it."""
    results = own.gathered[metrics.protocol]
    return {
        "protocol": results.name,
        "synthetic": results.synthetic,
        "warnings": tuple(
            f"Own figures under {results.name}: {text}" for text in warnings(results)
        ),
    }
