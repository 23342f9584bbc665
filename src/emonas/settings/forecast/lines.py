"""The forecast as lines that a person reads."""

from collections.abc import Iterable, Iterator
from tempfile import TemporaryDirectory

from emonas.settings.forecast.disk import Scales, disk_lines
from emonas.settings.forecast.hours import Clock, Hours
from emonas.settings.forecast.jobs import RULES, Jobs, list_jobs
from emonas.settings.plan import Plan
from emonas.settings.sizes import corpus_size, protocol_size

NOT_MEASURED = (
    "corpora",
    "protocols",
    "fold",
    "audit",
    "checkpoint",
    "evaluate",
    "compare",
    "differences",
    "speed",
    "recognition",
    "report",
)


def forecast_lines(plan: Plan, cores: int) -> Iterator[str]:
    """How many jobs a run has, and about how many hours and how much disk they take here.

    Every kind of search and training is rehearsed for an epoch on a few random examples.

    Raises:
        EmonasError: a file that says how many utterances there are is damaged, or a GPU is asked
            for where there is none.
    """
    protocols = dict.fromkeys(run.protocol for run in plan.settings.runs)
    sizes = {protocol: protocol_size(plan, protocol) for protocol in protocols}
    corpora = {c: corpus_size(plan, c) for p in protocols for c in plan.heard_corpora(p)}
    jobs = list_jobs(plan, sizes)
    kinds = {entry.system or entry.feature for entry in jobs} - {""}
    yield f"Each of {len(kinds)} systems and features is rehearsed, a large one for minutes:"
    hours: dict[Jobs, Hours] = {}
    with TemporaryDirectory() as folder:
        clock = Clock(plan, sizes, corpora, folder)
        for entry in jobs:
            name = entry.system or entry.feature
            if name in kinds:
                kinds.remove(name)
                yield f"  {name}"
            hours[entry] = clock.hours(entry)
        scales = Scales(plan, sizes, corpora, clock)
        written = {entry: scales.bytes(entry) for entry in jobs}
    beside = max(1, cores // plan.settings.runtime.torch_threads)
    yield f"Forecast for this machine, {beside} jobs at a time:"
    yield from _table(hours, beside)
    yield from _systems(hours)
    for protocol, size in sizes.items():
        if size is None:
            yield f"{protocol}: nothing tells its utterances and folds until its corpora are there."
        else:
            train = f"{'' if size.exact else 'at most '}{size.train:.0f} utterances"
            yield f"{protocol}: {size.folds} folds; training parts of {train} on average."
    yield from disk_lines(plan, written, beside)
    for reason in clock.unknown:
        yield f"not forecast: {reason}"
    yield (
        "An estimate from one epoch of each system on random examples, for a run from the "
        "beginning with all epochs; what is there already is not run again. Jobs marked - "
        "take minutes and are not measured."
    )


def _table(hours: dict[Jobs, Hours], beside: int) -> Iterator[str]:
    """A row a rule: what runs, and what is skipped."""
    yield f"  {'rule':<16}{'jobs':>7}{'hours':>10}   {'skipped':>7}{'hours':>10}"
    for rule in RULES:
        cells = []
        for skipped in (False, True):
            chosen = [entry for entry in hours if (entry.rule, entry.skipped) == (rule, skipped)]
            shown = _hours(_sum(hours[entry] for entry in chosen), beside)
            if rule in NOT_MEASURED or not chosen:
                shown = "-"
            cells += [_count(chosen), shown]
        yield f"  {rule:<16}{cells[0]:>7}{cells[1]:>10}   {cells[2]:>7}{cells[3]:>10}"
    runs, left = (
        [entry for entry in hours if entry.skipped is skipped] for skipped in (False, True)
    )
    totals = [_count(runs), _hours(_sum(hours[entry] for entry in runs), beside)]
    totals += [_count(left), _hours(_sum(hours[entry] for entry in left), beside)]
    yield f"  {'total':<12}{totals[0]:>7}{totals[1]:>10}   {totals[2]:>7}{totals[3]:>10}"


def _systems(hours: dict[Jobs, Hours]) -> Iterator[str]:
    """A row a system under a protocol, in hours of one core."""
    yield "Hours of one job after the other, by system:"
    pairs = dict.fromkeys((e.protocol, e.system, e.skipped) for e in hours if e.system)
    for protocol, system, skipped in pairs:
        own = [e for e in hours if (e.protocol, e.system) == (protocol, system)]
        shown = _hours(_sum(hours[entry] for entry in own), 1)
        mark = "   skipped" if skipped else ""
        yield f"  {f'{protocol}: {system}':<46}{shown:>10}{mark}"


def _sum(hours: Iterable[Hours]) -> Hours:
    """The sum of what is known, and whether all is."""
    known, whole = 0.0, True
    for entry in hours:
        known += entry.known
        whole = whole and entry.whole
    return Hours(known, whole)


def _hours(hours: Hours, beside: int) -> str:
    if not hours.whole:
        return f"> {hours.known / beside:.2f}" if hours.known else "unknown"
    return f"{hours.known / beside:.2f}"


def _count(jobs: list[Jobs]) -> str:
    counts = [entry.count for entry in jobs if entry.count is not None]
    return f"{sum(counts)}{'' if len(counts) == len(jobs) else '+?'}"
