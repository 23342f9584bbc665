"""What the card of a protocol says of speakers whom nobody knows."""

from dataclasses import replace

import pytest

from emonas.report.audits import parts_table
from emonas.report.gather import gather
from emonas.report.protocol_card import protocol_card, utterances_table


@pytest.fixture
def half_known(plan, results):
    """A protocol whose second fold has utterances without a speaker in training and test."""
    protocol = gather(plan, results)["emodb-loso"]
    folds = {fold: dict(parts) for fold, parts in protocol.audit.folds.items()}
    second = list(folds)[1]
    for part, number in (("train", 7), ("test", 1)):
        counts = folds[second][part]
        folds[second][part] = counts.model_copy(update={"unknown_speakers": number})
    audit = protocol.audit.model_copy(update={"folds": folds})
    return second, replace(protocol, audit=audit)


def told(plan, protocol):
    return [(row["what"], row["how"]) for row in protocol_card(plan, protocol).rows]


def test_unknown_speakers_stand_apart_and_do_not_cross(plan, half_known):
    second, protocol = half_known
    rows = told(plan, protocol)
    crossing = " ".join(text for what, text in rows if what == "Crosses")
    assert "No known speakers, sessions or recordings cross between the parts." in crossing
    (untold,) = [text for what, text in rows if what == "Speakers"]
    assert "7 utterances of train and 1 utterance of test" in untold
    assert "nobody can tell" in untold
    table = utterances_table(protocol)
    unknown = {(row["fold"], row["part"]): row["unknown"] for row in table.rows}
    assert {place: number for place, number in unknown.items() if number} == {
        (second, "train"): 7,
        (second, "test"): 1,
    }
    assert any(column.key == "unknown" for column in table.columns)
    tested = {row["fold"]: row["tested"] for row in parts_table(protocol.audit).rows}
    assert tested[second] == f"{second}-test, unknown ones"


def test_where_all_are_known_nothing_is_said_of_it(plan, results):
    protocol = gather(plan, results)["emodb-loso"]
    assert "Speakers" not in dict(told(plan, protocol))
    assert ("Crosses", "No speakers, sessions or recordings cross between the parts.") in told(
        plan, protocol
    )
    assert not any(column.key == "unknown" for column in utterances_table(protocol).columns)
