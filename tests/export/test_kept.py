"""What a result may not hold where it is in a bundle."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest

from emonas.errors import DamagedFileError
from emonas.export.kept import (
    KeptDocument,
    KeptInflated,
    KeptManifest,
    KeptNumbers,
    KeptPredictions,
    KeptTable,
)
from emonas.storage.folds import PART_COLUMNS, write_part
from emonas.storage.inflated import BEST_EPOCH, SCALED
from emonas.storage.manifest import MANIFEST_COLUMNS
from emonas.storage.predictions import Predictions, TaskPredictions, write_predictions
from emonas.storage.sealing import seal
from emonas.storage.tables import read_table, write_rows, write_table

SAID = "a secret sentence"


def more(kind, path):
    """Whether a result holds more than the same that is stripped."""
    stripped = path.with_name("stripped")
    kind.strip(path, stripped)
    return kind.holds_more(path, stripped)


def test_a_part_has_its_own_columns_and_its_own_digest(tmp_path):
    path = tmp_path / "test.csv"
    table = pd.DataFrame({"utterance": ["u"], "corpus": "c", "label": "sad", "domain": ""})
    write_part(path, table)
    assert not more(KeptTable(PART_COLUMNS), path)
    (tmp_path / "test.csv.sha256").write_text(SAID)
    with pytest.raises(DamagedFileError, match="its bytes are not those"):
        more(KeptTable(PART_COLUMNS), path)
    (tmp_path / "test.csv.sha256").unlink()
    write_table(path, table.assign(words=SAID))
    assert more(KeptTable(PART_COLUMNS), path)


@pytest.mark.parametrize("column", ["audio", "text", "transcript"])
def test_a_manifest_has_no_text_in_any_column(tmp_path, column):
    row = {**dict.fromkeys(MANIFEST_COLUMNS, ""), "seconds": "1.0", "sampling_rate": "16000"}
    write_rows(tmp_path / "manifest.csv", [row])
    assert not more(KeptManifest(), tmp_path / "manifest.csv")
    write_rows(tmp_path / "manifest.csv", [{**row, column: SAID}])
    assert more(KeptManifest(), tmp_path / "manifest.csv")
    assert SAID not in (tmp_path / "stripped").read_text()


def test_numbers_of_epochs_have_no_text_among_them(tmp_path):
    path = tmp_path / "history.csv"
    kind = KeptNumbers(texts=("candidate",))
    row = {"candidate": "rnn", "epoch": "1", "loss": "nan", "ua": ""}
    write_rows(path, [row])
    assert not more(kind, path)
    assert more(KeptNumbers(columns=("epoch", "loss")), path)
    assert not more(KeptNumbers(("candidate",), tuple(read_table(path).columns)), path)
    write_rows(path, [row, {**row, "loss": SAID}])
    assert more(kind, path)
    path.write_text("\n")
    assert not more(kind, path)


def test_a_document_has_its_own_keys(tmp_path):
    path, kind = tmp_path / "cost.json", KeptDocument(frozenset(("macs", "derived")))
    for told, other in (({"macs": 1}, False), ({"macs": 1, "words": None}, True), ([1], True)):
        path.write_text(json.dumps(told))
        assert more(kind, path) == other


FOUND = Predictions(
    ("u1", "u2"),
    ("c", "c"),
    ("sad", "sad"),
    ("happy", "sad"),
    np.zeros((2, 2), np.float32),
    np.zeros((2, 3), np.float32),
)


def dataset(file):
    file["test"]["words"] = np.array([SAID.encode()] * 2)


def attribute(file):
    file["test/logits"].attrs["words"] = SAID


def of_the_file(file):
    file.attrs["words"] = SAID


def link(file):
    file["test"]["words"] = h5py.SoftLink(f"/{SAID}")


def part(file):
    file.copy("test", "train")


def group(file):
    file["test"].create_group(SAID)


@pytest.mark.parametrize("add", [dataset, attribute, of_the_file, link, part, group])
@pytest.mark.parametrize("kind", [KeptPredictions(("test",)), KeptInflated()])
def test_predictions_have_nothing_that_their_writer_does_not_write(tmp_path, kind, add):
    """By a forger, who seals them again."""
    path, inflated = tmp_path / "p.h5", isinstance(kind, KeptInflated)
    found = replace(FOUND, embedding=FOUND.embedding[:, :0]) if inflated else FOUND
    own = SCALED if inflated else "test"
    write_predictions(path, {own: found})
    assert not more(kind, path)
    with h5py.File(path, "r+") as file:
        file.move(own, "test")
        add(file)
        for each in file.values():
            each.attrs.pop("seal")
            seal(each)
        file.move("test", own)
    assert more(kind, path)


def test_predictions_under_habits_are_of_emotion_alone(tmp_path):
    path = tmp_path / "inflated.h5"
    honest = replace(FOUND, embedding=FOUND.embedding[:, :0])
    write_predictions(path, {BEST_EPOCH: honest, SCALED: honest})
    assert not more(KeptInflated(), path)
    said = TaskPredictions((SAID, ""), ("", ""), ("a",))
    write_predictions(path, {SCALED: replace(honest, tasks={"gender": said})})
    assert more(KeptInflated(), path)


def test_words_put_back_are_found(tmp_path):
    said = TaskPredictions(("a", "a"), ("a", ""), ("a",), edits=np.ones((2, 4), np.int64))
    write_predictions(tmp_path / "p.h5", {"test": replace(FOUND, tasks={"asr": said})})
    assert more(KeptPredictions(("test",)), tmp_path / "p.h5")
