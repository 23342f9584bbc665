import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.search.recipe_archive import read_archive

ARCHIVE = (
    Path(__file__).parents[2].parent / "shared" / "nas_bench_nlp" / "train_logs_wikitext-2.zip"
)
RNN = {
    "f": {"op": "linear", "input": ["x", "h_prev_0"]},
    "h_new_0": {"op": "activation_tanh", "input": ["f"]},
}


def log(number, losses, status="OK", recipe=RNN):
    return json.dumps(
        {
            "recepie_id": number,
            "recepie": json.dumps(recipe),
            "val_losses": losses,
            "status": status,
        }
    )


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "some logs.zip"
    endless = {"a": {"op": "linear", "input": ["b"]}, "b": {"op": "linear", "input": ["a"]}}
    entries = {
        "logs/b.json": log(2, [5.0, 3.0, 4.0]),
        "logs/a.json": log(1, [6.0, 5.0]),
        "logs/again.json": log(1, [4.5]),
        "logs/c.json": log(3, [3.5]),
        "logs/nan.json": log(4, [7.0, float("nan")], "loss is nan!"),
        "logs/cut.json": log(5, [1.0])[:40],
        "logs/text.json": b"\xff\xfe",
        "logs/list.json": "[]",
        "logs/lacks.json": json.dumps({"status": "OK", "recepie_id": 6, "val_losses": [1.0]}),
        "logs/endless.json": log(7, [1.0], recipe={**RNN, **endless}),
        "logs/odd.json": log(8, [1.0], recipe={"h_new_0": {"op": "softmax", "input": ["x"]}}),
        "logs/empty.json": log(9, []),
        "readme.txt": "not a log",
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, text in entries.items():
            file.writestr(name, text)
    return path


def test_damaged_entries_are_listed_and_the_others_read(archive):
    found = read_archive(archive)
    assert [(entry.name, entry.loss) for entry in found.recipes] == [
        ("1", 5.0),
        ("1", 4.5),
        ("2", 3.0),
        ("3", 3.5),
    ]
    assert found.failed == {"loss is nan!": 1}
    problems = dict(found.problems)
    assert set(problems) == {
        f"logs/{name}.json" for name in ("cut", "text", "list", "lacks", "endless", "odd", "empty")
    }
    assert "recepie" in problems["logs/lacks.json"]
    assert "wait for each other" in problems["logs/endless.json"]


def test_a_flipped_byte_spoils_one_entry_only(tmp_path):
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.json", log(1, [5.0]))
        file.writestr("b.json", log(2, [6.0]))
    data = bytearray(path.read_bytes())
    data[data.index(b"val_losses")] ^= 1
    path.write_bytes(data)
    found = read_archive(path)
    assert [entry.name for entry in found.recipes] == ["2"]
    assert [entry for entry, _ in found.problems] == ["a.json"]


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_packing_spoils_one_entry_only(tmp_path, packing):
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w", packing) as file:
        file.writestr("a.json", log(1, [5.0]))
        file.writestr("b.json", log(2, [6.0]))
    data = bytearray(path.read_bytes())
    data[45:70] = b"\xff" * 25
    path.write_bytes(data)
    found = read_archive(path)
    assert [entry.name for entry in found.recipes] == ["2"]
    assert [entry for entry, _ in found.problems] == ["a.json"]


def test_a_pipe_is_no_archive(tmp_path):
    os.mkfifo(tmp_path / "logs.zip")
    with pytest.raises(EmonasError, match="no such file"):
        read_archive(tmp_path / "logs.zip")


def test_the_pool_is_cut_by_published_loss_or_drawn(archive):
    found = read_archive(archive)
    assert [entry.name for entry in found.best(2)] == ["2", "3"]
    assert [(entry.name, entry.loss) for entry in found.best(9)][-1] == ("1", 4.5)
    draws = [found.sample(2, np.random.default_rng(seed)) for seed in range(20)]
    assert all(len({entry.name for entry in draw}) == 2 for draw in draws)
    assert {entry.name for draw in draws for entry in draw} == {"1", "2", "3"}
    assert draws[3] == found.sample(2, np.random.default_rng(3))


@pytest.mark.skipif(not ARCHIVE.exists(), reason="the archive is not here")
def test_the_release_archive():
    found = read_archive(ARCHIVE)
    assert len(found.recipes) == 341
    assert found.failed == {"loss is nan!": 4}
    assert found.problems == []
    assert len(found.pool()) == 340  # recipe 1002429 was trained twice
    assert found.best(1)[0].loss == min(entry.loss for entry in found.recipes)


def test_what_is_no_archive_is_said_plainly(tmp_path):
    with pytest.raises(EmonasError, match="no such file"):
        read_archive(tmp_path / "nowhere.zip")
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(EmonasError, match="no zip archive"):
        read_archive(tmp_path / "text.zip")
