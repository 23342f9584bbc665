"""What systems reach at the tasks that they learn beside emotion."""

from collections.abc import Iterable
from typing import Any

from emonas.report.reached import cells
from emonas.report.tables import Column
from emonas.storage.metrics import Metrics

TASK_METRICS = {
    "gender_ua": ("gender", "ua", "gender, UA"),
    "gender_wa": ("gender", "wa", "gender, WA"),
    "style_ua": ("style", "ua", "style, UA"),
    "style_wa": ("style", "wa", "style, WA"),
    "asr_wer": ("asr", "wer", "ASR, word error rate"),
    "asr_cer": ("asr", "cer", "ASR, character error rate"),
}
"""Task, figure and words of each metric of tables."""
_SHOWN = ("gender_ua", "style_ua", "asr_wer", "asr_cer")


def task_cells(metrics: Metrics) -> dict[str, Any]:
    """The cells of a row with what a system reaches at its tasks."""
    row: dict[str, Any] = {}
    for name, (task, key, _) in TASK_METRICS.items():
        if (found := metrics.tasks.get(task)) is not None:
            row |= cells(name, getattr(found, key), metrics)
    return row


def task_columns(systems: Iterable[Metrics]) -> tuple[Column, ...]:
    """The columns of the tasks that any of the systems has."""
    there = {name for metrics in systems for name in task_cells(metrics)}
    return tuple(
        Column(name, f"{TASK_METRICS[name][2]} (%)", "percent", f"{name}_std", name)
        for name in _SHOWN
        if name in there
    )
