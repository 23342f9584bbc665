"""What systems cost in use, and which of them are worth it."""

from collections.abc import Iterator, Sequence
from typing import Any

from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.reached import cells
from emonas.report.summary import warnings
from emonas.report.tables import Column, Table
from emonas.storage.speed import Speed, Speeds

ON_FRONT = "●"
_COLUMNS = (
    Column("system", "System"),
    Column("parameters", "Parameters", "millions"),
    Column("macs", "Multiply-accumulates", "millions"),
    Column("processor_factor", "Real-time factor", "factor"),
    Column("processor_memory", "Memory", "mebibytes"),
    Column("card_factor", "Real-time factor, GPU", "factor"),
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
    speeds = protocol.speeds
    rows = [_row(system, speeds) for system in protocol.emotional.values()]
    front = pareto_front([(row.get(cost_key(protocol)), row["ua"]) for row in rows])
    rows = [{**row, "front": ON_FRONT if on else ""} for row, on in zip(rows, front, strict=True)]
    rows.sort(key=lambda row: row.get(cost_key(protocol)) or float("inf"))
    front_note = _FRONT.format(what=cost_name(protocol))
    notes = (*warnings(protocol), *_notes(speeds), _COUNTED, front_note)
    there = {key for row in rows for key in row}
    columns = tuple(column for column in _COLUMNS if there & set(_of(column)))
    return Table(f"Accuracy and cost under {protocol.name}", columns, rows, notes)


def cost_key(protocol: ProtocolResults) -> str:
    """The column that says what a system costs."""
    return "processor_factor" if protocol.speeds else "parameters"


def cost_name(protocol: ProtocolResults) -> str:
    """What a system costs, in words."""
    return "real-time factor" if protocol.speeds else "number of parameters"


def _of(column: Column) -> list[str]:
    return column.keys if column.kind == "interval" else [column.key]


def _row(system: SystemResults, speeds: Speeds | None) -> dict[str, Any]:
    metrics = system.metrics
    row: dict[str, Any] = {
        "system": system.name,
        "parameters": metrics.parameters.derived,
        **({} if metrics.macs is None else {"macs": metrics.macs}),
        **cells("ua", metrics.ua, metrics),
    }
    measured = speeds.systems.get(system.name) if speeds else None
    if speeds and measured:
        for name, speed in (("processor", measured.processor), ("card", measured.card)):
            row |= {f"{name}_{key}": value for key, value in _speed(speed, speeds.speech)}
        if measured.left_out:
            row["why"] = measured.left_out
    return row


def _speed(speed: Speed | None, speech: float) -> Iterator[tuple[str, float]]:
    if speed is not None:
        yield "factor", speed.seconds / speech
        if speed.memory is not None:
            yield "memory", speed.memory


def _notes(speeds: Speeds | None) -> Iterator[str]:
    if speeds is None:
        yield _NOT_MEASURED
        return
    threads = "one thread" if speeds.threads == 1 else f"{speeds.threads} threads"
    card = f"; on the GPU {speeds.card}" if speeds.card else "; no GPU was there"
    yield (
        "The real-time factor is the seconds from a recording to the answer for each second of "
        f"speech, front end and all, of {speeds.speech:g} s of test utterances one after another: "
        f"below 1 a system keeps up. Measured on {speeds.processor} with {threads}{card}: the "
        "fastest of some times behind a first that loads and compiles. Another run can differ by "
        "tens of percent, and the front with it. Memory is what the process takes for them besides "
        "Python and torch: the system and what else it imports. One model is measured, of the "
        "first seed and fold."
    )


def pareto_front(points: Sequence[tuple[float | None, float | None]]) -> list[bool]:
    """Which of (cost, score) no other beats: at no more cost a higher score, or at less cost no
    lower one. A point without a cost or score is on no front.
    """
    known = [(cost, score) for cost, score in points if cost is not None and score is not None]
    return [
        cost is not None
        and score is not None
        and not any(_beats(other, (cost, score)) for other in known)
        for cost, score in points
    ]


def _beats(other: tuple[float, float], own: tuple[float, float]) -> bool:
    return other != own and other[0] <= own[0] and other[1] >= own[1]


def cost_points(protocol: ProtocolResults) -> list[dict[str, Any]]:
    """What is drawn of each system whose cost is known."""
    rows = [row for row in cost_table(protocol).rows if row.get(cost_key(protocol)) is not None]
    return [
        {
            "system": row["system"],
            "cost": row[cost_key(protocol)],
            **{key: row.get(key, "") for key in ("ua", "ua_low", "ua_high")},
            "front": "yes" if row["front"] else "no",
        }
        for row in rows
    ]
