"""Own figures for the papers' tables and figures, or why there are none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from emonas.errors import EmonasError
from emonas.report.gather import ProtocolResults
from emonas.report.labels import map_sentence
from emonas.report.options import ERROR_RATES, ColumnOptions, RowOptions
from emonas.report.plan import ReportPlan
from emonas.report.reached import deviation
from emonas.report.recognition import Rates, rate_warnings
from emonas.report.resolving import Running, protocol_of
from emonas.report.summary import across_warnings, chance, warnings
from emonas.report.tasks import TASK_METRICS
from emonas.report.words import listed
from emonas.storage.metrics import Bounds, Figure, Metrics, OfDomain, Transferred


@dataclass(frozen=True)
class Own:
    """One own figure; `missing` says why there is none.

    `stage` is the system that this one starts from and whose figure it is, where it is not its own;
    `protocol` is where it was reached, `search` the weights of the search network where the figure
    is a number of weights, `level` what chance reaches. `warnings` must stand beside it.
    """

    value: float | None = None
    spread: float | None = None
    interval: tuple[float, float] | None = None
    search: int | None = None
    level: float | None = None
    protocol: str = ""
    missing: str = ""
    stage: str = ""
    synthetic: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnFigures:
    """Everything that was reached, and the plan that says why something was not."""

    plan: ReportPlan
    gathered: Mapping[str, ProtocolResults]
    rates: Rates

    def of(
        self, path: str, name: str, column: ColumnOptions, row: RowOptions, default: str | None
    ) -> Own:
        """What a column shows of a row; an empty figure where the row has no such source.

        `path` is the row's in the settings, `name` the column's, `default` the protocol where
        neither names one.

        Raises:
            EmonasError: the row's system is not known, its protocol can't be told, or that has no
                such domain.
        """
        if column.metric in ERROR_RATES:
            return self._rate(column, row.transcript) if row.transcript else Own()
        if row.system is None:
            return Own()
        self._refuse_unknown(path, row.system)
        named = (column.protocol, row.protocol, default)
        known: list[Running] = [*self.plan.runs, *self.plan.skipped]
        protocol = protocol_of(path, row.system, named, known) or ""
        own = self._under(f"{path}: {name}", column, row.system, protocol)
        if column.less is None:
            return own
        other = self._under(f"{path}: {name}", column, row.system, column.less)
        return replace(
            _difference(own, other), interval=self._interval(column, row.system, protocol)
        )

    def _under(self, where: str, column: ColumnOptions, system: str, protocol: str) -> Own:
        """What a column shows of a system under a protocol."""
        results = self.gathered.get(protocol)
        if results is None or system not in results.systems:
            return Own(missing=self.not_run(system, protocol))
        metrics = results.systems[system].metrics
        if column.transfer is None:
            return self._within(where, column, results, metrics)
        return self._across(column, column.transfer, results, metrics)

    def _interval(self, column: ColumnOptions, system: str, protocol: str) -> Bounds | None:
        """That of the difference of a column with `less`, where both sides were run."""
        results = self.gathered.get(protocol)
        if results is None or results.differences is None or column.less is None:
            return None
        apart = results.differences.of(system, column.less)
        scores = apart if apart is None or column.domain is None else apart.domains[column.domain]
        if scores is None:
            return None
        return (scores.ua if column.metric == "ua" else scores.wa).interval

    def _within(
        self, where: str, column: ColumnOptions, results: ProtocolResults, metrics: Metrics
    ) -> Own:
        own = Own(
            protocol=results.name,
            synthetic=results.synthetic,
            warnings=_prefixed(f"Own figures under {results.name}", warnings(results)),
        )
        if column.metric == "parameters":
            counts = metrics.parameters
            return replace(own, value=counts.derived, search=counts.search)
        if column.metric in TASK_METRICS:
            return _of_task(own, column.metric, results, metrics)
        if column.domain is None:
            return _scored(own, column, metrics, metrics)
        if column.domain not in metrics.domains:
            raise EmonasError(
                f"{where} shows {column.domain} under {results.name}, whose domains are "
                f"{listed(metrics.domains) or 'none'}; name one of these"
            )
        return _scored(own, column, metrics.domains[column.domain], metrics)

    def _across(
        self, column: ColumnOptions, corpus: str, results: ProtocolResults, metrics: Metrics
    ) -> Own:
        there = metrics.transfer.get(corpus)
        if there is None:
            return Own(missing=self._not_transferred(results.name, corpus))
        where = f"Own figures of {results.name} on {corpus}"
        own = Own(
            protocol=results.name,
            synthetic=results.is_synthetic_on(corpus),
            # A table that is copied out of the report takes the map of its labels along.
            warnings=(
                *_prefixed(where, across_warnings(results, corpus)),
                f"To {results.name}: {map_sentence(results.audit.transfer[corpus], corpus)}",
            ),
        )
        return _scored(own, column, there, metrics)

    def _rate(self, column: ColumnOptions, transcript: str) -> Own:
        corpus = column.corpus or ""
        rates = self.rates.get((corpus, transcript))
        if rates is None:
            return Own(missing=self._not_recognised(corpus, transcript))
        return Own(
            value=rates.wer if column.metric == "wer" else rates.cer,
            interval=rates.wer_interval if column.metric == "wer" else rates.cer_interval,
            synthetic=self.plan.corpora[corpus].synthetic,
            warnings=rate_warnings(self.plan, corpus, transcript),
        )

    def _refuse_unknown(self, path: str, system: str) -> None:
        plan = self.plan
        if system not in plan.systems and not any(system in skip.systems for skip in plan.skipped):
            raise EmonasError(f"{path}: no system is named {system}; define it or mend it")

    def not_run(self, system: str, protocol: str) -> str:
        """Why a system has no results under a protocol."""
        for skip in self.plan.skipped:
            if system in skip.systems and skip.protocol == protocol:
                return f"not run under {protocol}: {skip.reason}"
        return f"in no run under {protocol}" if protocol else "in no run of these settings"

    def _not_transferred(self, protocol: str, corpus: str) -> str:
        for entry in self.plan.untransferred:
            if (entry.protocol, entry.corpus) == (protocol, corpus):
                return f"models of {protocol} not tested on {corpus}: {entry.reason}"
        return f"models of {protocol} not tested on {corpus}"

    def _not_recognised(self, corpus: str, transcript: str) -> str:
        for entry in self.plan.unrecognised:
            if (entry.corpus, entry.transcript) == (corpus, transcript):
                return f"{corpus} not recognised: {entry.reason}"
        return f"{corpus} not recognised: `recognition` of these settings has no such entry"


def _of_task(own: Own, metric: str, results: ProtocolResults, metrics: Metrics) -> Own:
    """What a system reaches at a task, or the one that it starts from, or that one's, has reached;
    empty where none has the task.
    """
    task, key, _ = TASK_METRICS[metric]
    current, stage = metrics.system, ""
    while task not in results.systems[current].metrics.tasks:
        current = stage = results.systems[current].card.start
        if current not in results.systems:
            return Own()
    found = results.systems[current].metrics
    figure: Figure = getattr(found.tasks[task], key)
    return replace(
        own,
        value=figure.mean,
        spread=deviation(figure, found),
        interval=figure.interval,
        stage=stage,
    )


def _scored(
    own: Own, column: ColumnOptions, scores: Metrics | OfDomain | Transferred, metrics: Metrics
) -> Own:
    metric: Literal["ua", "wa"] = "ua" if column.metric == "ua" else "wa"
    figure: Figure | None = getattr(scores, metric)
    if figure is None:
        return replace(own, missing=f"{metrics.system} does not learn emotion")
    ua, wa = chance(scores.confusion)
    return replace(
        own,
        value=figure.mean,
        spread=deviation(figure, metrics),
        interval=figure.interval,
        level=ua if column.metric == "ua" else wa,
    )


def _difference(own: Own, other: Own) -> Own:
    """One figure less the other, with what must stand beside either; none where one is missing."""
    if own.value is None or other.value is None:
        return Own(missing=own.missing or other.missing)
    return Own(
        value=own.value - other.value,
        protocol=own.protocol,
        synthetic=own.synthetic or other.synthetic,
        warnings=tuple(dict.fromkeys((*own.warnings, *other.warnings))),
    )


def _prefixed(where: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{where}: {text}" for text in texts)
