"""`workflow/papers/cta-rnn.yaml` says what the paper says."""

import re
from pathlib import Path
from typing import Any

import pytest

from emonas.settings.load import load_settings

REPOSITORY = Path(__file__).parents[2]
PAPER = REPOSITORY.parent / "shared" / "papers" / "cta-rnn.md"
DIRECTIONS = ("IEM", "MSP", "MSP2IEM", "IEM2MSP")


@pytest.fixture(autouse=True)
def _no_corpora(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EMONAS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def settings() -> Any:
    return load_settings(REPOSITORY / "workflow" / "papers" / "cta-rnn.yaml")


def test_the_protocols(settings: Any) -> None:
    for name, corpus, other in (
        ("cta-iem", "iemocap", "msp-improv"),
        ("cta-msp", "msp-improv", "iemocap"),
    ):
        options = settings.protocols[name]
        assert options.corpora == (corpus,)
        # 4.2.3: leave one speaker out; the two of the session left validate and test.
        assert (options.test, options.validation, options.swap) == ("speaker", "partner", True)
        assert set(options.labels) == {"happy", "sad", "angry", "neutral"}
        assert list(options.transfer) == [other]
    assert settings.protocols["cta-iem"].merge == {"excited": "happy"}  # 4.1
    assert settings.protocols["cta-msp"].transfer["iemocap"].map == {"excited": "happy"}


# Section 4.2.1.
RECURRENT = {"layers": 2, "hidden": 256, "dropout": 0.3, "heads": 8, "head_width": 64}
TRAINING = {
    "batch": 32,
    "epochs": 50,
    "optimiser": "adam",
    "learning_rate": 1e-3,
    "schedule": "plateau",
    "plateau_epochs": 10,
    "select": "validation_loss",
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "class_weights": False,
    "patience": None,
}


def test_sizes_and_training_of_every_system(settings: Any) -> None:
    for name, system in settings.systems.items():
        for key, value in RECURRENT.items():
            if system.network != "cta" or key.startswith("head"):
                assert getattr(system, key) == value, (name, key)
        for key, value in TRAINING.items():
            assert getattr(system.training, key) == value, (name, key)
        assert (system.input_dropout, system.output_dropout) == (0.0, 0.0)


def test_what_each_system_hears(settings: Any) -> None:
    lmfb = settings.features["lmfb"]
    assert (lmfb.bands, lmfb.window_ms, lmfb.hop_ms, lmfb.pool) == (80, 25.0, 10.0, 1)
    for name in ("wf-rnn", "ef-rnn", "lf-rnn", "cta-without-rnn", "cta-rnn"):
        (entry,) = settings.systems[name].inputs
        assert entry.feature == "embeddings-gigaspeech"
        assert entry.layers == tuple(str(block) for block in range(1, 13))
    for system in settings.systems.values():
        assert all((entry.pool, entry.normalise) == (1, None) for entry in system.inputs)
    # The words are what the same encoder's recogniser heard.
    for encoder in ("librispeech", "gigaspeech"):
        words = settings.features[f"words-{encoder}"]
        heard = settings.transcripts[words.transcript]
        assert heard.checkpoint == settings.features[f"embeddings-{encoder}"].checkpoint


def printed(number: int) -> dict[str, list[str]]:
    """The cells of a table of the paper, by its first column."""
    if not PAPER.is_file():
        pytest.skip("the paper lies beside the checkout in shared/papers only where it was put")
    text = PAPER.read_text(encoding="utf-8")
    after = text.split(f"Table {number}: ", 1)[1].split("\n\n", 2)[1]
    rows = [line.split("\t") for line in after.splitlines()]
    return {re.sub(r"[$^{}]", "", row[0]).strip(): row[1:] for row in rows}


def named(label: str) -> str:
    """As the paper's tables name a row: E(2) is a superscript there."""
    return re.sub(r"^Latif et al. ?\[18\]", "Latif et al.[18]", label)


@pytest.mark.parametrize("number", [2, 3])
def test_tables_2_and_3_digit_by_digit(settings: Any, number: int) -> None:
    found = printed(number)
    table = settings.tables[f"cta-table{number}"]
    assert tuple(table.columns) == DIRECTIONS
    for label, row in table.rows.items():
        cells = found.pop(named(label))
        for direction, cell in zip(DIRECTIONS, cells, strict=True):
            figure = row.published.get(direction)
            assert cell.strip("-") == ("" if figure is None else f"{100 * figure:.1f}"), label
    # What is left are the two lines of the heading.
    assert [name for name, cells in found.items() if re.search(r"\d\.\d", " ".join(cells))] == []


def test_table_1_digit_by_digit(settings: Any) -> None:
    found = printed(1)
    table = settings.tables["cta-table1"]
    for label, row in table.rows.items():
        figures = [f"{100 * row.published[column]:.2f}" for column in table.columns]
        assert figures == found[label]
    assert [(column.corpus, column.metric) for column in table.columns.values()] == [
        (corpus, metric) for corpus in ("iemocap", "msp-improv") for metric in ("wer", "cer")
    ]


def test_the_directions_are_those_of_the_names(settings: Any) -> None:
    for name in ("cta-table2", "cta-table3"):
        columns = settings.tables[name].columns
        told = {key: (column.protocol, column.transfer) for key, column in columns.items()}
        assert told == {
            "IEM": ("cta-iem", None),
            "MSP": ("cta-msp", None),
            "MSP2IEM": ("cta-msp", "iemocap"),
            "IEM2MSP": ("cta-iem", "msp-improv"),
        }
    assert settings.figures["cta-figure2"].lines == settings.tables["cta-table2"].columns


def test_figure_2_has_the_blocks_of_both_encoders(settings: Any) -> None:
    panels = settings.figures["cta-figure2"].panels
    assert list(panels) == ["Librispeech", "Gigaspeech"]
    for title, panel in panels.items():
        encoder = title.lower()
        assert panel.points[0] == "cta-a"
        assert {block: panel.points[block] for block in (2, 4, 6, 8, 10, 12)} == {
            block: f"cta-{encoder}-e{block}" for block in (2, 4, 6, 8, 10, 12)
        }
        assert panel.baselines == {"A + T": f"cta-at-{encoder}"}
    rows = settings.tables["cta-table2"].rows
    for line, values in panels["Gigaspeech"].published.items():
        assert values == {block: rows[f"E({block})"].published[line] for block in (2, 6, 12)}


def test_every_system_of_a_table_or_figure_is_run_under_both_protocols(settings: Any) -> None:
    runs = {run.protocol: set(run.systems) for run in settings.runs}
    used = {
        row.system
        for table in settings.tables.values()
        for row in table.rows.values()
        if row.system is not None
    }
    for panel in settings.figures["cta-figure2"].panels.values():
        used |= {*panel.points.values(), *panel.baselines.values()}
    assert used <= runs["cta-iem"] == runs["cta-msp"]
