"""What systems cost in use, and which of them are worth it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.reached import cells
from emonas.report.summary import warnings
from emonas.report.tables import Column, Table
from emonas.report.words import listed
from emonas.storage.speed import Speed, SystemSpeed

ON_FRONT = "●"
_COLUMNS = (
    Column("system", "System"),
    Column("parameters", "Parameters", "millions"),
    Column("macs", "Multiply-accumulates", "millions"),
    Column("processor_factor", "Real-time factor", "factor", bounds="processor_factor"),
    Column("processor_memory", "Memory", "mebibytes"),
    Column("processor_model", "of it the model", "mebibytes"),
    Column("card_factor", "Real-time factor, GPU", "factor", bounds="card_factor"),
    Column("card_memory", "Memory, GPU", "mebibytes"),
    Column("ua", "UA (%)", "percent", "ua_std"),
    Column("ua", "95% interval", "interval"),
    Column("front", "On the front"),
    Column("why", "Not measured because"),
)
_FRONT = (
    f"{ON_FRONT} stands where no other system has a higher UA at no higher {{what}}, nor as high a "
    "UA at a lower one (the Pareto front)."
)
_ALIKE = "Factors whose quartiles overlap count as the same there; who is beaten beats nobody."
_COUNTED = (
    "Parameters are those that were trained: frozen ones, and those of a pretrained front end, are "
    "not counted. Multiply-accumulates are those of the network for one utterance of its training, "
    "without the front end."
)
_NOT_MEASURED = "With `speed: true` in the settings, speed and memory are measured, too."


def cost_table(protocol: ProtocolResults) -> Table:
    """A row a system that tells emotions, in the order of their cost: real-time factors where they
    were measured, else parameters.
    """
    rows = [
        _row(system, protocol.speeds.get(system.name)) for system in protocol.emotional.values()
    ]
    front = pareto_front([_placed(row, cost_key(protocol)) for row in rows])
    rows = [{**row, "front": ON_FRONT if on else ""} for row, on in zip(rows, front, strict=True)]
    rows.sort(key=lambda row: row.get(cost_key(protocol)) or float("inf"))
    front_note = _FRONT.format(what=cost_name(protocol))
    alike = [_ALIKE] if _comparable(protocol.speeds) else []
    notes = (*warnings(protocol), *_notes(protocol.speeds), _COUNTED, front_note, *alike)
    there = {key for row in rows for key in row}
    columns = tuple(column for column in _COLUMNS if there & set(_of(column)))
    return Table(f"Accuracy and cost under {protocol.name}", columns, rows, notes)


def cost_key(protocol: ProtocolResults) -> str:
    """The column that says what a system costs."""
    return "processor_factor" if _comparable(protocol.speeds) else "parameters"


def cost_name(protocol: ProtocolResults) -> str:
    """What a system costs, in words."""
    return "real-time factor" if _comparable(protocol.speeds) else "number of parameters"


def _comparable(speeds: Mapping[str, SystemSpeed]) -> bool:
    """Whether any was measured, and all on one machine."""
    return len({_machine(speed) for speed in speeds.values()}) == 1


def _machine(speed: SystemSpeed) -> str:
    threads = "one thread" if speed.threads == 1 else f"{speed.threads} threads"
    card = f"; on the GPU {speed.card}" if speed.card else "; no GPU was there"
    return f"{speed.processor} with {threads}{card}"


def _of(column: Column) -> list[str]:
    return column.keys if column.kind == "interval" else [column.key]


def _row(system: SystemResults, measured: SystemSpeed | None) -> dict[str, Any]:
    metrics = system.metrics
    row: dict[str, Any] = {
        "system": system.name,
        "parameters": metrics.parameters.derived,
        **({} if metrics.macs is None else {"macs": metrics.macs}),
        **cells("ua", metrics.ua, metrics),
    }
    if measured:
        for name, speed in (("processor", measured.on_processor), ("card", measured.on_card)):
            row |= {f"{name}_{key}": value for key, value in _speed(speed, measured.speech)}
        if measured.left_out:
            row["why"] = measured.left_out
    return row


def _speed(speed: Speed | None, speech: float) -> Iterator[tuple[str, float]]:
    if speed is None:
        return
    yield "factor", speed.seconds / speech
    for name, seconds in zip(("low", "high"), speed.quartiles, strict=True):
        yield f"factor_{name}", seconds / speech
    if speed.memory is not None:
        yield "memory", speed.memory
        if speed.before is not None:
            yield "model", speed.memory - speed.before


def _notes(speeds: Mapping[str, SystemSpeed]) -> Iterator[str]:
    if not speeds:
        yield _NOT_MEASURED
        return
    speech = next(iter(speeds.values())).speech
    yield (
        "The real-time factor is the seconds from a recording to the answer for each second of "
        f"speech, front end and all, of {speech:g} s of test utterances one after another: below 1 "
        f"a system keeps up. It is the median{_times(speeds)}, each behind a first that loads and "
        "compiles; in brackets are the quartiles. On another day, or beside other work, it can lie "
        "outside them. One model is measured, of the first seed and fold."
    )
    machines: dict[str, list[str]] = {}
    for system, speed in speeds.items():
        machines.setdefault(_machine(speed), []).append(system)
    if len(machines) == 1:
        yield f"Measured on {next(iter(machines))}."
    else:
        told = "; ".join(f"{listed(systems)} on {name}" for name, systems in machines.items())
        yield f"Measured on several machines, so that factors can't be compared: {told}."
    yield (
        "Memory is the peak of a process that does nothing else, with Python and all libraries: "
        "what it takes to serve one model. Of it the model is what loading it and hearing the "
        "speech added to what the process held with the libraries alone. On a GPU it is the peak "
        "of what was allocated there."
    )


def _times(speeds: Mapping[str, SystemSpeed]) -> str:
    found = [speed.on_processor.times for speed in speeds.values() if speed.on_processor]
    if not found:
        return ""
    low, high = min(found), max(found)
    return f" of {high} times" if low == high else f" of {low} to {high} times"


class Placed(NamedTuple):
    """A system by score and cost; the cost lies between bounds where it was measured, else on
    both.
    """

    score: float
    cost: float
    low: float
    high: float


def _placed(row: Mapping[str, Any], key: str) -> Placed | None:
    cost, score = row.get(key), row["ua"]
    if cost is None or score is None:
        return None
    return Placed(score, cost, row.get(f"{key}_low", cost), row.get(f"{key}_high", cost))


def pareto_front(points: Sequence[Placed | None]) -> list[bool]:
    """Which points no other beats: at no more cost a higher score, or at less cost as high a one.

    Costs whose bounds overlap are the same cost. Of three in a row the outer two may not be, so
    only who is on the front beats others. What has no place is on no front.
    """
    front: list[Placed] = []
    known = [point for point in points if point is not None]
    for point in sorted(known, key=lambda point: (-point.score, point.cost)):
        if not any(_beats(other, point) for other in front):
            front.append(point)
    return [point in front for point in points]


def _beats(other: Placed, own: Placed) -> bool:
    if other.score > own.score:
        return other.low <= own.high
    return other.score == own.score and other.high < own.low


def cost_points(protocol: ProtocolResults) -> list[dict[str, Any]]:
    """What is drawn of each system whose cost is known."""
    rows = [row for row in cost_table(protocol).rows if row.get(cost_key(protocol)) is not None]
    return [
        {
            "system": row["system"],
            "cost": row[cost_key(protocol)],
            **{
                f"cost_{name}": row.get(f"{cost_key(protocol)}_{name}", "")
                for name in ("low", "high")
            },
            **{key: row.get(key, "") for key in ("ua", "ua_low", "ua_high")},
            "front": "yes" if row["front"] else "no",
        }
        for row in rows
    ]
