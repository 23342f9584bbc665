import argparse
import hashlib
import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from emonas.checkpoints.reading import _problem, digest_of, files_of, read_state
from emonas.errors import EmonasError


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch '{self.target}'",)


def refusal(path):
    with pytest.raises(EmonasError) as caught:
        read_state(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


def test_the_digest_of_a_file_is_its_sha256(tmp_path):
    path = tmp_path / "a file.pt"
    path.write_bytes(b"weights" * 1000)
    assert digest_of(path) == hashlib.sha256(b"weights" * 1000).hexdigest()


def test_the_digest_of_a_folder_is_that_of_its_sorted_list(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.txt").write_bytes(b"1")
    (tmp_path / "b.txt").write_bytes(b"2")
    (tmp_path / "a").write_bytes(b"3")
    lines = "".join(
        f"{name} {hashlib.sha256(content).hexdigest()}\n"
        for name, content in [("a", b"3"), ("b.txt", b"2"), ("b/x.txt", b"1")]
    )
    digest = digest_of(tmp_path)
    assert digest == hashlib.sha256(lines.encode()).hexdigest()
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "state").write_bytes(b"4")
    (tmp_path / ".lock").write_bytes(b"5")
    assert digest_of(tmp_path) == digest
    (tmp_path / "b.txt").rename(tmp_path / "c.txt")
    assert digest_of(tmp_path) != digest


def test_links_of_a_folder_are_followed(tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "one").write_bytes(b"1")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w.bin").symlink_to("../blobs/one")
    line = f"w.bin {hashlib.sha256(b'1').hexdigest()}\n"
    assert digest_of(tmp_path / "model") == hashlib.sha256(line.encode()).hexdigest()


def test_nothing_has_no_digest(tmp_path):
    with pytest.raises(EmonasError, match="there is no such file or folder"):
        digest_of(tmp_path / "missing")
    with pytest.raises(EmonasError, match="the folder holds no file"):
        digest_of(tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saves_comes_back_with_a_namespace(tmp_path, zipped):
    path = tmp_path / "w.pt"
    state = OrderedDict(a=torch.arange(6.0).reshape(2, 3), b=torch.tensor([1], dtype=torch.half))
    saved = {"args": argparse.Namespace(layers="[(1, 2)]"), "model": state, "epoch": 3}
    torch.save(saved, path, _use_new_zipfile_serialization=zipped)
    read = read_state(path)
    assert vars(read["args"]) == {"layers": "[(1, 2)]"}
    assert read["epoch"] == 3
    assert {name: value.tolist() for name, value in read["model"].items()} == {
        "a": [[0, 1, 2], [3, 4, 5]],
        "b": [1],
    }
    assert read["model"]["b"].dtype == torch.half


def test_safetensors_come_back(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.arange(3)}, path)
    assert read_state(path)["a"].tolist() == [0, 1, 2]


def test_the_allowlist_ends_with_the_reading(tmp_path):
    path = tmp_path / "w.pt"
    torch.save(argparse.Namespace(a=1), path)
    assert read_state(path).a == 1
    assert argparse.Namespace not in torch.serialization.get_safe_globals()


@pytest.mark.parametrize("form", ["zip", "legacy", "plain"])
def test_code_in_a_file_is_refused_and_not_run(tmp_path, form):
    path, target = tmp_path / "evil.pt", tmp_path / "was run"
    value = {"model": {"a": torch.zeros(1)}, "args": Bomb(target)}
    if form == "plain":
        path.write_bytes(pickle.dumps(Bomb(target), protocol=2))
    else:
        torch.save(value, path, _use_new_zipfile_serialization=form == "zip")
    text = refusal(path)
    assert "holds more than weights: reading it would run code that it names" in text
    assert "system" in text
    assert not target.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_pickle_of_another_program_is_refused_and_not_run(tmp_path, protocol):
    path, target = tmp_path / "evil.pt", tmp_path / "was run"
    path.write_bytes(pickle.dumps({"a": [1.5], "b": Bomb(target)}, protocol=protocol))
    assert "more than weights" in refusal(path)
    assert not target.exists()


def test_a_harmless_object_is_refused_by_its_name(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"best": np.float64(0.5), "model": {}}, path)
    assert "numpy" in refusal(path)


@pytest.mark.filterwarnings("ignore")
def test_a_program_is_refused(tmp_path):
    path = tmp_path / "final.zip"
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), path)
    assert "it is a TorchScript program" in refusal(path)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_one_sentence(tmp_path, zipped, share):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.rand(5000)}, path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "this is no whole checkpoint" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"version https://git-lfs"])
@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_another_file_is_one_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert "this is no whole checkpoint" in refusal(tmp_path / name)


def test_another_archive_is_one_sentence(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("read me", "hello")
    assert "download it again" in refusal(tmp_path / "w.pt")


def test_an_error_that_can_not_be_written_is_one_sentence():
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(RecursionError):
        str(ValueError(nested))
    assert "this is no whole checkpoint (ValueError)" in _problem(ValueError(nested), b"")


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_pipes_and_devices_are_not_read(tmp_path, name):
    """Who opened them would wait for ever."""
    os.mkfifo(tmp_path / name)
    assert "this is a pipe or a device" in refusal(tmp_path / name)
    with pytest.raises(EmonasError, match="there is no such file"):
        digest_of(tmp_path / name)
    (tmp_path / "zero.pt").symlink_to("/dev/zero")
    assert "this is a pipe or a device" in refusal(tmp_path / "zero.pt")


def test_pipes_in_a_folder_are_no_part_of_it(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "w.bin").write_bytes(b"1")
    digest = digest_of(folder)
    os.mkfifo(folder / "pipe")
    (folder / "zero").symlink_to("/dev/zero")
    assert list(files_of(folder)) == ["w.bin"]
    assert digest_of(folder) == digest
    (folder / "lost").symlink_to("nowhere")
    with pytest.raises(EmonasError, match="lost: the checkpoint cannot be read"):
        digest_of(folder)


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_a_missing_file_and_a_folder_are_one_sentence(tmp_path, name):
    assert "No such file" in refusal(tmp_path / name)
    (tmp_path / name).mkdir()
    assert "this is a folder" in refusal(tmp_path / name)
