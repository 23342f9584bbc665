"""`workflow/papers/two-stage-finetuning.yaml` says what the paper says."""

import re
from pathlib import Path
from typing import Any

import pytest

from emonas.settings.load import load_settings
from emonas.systems.task_options import task_weights

REPOSITORY = Path(__file__).parents[2]
PAPER = REPOSITORY.parent / "shared" / "papers" / "two-stage-finetuning.md"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.delenv("EMONAS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return load_settings(REPOSITORY / "workflow" / "papers" / "two-stage-finetuning.yaml")


@pytest.fixture(scope="module")
def tables() -> dict[str, list[list[float]]]:
    """Every number of every row of the paper's four tables, in percent, `-` left out."""
    if not PAPER.exists():
        pytest.skip("the paper is not here")
    text = PAPER.read_text(encoding="utf-8")
    found = {}
    for number in range(1, 5):
        start = text.index(f"\nTable {number}: ")
        body = text[start : text.index("###", start) if number < 4 else len(text)]
        rows = [re.findall(r"(?<![\d.])\d\d\.\d\d(?!\d)", line) for line in body.splitlines()]
        found[f"two-stage-table{number}"] = [list(map(float, row)) for row in rows if row]
    return found


def printed(row: Any) -> list[float]:
    return [round(100 * value, 2) for value in row.published.values()]


@pytest.mark.parametrize(("table", "rows"), [(1, 8), (2, 10), (3, 10), (4, 7)])
def test_every_printed_digit(settings: Any, tables: Any, table: int, rows: int) -> None:
    name = f"two-stage-table{table}"
    ours = [printed(row) for row in settings.tables[name].rows.values()]
    assert len(ours) == rows
    assert ours == tables[name][:rows]


def test_every_own_row_is_of_a_system_that_is_run(settings: Any) -> None:
    run = set(settings.runs[0].systems)
    assert len(run) == len(settings.systems) - len(set(settings.systems) - run)
    shown = {
        row.system
        for table in settings.tables.values()
        for row in table.rows.values()
        if row.system is not None
    }
    first_stages = {name for name in run if name.startswith("stage1-") and "-ser" not in name}
    assert shown | first_stages == run
    assert len(first_stages) == 4


def test_section_3_2(settings: Any) -> None:
    for name in settings.runs[0].systems:
        system = settings.systems[name]
        if system.network != "wav2vec2":
            continue
        training = system.training
        assert (training.epochs, training.batch, training.learning_rate) == (100, 16, 1e-4), name
        assert system.checkpoint == "wav2vec2-base"
    protocol = settings.protocols["two-stage"]
    assert protocol.test == "session"
    assert protocol.merge == {"excited": "happy"}


def test_n_and_m_make_twelve(settings: Any) -> None:
    for blocks in range(0, 13, 2):
        assert settings.systems[f"tuned-{blocks}"].freeze == 12 - blocks


def test_the_ten_rows_of_table_3(settings: Any) -> None:
    """m = 4 and n = 8; what each stage learns is in the row's name."""
    names = {"SER": "emotion", "ASR": "asr", "gender": "gender", "Gender": "gender"}
    for label, row in settings.tables["two-stage-table3"].rows.items():
        second = settings.systems[row.system]
        first = settings.systems[second.start]
        before, _, behind = label.partition(": ")
        skips = "skip" in before
        before = before.removesuffix(" (skip-connected)")
        assert set(first.tasks) == {names[task] for task in before.split("+")}
        assert set(second.tasks) == {names[task] for task in behind.split("+")}
        assert (first.freeze, second.freeze) == (0, 4)
        assert first.skip == (4 if skips else None)


def test_one_tenth_is_the_others(settings: Any) -> None:
    tasks = settings.systems["mtl-asr-gender-style"].tasks
    weights = task_weights(tasks, settings.systems["mtl-asr"].auxiliary, literal=False)
    assert weights["emotion"] == pytest.approx(0.9)
    assert weights["asr"] == pytest.approx(0.1 / 3)
    for other in ("gender", "style"):
        assert settings.systems[f"adversarial-{other}"].tasks[other].adversarial
