"""The tables of systems, folds and pairs: which figures have intervals, and what says why not."""

from dataclasses import replace

import pytest

from emonas.report.comparisons import comparisons_table
from emonas.report.gather import gather
from emonas.report.summary import PAIRED_NOTE, folds_summary, systems_summary

ALONE = "Where one speaker is tested a fold, a fold has no interval over speakers."
FEW = "Where fewer than five speakers are tested, a fold has no interval over speakers."
UNKNOWN = "Where a speaker is not known, a fold has no interval over speakers."


@pytest.fixture
def protocol(plan, results):
    return gather(plan, results)["emodb-loso"]


def with_metrics(protocol, **changes):
    """The protocol with one system, whose metrics are changed."""
    system = protocol.systems["rnn"]
    metrics = system.metrics.model_copy(update=changes)
    return replace(protocol, systems={"rnn": replace(system, metrics=metrics)})


def with_folds(protocol, **changes):
    folds = protocol.systems["rnn"].metrics.folds
    first = folds[0].model_copy(update=changes)
    rest = [score.model_copy(update={"speakers": 1}) for score in folds[1:]]
    return folds_summary(with_metrics(protocol, folds=[first, *rest]))


def test_a_fold_shows_its_interval_and_its_speakers(protocol):
    bounds = {"ua_interval": (0.5, 0.75), "wa_interval": (0.25, 0.875)}
    table = with_folds(protocol, speakers=6, **bounds)
    titles = [column.title for column in table.columns]
    first, second = (dict(zip(titles, cells, strict=False)) for cells in table.shown()[:2])
    assert titles.count("95% interval") == 2
    cells = [cell for title, cell in zip(titles, table.shown()[0], strict=True) if "95" in title]
    assert cells == ["[50.0, 75.0]", "[25.0, 87.5]"]
    assert (first["Speakers"], second["Speakers"]) == ("6", "1")
    assert (table.rows[0]["ua_low"], table.rows[0]["ua_high"]) == (0.5, 0.75)
    assert "ua_low" not in table.rows[1]
    assert any(note.startswith("The 95% interval of a fold") for note in table.notes)
    assert ALONE in table.notes


@pytest.mark.parametrize(("speakers", "said"), [(1, {ALONE}), (4, {FEW}), (None, {ALONE, UNKNOWN})])
def test_folds_without_intervals_say_why(protocol, speakers, said):
    table = with_folds(protocol, speakers=speakers)
    assert "95% interval" not in [column.title for column in table.columns]
    assert {ALONE, FEW, UNKNOWN} & set(table.notes) == said


@pytest.mark.parametrize("pooled", [True, False])
def test_the_mean_over_folds_shows_an_interval_where_it_is_another_number(protocol, pooled):
    ua = protocol.systems["rnn"].metrics.ua.model_copy(
        update={"interval": (0.6, 0.7), "folds_interval": (0.55, 0.65)}
    )
    table = systems_summary(with_metrics(protocol, pooled=pooled, ua=ua))
    shown = [column.key for column in table.columns if column.kind == "interval"]
    assert shown == (["ua", "ua_folds"] if pooled else ["ua"])
    assert table.rows[0].get("ua_folds_high") == (0.65 if pooled else None)


def test_a_pair_shows_the_interval_of_its_difference(protocol):
    pair = protocol.comparisons.pairs[0]
    ua = pair.ua.model_copy(update={"interval": (-0.051, 0.012)})
    changed = protocol.comparisons.model_copy(
        update={"pairs": [pair.model_copy(update={"ua": ua})]}
    )
    table = comparisons_table(replace(protocol, comparisons=changed))
    assert table.shown()[0][2] == "−2.8 [−5.1, +1.2]"
    assert table.rows[0]["ua_low"] == -0.051
    assert PAIRED_NOTE in table.notes
    assert PAIRED_NOTE not in comparisons_table(protocol).notes
