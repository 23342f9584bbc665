"""`workflow/papers/multi-gating-nas.yaml` says what the paper says."""

import re
from pathlib import Path
from typing import Any

import pytest

from emonas.settings.load import load_settings

REPOSITORY = Path(__file__).parents[2]
PAPER = REPOSITORY.parent / "shared" / "papers" / "multi-gating-nas.md"
LANGUAGES = ("English", "German", "French")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.delenv("EMONAS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return load_settings(REPOSITORY / "workflow" / "papers" / "multi-gating-nas.yaml")


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("mg-table3", ("Base", "SB", "OMoE", "MMoE", "Ours")),
        ("mg-table4", ("with aux loss", "w/o aux loss")),
    ],
)
def test_every_printed_digit(settings: Any, table: str, rows: tuple[str, ...]) -> None:
    if not PAPER.exists():
        pytest.skip("the paper is not here")
    text = PAPER.read_text(encoding="utf-8")
    for row in rows:
        cells = r"((?:\s+[\d.]+/[\d.]+){3})"
        printed = re.search(rf"^\s*{re.escape(row)}{cells}\s*$", text, re.MULTILINE)
        assert printed is not None, row
        wanted = {}
        for language, cell in zip(LANGUAGES, printed[1].split(), strict=True):
            ua, wa = map(float, cell.split("/"))
            wanted |= {f"{language} UA": ua, f"{language} WA": wa}
        assert settings.tables[table].rows[row].published == wanted


def test_sizes_and_training(settings: Any) -> None:
    """Section 5.1."""
    for name in ("mg-single", "mg-base", "mg-sb", "mg-omoe", "mg-mmoe", "mg-ours"):
        system = settings.systems[name]
        mfcc, others = system.encoder_of("mg-mfcc"), system.encoder_of("mg-allosaurus")
        assert (mfcc.channels, mfcc.hidden, mfcc.layers) == (32, 64, 2)
        assert (others.channels, others.hidden, others.layers, system.size) == (64, 128, 1, 256)
        assert system.encoder_of("mg-ge2e").rate == 0.01
        assert [system.of(code).contrastive for code in ("en", "de", "fr")] == [0.1, 0.01, 0.015]
        training = system.training
        assert (training.optimiser, training.learning_rate) == ("adamw", 1e-3)
        assert (training.weight_decay, training.epochs, system.dropout) == (1e-5, 20, 0.1)
        towers = [256, 256, 256] if name == "mg-base" else [256, 512, 512]
        assert [system.of(code).tower for code in ("en", "de", "fr")] == towers
        assert system.of("en").activations == ("mish", "gelu")
        other = ("mish", "gelu") if name == "mg-base" else ("tanh", "relu")
        assert system.of("de").activations == system.of("fr").activations == other
    search = settings.systems["mg-ours"].search
    assert (search.beta, search.gamma, search.delta, search.retrain) == (0.9, -0.1, 2.0, False)
    assert settings.systems["mg-ours"].selector == "mg-ge2e"


def test_the_splits(settings: Any) -> None:
    """Section 3: a fifth is tested, a fifth of the rest validates; five times."""
    for name in ("mg-english", "mg-german", "mg-french", "mg-all"):
        options = settings.protocols[name]
        assert (options.test, options.validation, options.repeats) == ("random", "random", 5)
        assert (options.share, options.validation_share) == (0.2, 0.2)


def test_the_loss_is_all_that_table_4_compares(settings: Any) -> None:
    with_loss, without = (settings.systems[n] for n in ("mg-single", "mg-single-without"))
    said = {"domains", "training"}
    assert with_loss.model_dump(exclude=said) == without.model_dump(exclude=said)
    assert with_loss.training == without.training
    for code in ("en", "de", "fr"):
        one, other = with_loss.of(code), without.of(code)
        assert (one.tower, one.activations) == (other.tower, other.activations)
        assert one.contrastive > other.contrastive == 0


def test_figure_4_is_of_single_features_and_byol_decides(settings: Any) -> None:
    figure = settings.figures["mg-figure4"]
    weighed = settings.systems[figure.system]
    assert (weighed.selector, weighed.gate_selector) == ("mg-byol", False)
    assert len(figure.single) == 4
    for feature, name in figure.single.items():
        assert [entry.feature for entry in settings.systems[name].inputs] == [feature]
