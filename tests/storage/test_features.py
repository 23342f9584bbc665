from pathlib import Path

import h5py
import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.storage.features import FeatureFacts, FeatureFile, write_features

PLAIN = FeatureFacts("fbank", {"bands": 4, "folder": "ä b"}, 100.0, code="digest")
LAYERED = FeatureFacts("conformer", {}, 25.0, layers=("2", "12"), checkpoint="abc")
IO = Path("/proc/self/io")


def ragged(facts: FeatureFacts, count: int = 30) -> dict[str, np.ndarray]:
    """Utterances of random lengths in an order that is not alphabetical; one has no frames."""
    generator = np.random.default_rng(8)
    shapes = [(int(length), 4) for length in generator.integers(1, 50, count)]
    shapes[3] = (0, 4)
    if facts.layers:
        shapes = [(len(facts.layers), *shape) for shape in shapes]
    return {
        f"ü{99 - index}": generator.normal(size=shape).astype(np.float32)
        for index, shape in enumerate(shapes)
    }


def write(path: Path, facts: FeatureFacts, values: dict[str, np.ndarray]) -> Path:
    with write_features(path, facts) as writer:
        for name, frames in values.items():
            writer.append(name, frames)
    return path


@pytest.mark.parametrize("facts", [PLAIN, LAYERED])
def test_what_is_written_is_read(tmp_path: Path, facts: FeatureFacts) -> None:
    values = ragged(facts)
    with FeatureFile(write(tmp_path / "a b.h5", facts, values)) as file:
        assert file.facts == facts
        assert file.utterances == tuple(values)
        assert file.width == 4
        for name in reversed(values):
            if facts.layers:
                for index, layer in enumerate(facts.layers):
                    np.testing.assert_array_equal(file.read(name, layer), values[name][index])
            else:
                np.testing.assert_array_equal(file.read(name), values[name])


def test_one_vector_an_utterance(tmp_path: Path) -> None:
    facts = FeatureFacts("ge2e", {}, 0.0)
    values = {"a": np.ones((1, 256), np.float32), "b": np.zeros((1, 256), np.float32)}
    with FeatureFile(write(tmp_path / "f.h5", facts, values)) as file:
        np.testing.assert_array_equal(file.read("a"), values["a"])


def test_unknown_utterances_and_layers_are_told(tmp_path: Path) -> None:
    with FeatureFile(write(tmp_path / "f.h5", LAYERED, ragged(LAYERED))) as file:
        for name, layer in (("nobody", "2"), ("ü99", "3"), ("ü99", None)):
            with pytest.raises(EmonasError, match=r"f\.h5"):
                file.read(name, layer)
    with (
        FeatureFile(write(tmp_path / "g.h5", PLAIN, ragged(PLAIN))) as file,
        pytest.raises(EmonasError, match="layers: none"),
    ):
        file.read("ü99", "2")


def test_frames_that_do_not_fit_leave_no_file(tmp_path: Path) -> None:
    fitting = np.zeros((2, 4), np.float32)
    for frames in (np.zeros((2, 1), np.float32), np.zeros(4, np.float32), fitting[None]):
        with pytest.raises(ValueError, match="second"):
            write(tmp_path / "f.h5", PLAIN, {"first": fitting, "second": frames})
    with pytest.raises(ValueError, match="3 layers, not 2"):
        write(tmp_path / "f.h5", LAYERED, {"first": np.zeros((3, 2, 4), np.float32)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not IO.is_file(), reason="the system does not count what a process reads")
def test_reading_one_utterance_does_not_read_the_file(tmp_path: Path) -> None:
    def bytes_read() -> int:
        return int(IO.read_text().split("rchar:")[1].split()[0])

    generator = np.random.default_rng(9)
    values = {str(i): generator.normal(size=(200, 512)).astype(np.float32) for i in range(60)}
    path = write(tmp_path / "f.h5", PLAIN, values)
    assert path.stat().st_size > 24e6
    with FeatureFile(path) as file:
        before = bytes_read()
        np.testing.assert_array_equal(file.read("37"), values["37"])
        assert bytes_read() - before < 4e6


@pytest.mark.parametrize("kept", [0, 0.02, 0.5, 0.95])
def test_a_truncated_file_is_told(tmp_path: Path, kept: float) -> None:
    path = write(tmp_path / "f.h5", PLAIN, ragged(PLAIN))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(EmonasError, match=r"f\.h5.*make it again"):
        FeatureFile(path)


@pytest.mark.parametrize("damage", ["frames", "offsets", "utterances", "options", "short", "wild"])
def test_a_file_whose_parts_do_not_agree_is_told(tmp_path: Path, damage: str) -> None:
    path = write(tmp_path / "f.h5", PLAIN, ragged(PLAIN))
    with h5py.File(path, "r+") as file:
        if damage == "options":
            file.attrs["options"] = "{"
        elif damage == "short":
            frames = file["frames"][:5]
            del file["frames"]
            file["frames"] = frames
        elif damage == "wild":
            file["offsets"][2] = 10**6
        else:
            del file[damage]
    with pytest.raises(EmonasError, match=r"f\.h5.*make it again"):
        FeatureFile(path)
    with pytest.raises(EmonasError, match=r"missing\.h5"):
        FeatureFile(tmp_path / "missing.h5")


def test_a_broken_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = write(tmp_path / "f.h5", PLAIN, ragged(PLAIN))
    before = path.read_bytes()

    def stop() -> None:
        with write_features(path, PLAIN) as writer:
            writer.append("a", np.zeros((1, 4), np.float32))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
