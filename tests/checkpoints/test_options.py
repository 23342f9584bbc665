from pathlib import Path

import pytest
from pydantic import ValidationError

from emonas.checkpoints.options import CheckpointOptions
from emonas.checkpoints.places import checkpoint_folder, fetched_path, locate

HUB = "facebook/wav2vec2-base"


@pytest.mark.parametrize(
    "values",
    [
        {"address": "ftp://a/b"},
        {"address": "a/b.pt"},
        {"address": "https://a.org/"},
        {"address": "https://a.org/b/%2e%2e"},
        {"address": "https://a.org/b", "hub": HUB},
        {"hub": "../../etc"},
        {"hub": ".."},
        {"hub": "a/b/c"},
        {"hub": HUB, "revision": "../x"},
        {"path": "a", "sha256": "ABC"},
        {"path": "a", "size": 0},
    ],
)
def test_a_source_that_cannot_be_is_refused(values):
    with pytest.raises(ValidationError):
        CheckpointOptions.model_validate(values)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"address": "https://a.org/b/w%20l.pt?download=1#x"}, "w l.pt"),
        ({"address": "file:///a b/w.pt"}, "w.pt"),
        ({"hub": HUB}, "facebook--wav2vec2-base"),
        ({"hub": "bert-base-uncased"}, "bert-base-uncased"),
        ({"hub": HUB, "revision": "refs/pr/2"}, "facebook--wav2vec2-base@refs--pr--2"),
    ],
)
def test_fetched_weights_keep_their_name(values, name):
    assert fetched_path(CheckpointOptions(**values), Path("f")) == Path("f", name)


def test_a_path_may_begin_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert CheckpointOptions(path="~/w.pt").path == Path("/home/someone/w.pt")


def test_the_folder_is_the_users(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert checkpoint_folder() == Path("/home/someone/.cache/emonas/checkpoints")
    monkeypatch.setenv("XDG_CACHE_HOME", "/fast")
    assert checkpoint_folder() == Path("/fast/emonas/checkpoints")
    monkeypatch.setenv("EMONAS_CHECKPOINTS", "~/weights")
    assert checkpoint_folder() == Path("/home/someone/weights")


def test_what_serves_without_fetching_is_located(tmp_path, monkeypatch):
    monkeypatch.setenv("EMONAS_CHECKPOINTS", str(tmp_path))
    address = CheckpointOptions(address="https://a.org/w.pt")
    given = CheckpointOptions(address="https://a.org/w.pt", path=tmp_path / "mine.pt")
    assert locate(address) is locate(given) is locate(CheckpointOptions()) is None
    (tmp_path / "w.pt").touch()
    assert locate(address) == tmp_path / "w.pt"
    assert locate(given) is None
    (tmp_path / "mine.pt").touch()
    assert locate(given) == tmp_path / "mine.pt"
