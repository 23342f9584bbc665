"""The paper files are complete, and no settings file gets in another's way."""

from pathlib import Path
from typing import Any

import pytest

from emonas.settings.load import check_settings, load_settings
from emonas.settings.plan import Plan

REPOSITORY = Path(__file__).parents[2]
PAPERS = REPOSITORY / "workflow" / "papers"
FILES = [
    *sorted(PAPERS.glob("*.yaml")),
    *sorted((REPOSITORY / "workflow" / "examples").glob("*.yaml")),
    REPOSITORY / "config.yaml",
]


@pytest.fixture(autouse=True)
def _no_corpora(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EMONAS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


def load(path: Path) -> Any:
    return load_settings(path)


def v1() -> Any:
    return load(PAPERS / "emotionnas-v1.yaml")


def v2() -> Any:
    return load(PAPERS / "emotionnas-v2.yaml")


def value_at(settings: Any, path: str) -> Any:
    """What stands in the settings at a path of keys with slashes between."""
    here = settings
    for key in path.split("/"):
        here = here[key] if isinstance(here, dict) else getattr(here, key)
    return here


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_settings_file_loads_and_is_planned(path: Path) -> None:
    settings = load(path)
    plan = Plan(settings)
    named = {system for run in settings.runs for system in run.systems}
    skipped = {system for entry in plan.skipped for system in entry["systems"]}
    assert named == skipped | {system for _, system in plan.runs}


@pytest.mark.parametrize("kind", ["protocols", "systems", "tables"])
def test_names_are_unique_over_all_files(kind: str) -> None:
    names = [name for path in FILES for name in getattr(load(path), kind)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("kind", ["corpora", "features"])
def test_what_files_share_by_name_is_the_same(kind: str) -> None:
    shared: dict[str, Any] = {}
    for path in FILES:
        for name, options in getattr(load(path), kind).items():
            assert shared.setdefault(name, options) == options, f"{path}: {kind}.{name}"


# Every hyper-parameter that the papers print, with its section.
BOTH = {
    "protocols/{p}/corpora": (("iemocap",), "3.1"),
    "protocols/{p}/test": ("speaker", "3.1: one speaker of a session tests"),
    "protocols/{p}/validation": ("partner", "3.1: the other validates"),
    "protocols/{p}/swap": (False, "3.1: five folds"),
    "protocols/{p}/style": (("improvised",), "3.1"),
    "protocols/{p}/labels": (("neutral", "happy", "sad", "angry"), "3.1"),
    "features/spectrogram-{v}/seconds": (8.0, "3.2"),
    "features/spectrogram-{v}/window_ms": (25.0, "3.2"),
    "features/spectrogram-{v}/hop_ms": (11.0, "3.2: 14 ms overlap"),
    "features/spectrogram-{v}/frames": (140, "3.2"),
    "features/spectrogram-{v}/bins": (140, "3.2"),
    "features/spectrogram-{v}/form": ("{v}", "3.2"),
    "features/wav2vec/extractor": ("wav2vec", "3.2"),
    "systems/{v}-cnn-c6l3/search/method": ("darts", "2.1"),
    "systems/{v}-cnn-c6l3/search/nodes": (4, "3.3: N"),
    "systems/{v}-cnn-c6l3/search/channels": (6, "3.3: C"),
    "systems/{v}-cnn-c6l3/search/cells": (3, "3.3: L"),
    "systems/{v}-cnn-c6l3/search/epochs": (50, "v1, 3.3"),
    "systems/{v}-cnn-c6l3/search/learning_rate": (0.025, "v1, 3.3"),
    "systems/{v}-cnn-c6l3/search/momentum": (0.9, "v1, 3.3"),
    "systems/{v}-cnn-c6l3/search/weight_decay": (3e-4, "v1, 3.3"),
    "systems/{v}-cnn-c6l3/search/alpha_learning_rate": (3e-4, "v1, 3.3"),
    "systems/{v}-cnn-c6l3/search/alphas_on": ("validation", "v1, eq. 3"),
    "systems/{v}-emotionnas/training/epochs": (100, "v1, 3.3"),
    "systems/{v}-emotionnas/training/optimiser": ("adam", "v1, 3.3"),
    "systems/{v}-emotionnas/training/learning_rate": (1e-3, "v1, 3.3"),
}
RECURRENT = {
    "search/method": ("cells", "3.3: the lowest validation loss"),
    "search/epochs": (50, "v1, 3.3"),
    "search/halving": (1, "3.3: nothing of a shortcut"),
    "training/optimiser": ("adam", "v1, 3.3"),
    "training/learning_rate": (1e-3, "v1, 3.3"),
    "training/epochs": (50, "v1, 3.3"),
}
ONLY_V1 = {
    "systems/v1-nas-l2h256/layers": (2, "4.3: L"),
    "systems/v1-nas-l2h256/hidden": (256, "4.3: h"),
    "systems/v1-nas-l1h128/layers": (1, "table 4"),
    "systems/v1-nas-l1h128/hidden": (128, "table 4"),
    "systems/v1-cnn-c16l8/search/channels": (16, "table 3"),
    "systems/v1-cnn-c16l8/search/cells": (8, "table 3"),
    "systems/v1-emotionnas/method": ("perceptron", "2.3"),
    "systems/v1-cnn-lstm/network": ("cnn-lstm", "3.4"),
    "systems/v1-rnn-elm/network": ("rnn-elm", "3.4"),
    "systems/v1-cnn-gru/network": ("cnn-gru", "3.4"),
    "systems/v1-ctc-rnn/network": ("ctc-rnn", "3.4"),
    "features/spectrogram-variable/frames": (None, "3.4: variable length"),
    "features/spectrogram-variable/seconds": (None, "3.4: variable length"),
    "systems/v1-emotionnas/fuse": (("v1-cnn-c6l3", "v1-nas-l2h256"), "table 2"),
}
ONLY_V2 = {
    "systems/v2-nas-h256l1/layers": (1, "3.3: L"),
    "systems/v2-nas-h256l1/hidden": (256, "3.3: H"),
    "systems/v2-nas-h512l1/hidden": (512, "table 3"),
    "systems/v2-lstm-h512l2/cell": ("lstm", "table 3"),
    "systems/v2-lstm-h512l2/layers": (2, "table 3"),
    "systems/v2-rnn-h512l1/cell": ("rnn", "table 3"),
    "systems/v2-rnn-h512l1/hidden": (512, "table 3"),
    "systems/v2-cnn-c8l4/search/channels": (8, "table 2"),
    "systems/v2-cnn-c8l4/search/cells": (4, "table 2"),
    "systems/v2-resnet18/blocks": ((2, 2, 2, 2), "table 2"),
    "systems/v2-emotionnas/method": ("ism", "2.3"),
    "systems/v2-emotionnas/dominant": ("v2-nas-h256l1", "3.3: wav2vec is dominant"),
    "systems/v2-fusion-min/method": ("min", "4.4"),
    "systems/v2-fusion-concat/method": ("concat", "4.4"),
}


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_what_both_papers_share(path: str, version: str) -> None:
    expected, section = BOTH[path]
    if isinstance(expected, str):
        expected = expected.format(v=version)
    settings = {"v1": v1, "v2": v2}[version]()
    found = value_at(settings, path.format(v=version, p=f"emotionnas-{version}"))
    assert found == expected, section


@pytest.mark.parametrize("path", RECURRENT)
@pytest.mark.parametrize(
    "system", ["v1-nas-l1h128", "v1-nas-l2h256", "v2-nas-h512l1", "v2-nas-h256l1"]
)
def test_the_recurrent_stream(system: str, path: str) -> None:
    expected, section = RECURRENT[path]
    settings = {"v1": v1, "v2": v2}[system[:2]]()
    assert value_at(settings.systems[system], path) == expected, section


@pytest.mark.parametrize("path", [*ONLY_V1, *ONLY_V2])
def test_what_one_paper_says(path: str) -> None:
    expected, section = (ONLY_V1 | ONLY_V2)[path]
    settings = v1() if path in ONLY_V1 else v2()
    assert value_at(settings, path) == expected, section


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_wav2vec_input_has_the_papers_shape(version: str) -> None:
    options = {"v1": v1, "v2": v2}[version]().features["wav2vec"]
    assert options.frames / options.pool == 727
    assert options.checkpoint == "wav2vec-large"


def test_the_searched_systems_are_those_of_the_tables() -> None:
    sizes = {
        (system.search.channels, system.search.cells)
        for system in v2().systems.values()
        if getattr(system, "search", None) is not None and system.search.method == "darts"
    }
    assert sizes == {(4, 3), (6, 3), (8, 4)}


# Typed from the papers' tables: table, row, metric, figure as printed.
PUBLISHED = [
    ("v1-table1", "CNN-LSTM", "ua", 62.0),
    ("v1-table1", "RNN-ELM", "ua", 63.9),
    ("v1-table1", "CNN-GRU", "ua", 64.2),
    ("v1-table1", "CTC-RNN", "ua", 66.2),
    ("v1-table1", "PCNSE-SADRN-CTC", "ua", 66.3),
    ("v1-table1", "EmotionNAS (Ours)", "ua", 72.8),
    ("v1-table2", "Wav2vec branch", "parameters", 2.23),
    ("v1-table2", "EmotionNAS", "parameters", 2.36),
    ("v1-table3", "(L = 8, C = 16)", "parameters", 1.32),
    ("v1-table3", "(L = 8, C = 16)", "ua", 62.1),
    ("v1-table4", "(L = 1, h = 128)", "ua", 69.4),
    ("v2-table1", "SeqCap", "wa", 72.7),
    ("v2-table1", "UniformNAS", "ua", 56.9),
    ("v2-table1", "EmotionNAS (Ours)", "ua", 69.1),
    ("v2-table2", "ResNet18", "parameters", 11.18),
    ("v2-table2", "NAS-C4L3", "wa", 54.4),
    ("v2-table3", "LSTM-H512L2", "parameters", 4.21),
    ("v2-table3", "NAS-H256L1", "wa", 70.3),
    ("v2-table4", "spectrogram branch", "wa", 63.2),
    ("v2-table5", "Min", "ua", 68.1),
    ("v2-table5", "Sum", "wa", 66.0),
]


@pytest.mark.parametrize(("table", "row", "metric", "figure"), PUBLISHED)
def test_published_figures(table: str, row: str, metric: str, figure: float) -> None:
    tables = v1().tables | v2().tables
    scale = 1e6 if metric == "parameters" else 0.01
    assert tables[table].rows[row].published[metric] == pytest.approx(figure * scale)


# How many rows the papers print; rows of ours have nothing published.
ROWS = {
    "v1-table1": 6,
    "v1-table2": 3,
    "v1-table3": 4,
    "v1-table4": 2,
    "v2-table1": 6,
    "v2-table2": 5,
    "v2-table3": 6,
    "v2-table4": 3,
    "v2-table5": 6,
}


def test_every_table_has_the_papers_rows() -> None:
    tables = v1().tables | v2().tables
    printed = {
        name: sum(bool(row.published) for row in table.rows.values())
        for name, table in tables.items()
    }
    assert printed == ROWS


def test_every_row_has_all_that_its_table_prints_and_says_whose_it_is() -> None:
    for settings in (v1(), v2()):
        for name, table in settings.tables.items():
            assert table.source, name
            assert table.notes, name
            for title, row in table.rows.items():
                assert not row.published or set(row.published) == set(table.columns), title
                assert row.system or "EmotionNAS" in row.note, title


def test_rows_of_others_that_are_not_run_say_so() -> None:
    tables = (v1().tables | v2().tables).values()
    others = {t: row.note for table in tables for t, row in table.rows.items() if not row.system}
    told = {title for title, note in others.items() if note.startswith("published figure")}
    assert told == set(others)
    assert {"PCNSE-SADRN-CTC", "SeqCap", "UniformNAS"} <= told
    ours = {title for title, row in v1().tables["v1-table1"].rows.items() if row.system}
    assert ours == {"CNN-LSTM", "RNN-ELM", "CNN-GRU", "CTC-RNN", "EmotionNAS (Ours)"}


def test_every_system_of_a_table_is_run() -> None:
    for settings in (v1(), v2()):
        run = {(run.protocol, system) for run in settings.runs for system in run.systems}
        for table in settings.tables.values():
            for row in table.rows.values():
                if row.system is not None:
                    assert (row.protocol or table.protocol, row.system) in run


def with_corpus(tmp_path: Path, name: str) -> Plan:
    """The plan of a paper file whose corpus and checkpoint are there."""
    import yaml

    document = yaml.safe_load((PAPERS / name).read_text(encoding="utf-8"))
    document["corpora"]["iemocap"]["root"] = str(tmp_path)
    (tmp_path / "wav2vec.pt").touch()
    document["checkpoints"]["wav2vec-large"]["path"] = str(tmp_path / "wav2vec.pt")
    return Plan(check_settings(document))


def test_an_archive_that_is_not_there_is_a_reason_to_skip(tmp_path: Path) -> None:
    plan = with_corpus(tmp_path, "emotionnas-v2.yaml")
    reasons = {name: entry["reason"] for entry in plan.skipped for name in entry["systems"]}
    fused = {"v2-emotionnas", *(f"v2-fusion-{m}" for m in ("concat", "sum", "max", "min"))}
    assert set(reasons) == {"v2-nas-h512l1", "v2-nas-h256l1", *fused}
    for name in ("v2-nas-h256l1", "v2-emotionnas"):
        assert reasons[name].startswith("systems.v2-nas-h256l1.search.archive: there is no file")


def test_a_list_that_is_not_there_is_a_reason_to_skip() -> None:
    document = {
        "corpora": {"demo": {"reader": "synthetic"}},
        "protocols": {"given": {"corpora": ["demo"], "test": "list", "list": "folds.csv"}},
        "features": {"fbank": {"extractor": "fbank"}},
        "systems": {"linear": {"network": "linear", "inputs": ["fbank"]}},
        "runs": [{"protocol": "given", "systems": ["linear"]}],
    }
    plan = Plan(check_settings(document))
    assert not plan.runs
    assert plan.skipped[0]["reason"].startswith("protocols.given.list: there is no file folds.csv")
