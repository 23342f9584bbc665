"""Own figures for the papers' tables and figures, or why there are none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from emonas.errors import EmonasError
from emonas.report.gather import ProtocolResults
from emonas.report.labels import map_sentence
from emonas.report.options import ERROR_RATES, ColumnOptions, RowOptions
from emonas.report.plan import ReportPlan
from emonas.report.recognition import Rates, rate_warnings
from emonas.report.summary import across_warnings, chance, deviation, warnings
from emonas.storage.metrics import Metrics, Transferred


@dataclass(frozen=True)
class Own:
    """One own figure; `missing` says why there is none.

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
    synthetic: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnFigures:
    """Everything that was reached, and the plan that says why something was not."""

    plan: ReportPlan
    gathered: Mapping[str, ProtocolResults]
    rates: Rates

    def of(self, path: str, column: ColumnOptions, row: RowOptions, default: str | None) -> Own:
        """What a column shows of a row; an empty figure where the row has no such source.

        `path` is the row's in the settings, `default` the protocol where neither names one.

        Raises:
            EmonasError: the row's system is not known, or its protocol can't be told.
        """
        if column.metric in ERROR_RATES:
            return self._rate(column, row.transcript) if row.transcript else Own()
        if row.system is None:
            return Own()
        named = column.protocol or row.protocol or default
        protocol = self._protocol(path, row.system, named)
        results = self.gathered.get(protocol)
        if results is None or row.system not in results.systems:
            return Own(missing=self.not_run(row.system, protocol))
        metrics = results.systems[row.system].metrics
        if column.transfer is None:
            return self._within(column, results, metrics)
        return self._across(column, column.transfer, results, metrics)

    def _within(self, column: ColumnOptions, results: ProtocolResults, metrics: Metrics) -> Own:
        own = Own(
            protocol=results.name,
            synthetic=results.synthetic,
            warnings=_prefixed(f"Own figures under {results.name}", warnings(results)),
        )
        if column.metric == "parameters":
            counts = metrics.parameters
            return replace(own, value=counts.derived, search=counts.search)
        return _scored(own, column, metrics, metrics)

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
            synthetic=self.plan.corpora[corpus].synthetic,
            warnings=rate_warnings(self.plan, corpus, transcript),
        )

    def _protocol(self, path: str, system: str, named: str | None) -> str:
        plan = self.plan
        if system not in plan.systems and not any(system in skip.systems for skip in plan.skipped):
            raise EmonasError(f"{path}: no system is named {system}; define it or mend it")
        if named:
            return named
        known = {run.protocol for run in plan.runs if system in run.systems}
        known |= {skip.protocol for skip in plan.skipped if system in skip.systems}
        if len(known) > 1:
            raise EmonasError(
                f"{path}: {system} is run under {' and '.join(sorted(known))}; name the protocol "
                "of the row, the column or the table"
            )
        return next(iter(known), "")

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


def _scored(
    own: Own, column: ColumnOptions, scores: Metrics | Transferred, metrics: Metrics
) -> Own:
    figure = scores.ua if column.metric == "ua" else scores.wa
    ua, wa = chance(scores.confusion)
    return replace(
        own,
        value=figure.mean,
        spread=deviation(figure, metrics),
        interval=figure.interval,
        level=ua if column.metric == "ua" else wa,
    )


def _prefixed(where: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{where}: {text}" for text in texts)
