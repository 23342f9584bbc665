from pathlib import Path

import pandas as pd
import pytest

from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.storage.manifest import Utterance, write_manifest
from emonas.systems.task_targets import learnt_answers, read_known, targets

SMALL = {"layers": 1, "width": 16, "heads": 2, "feed_forward": 16, "channels": 8}
TABLE = pd.DataFrame({"utterance": ["u2", "u0", "u1"], "corpus": "toy"})


def manifest(folder, rows):
    path = folder / "toy" / "manifest.csv"
    write_manifest(
        path,
        [
            Utterance(f"u{n}", "", "toy", "", "", gender, "", style, text, "", 1.0, 16000, str(n))
            for n, (gender, style, text) in enumerate(rows)
        ],
    )
    return {"toy": path}


def system(**changes):
    values = {"network": "wav2vec2", "inputs": ["w"], "random": SMALL, "tasks": ["asr"], **changes}
    return kind_options("network", values)


ROWS = [("female", "scripted", "Ab, [LAUGHTER] a!"), ("male", "", ""), ("", "improvised", "É b")]


def test_answers_come_from_the_manifest_in_the_part_s_order(tmp_path):
    known = read_known(("asr", "gender", "style"), TABLE, manifest(tmp_path, ROWS))
    assert known == {
        "asr": ["é b", "ab a", ""],
        "gender": ["", "female", "male"],
        "style": ["improvised", "scripted", ""],
    }
    answers = learnt_answers(system(), Path("train.csv"), TABLE, known)
    assert answers["gender"] == ("female", "male")
    assert answers["asr"] == (" ", "a", "b", "é")
    found = targets(known, answers)
    # CTC's blank is 0, so characters count from 1; what is not known has no number.
    assert [list(text) for text in found["asr"]] == [[4, 1, 3], [2, 3, 1, 2], []]
    assert [list(gender) for gender in found["gender"]] == [[], [0], [1]]


def test_a_character_that_nobody_learnt_is_left_out_of_other_parts():
    found = targets({"asr": ["abc"]}, {"asr": ("a", "c")})
    assert [list(text) for text in found["asr"]] == [[1, 2]]


def test_one_gender_alone_is_nothing_to_tell_apart(tmp_path):
    known = read_known(("gender",), TABLE, manifest(tmp_path, [("male", "", "")] * 3))
    with pytest.raises(EmonasError, match=r"train\.csv: of gender.*there is male only.*leave"):
        learnt_answers(system(), Path("train.csv"), TABLE, known)


def test_without_any_text_there_is_nothing_to_spell(tmp_path):
    known = read_known(("asr",), TABLE, manifest(tmp_path, [("male", "", "...")] * 3))
    with pytest.raises(EmonasError, match="of text, which the task asr learns, no utterance"):
        learnt_answers(system(), Path("train.csv"), TABLE, known)


def test_a_text_outside_the_declared_characters_is_named(tmp_path):
    known = read_known(("asr",), TABLE, manifest(tmp_path, ROWS))
    with pytest.raises(
        EmonasError,
        match=r"train\.csv: the text of u2 of toy has the character 'é', which is not among",
    ):
        learnt_answers(system(characters="ab "), Path("train.csv"), TABLE, known)
    answers = learnt_answers(system(characters="abcé "), Path("train.csv"), TABLE, known)
    assert answers["asr"] == (" ", "a", "b", "c", "é")


def test_an_utterance_without_a_row_is_named(tmp_path):
    table = pd.DataFrame({"utterance": ["u0", "gone"], "corpus": "toy"})
    with pytest.raises(EmonasError, match="gone of toy: its manifest does not hold it"):
        read_known(("gender",), table, manifest(tmp_path, ROWS))
