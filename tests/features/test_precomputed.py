from pathlib import Path

import h5py
import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.features.extraction import Resources, Speech
from emonas.features.extractors import precomputed
from emonas.features.extractors.precomputed import Options
from emonas.features.job import FeatureJob, extract_feature
from emonas.features.kept import KEEP
from emonas.jobs import logged_job
from emonas.learning.options import RuntimeOptions
from emonas.storage.features import FeatureFacts, FeatureFile, write_features
from emonas.storage.manifest import Utterance, write_manifest

SILENCE = np.zeros(0, np.float32)


def frames(seed: int, count: int, width: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


FRAMES = {"03a01Fa": frames(1, 4), "001": frames(2, 7), "long name": frames(3, 1)}
VECTORS = {name: values[0] for name, values in FRAMES.items()}


def write_folder(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    path.mkdir()
    for name, values in arrays.items():
        np.save(path / f"{name}.npy", values)
    return path


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    np.savez(path.with_suffix(".npz"), **arrays)
    return path.with_suffix(".npz")


def write_hdf5(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return path.with_suffix(".h5")


def write_csv(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """Rows of the utterances in turn, so that those of one utterance are not beside each other."""
    rows = [
        (turn, f"{name}," + ",".join(repr(float(value)) for value in values))
        for name, values2 in arrays.items()
        for turn, values in enumerate(np.atleast_2d(values2))
    ]
    lines = ["utterance,a,b,c", *(line for _, line in sorted(rows, key=lambda row: row[0]))]
    path.with_suffix(".csv").write_text("\n".join(lines) + "\n")
    return path.with_suffix(".csv")


def write_own(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    target = path.with_suffix(".h5")
    with write_features(target, FeatureFacts("mfcc", {}, 100.0)) as writer:
        for name, values in arrays.items():
            writer.append(name, np.atleast_2d(values))
    return target


WRITERS = [write_folder, write_npz, write_hdf5, write_csv, write_own]


def build(file: Path, **options: object) -> precomputed.Precomputed:
    resources = Resources(RuntimeOptions(), corpus="emodb")
    return precomputed.build(Options(file=str(file), **options), resources)


def extract(file: Path, *names: str) -> list[np.ndarray]:
    return build(file).extract([Speech(name, SILENCE) for name in names])


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("arrays", [FRAMES, VECTORS], ids=["frames", "vectors"])
def test_arrays_come_as_they_are_in_any_order(tmp_path, write, arrays):
    file = write(tmp_path / "my arrays", arrays)
    names = ["long name", "03a01Fa", "001"]
    build(file).check(names)
    given = extract(file, *names)
    for name, values in zip(names, given, strict=True):
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, np.atleast_2d(arrays[name]))


@pytest.mark.parametrize("write", WRITERS)
def test_missing_utterances_are_counted_named_and_all_in_the_log(tmp_path, write):
    file = write(tmp_path / "arrays", FRAMES)
    wanted = ["001", *(f"absent{number:02}" for number in range(12))]
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit), logged_job(log):
        build(file).check(wanted)
    lines = log.read_text().splitlines()
    assert [line.split(": ")[-1] for line in lines[:-1]] == wanted[1:]
    sentence = lines[-1]
    assert "12 of 13 utterances of emodb are missing" in sentence
    assert "absent09, ...)" in sentence
    assert "absent10" not in sentence
    assert "3 names, such as 001" in sentence


def test_what_was_kept_of_a_folder_is_not_used_where_a_file_in_it_changed(tmp_path, monkeypatch):
    monkeypatch.setenv(KEEP, "0")
    arrays = {"a": frames(1, 4), "b": frames(2, 5), "c": frames(3, 6, width=2)}
    folder = write_folder(tmp_path / "arrays", arrays)
    rows = [
        # So long that each is a batch, which is kept.
        Utterance(name, "", "emodb", "", "s", "", "", "", "", "", 60.0, 16000, "")
        for name in arrays
    ]
    write_manifest(tmp_path / "manifest.csv", rows)
    job = FeatureJob(
        corpus="emodb",
        feature="mine",
        options=Options(file=str(folder)),
        manifest=tmp_path / "manifest.csv",
        resources=Resources(RuntimeOptions(), corpus="emodb"),
        resume=tmp_path / "resume",
        code="",
    )
    with pytest.raises(EmonasError, match="c is frames of 2 features"):
        extract_feature(job, tmp_path / "mine.h5")
    assert len(list(job.resume.rglob("0*.h5"))) == 2
    changed = {"a": frames(4, 4), "b": arrays["b"], "c": frames(5, 6)}
    for name, values in changed.items():
        np.save(folder / f"{name}.npy", values)
    extract_feature(job, tmp_path / "mine.h5")
    with FeatureFile(tmp_path / "mine.h5") as file:
        for name, values in changed.items():
            np.testing.assert_array_equal(file.read(name), values)


def test_one_feature_serves_several_corpora(tmp_path):
    write_npz(tmp_path / "emodb", FRAMES)
    options = Options(file=f"{tmp_path}/{{corpus}}.npz")
    assert options.files("msp") == [tmp_path / "msp.npz"]
    extractor = precomputed.build(options, Resources(RuntimeOptions(), corpus="emodb"))
    assert extractor.extract([Speech("001", SILENCE)])[0].shape == (7, 3)
    with pytest.raises(EmonasError, match=r"msp\.npz: there is no such file or folder"):
        precomputed.build(options, Resources(RuntimeOptions(), corpus="msp"))


def test_the_frame_rate_is_the_settings_or_the_files(tmp_path):
    npz, own = write_npz(tmp_path / "a", FRAMES), write_own(tmp_path / "b", FRAMES)
    assert build(npz).frame_rate == 0
    assert build(npz, frame_rate=50).frame_rate == 50
    assert build(own).frame_rate == 100
    assert build(own, frame_rate=50).frame_rate == 50


def test_nested_groups_and_folders_are_joined_with_a_slash(tmp_path):
    file = write_hdf5(tmp_path / "nested", {"s1/u1": FRAMES["001"], "s2/u1": FRAMES["03a01Fa"]})
    folder = tmp_path / "nested folder"
    (folder / "s1").mkdir(parents=True)
    np.save(folder / "s1/u1.npy", FRAMES["001"])
    np.testing.assert_array_equal(extract(file, "s2/u1")[0], FRAMES["03a01Fa"])
    np.testing.assert_array_equal(extract(folder, "s1/u1")[0], FRAMES["001"])
    with pytest.raises(EmonasError, match="1 of 1 utterances of emodb are missing"):
        build(file).check(["s1"])


@pytest.mark.parametrize("write", [write_folder, write_npz, write_hdf5])
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (frames(1, 4, width=5), "wrong is frames of 5 features, where right is frames of 3 "),
        (frames(1, 1)[0], "wrong is a vector of 3, where right is frames of 3 features"),
        (np.zeros((2, 2, 2)), r"wrong has the shape \(2, 2, 2\), no vector and no frames"),
        (np.zeros((0, 3)), r"wrong has the shape \(0, 3\)"),
        (np.float32(3), r"wrong has the shape \(\)"),
        (np.full((2, 3), np.nan), "wrong holds numbers that are not finite"),
        (np.full((2, 3), 1e200), "wrong holds numbers that are not finite in float32"),
        (np.full((2, 3), b"x"), "wrong holds .*, no numbers"),
        (np.full((2, 3), 1j), "wrong holds complex128, no numbers"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, write, wrong, sentence):
    file = write(tmp_path / "arrays", {"right": FRAMES["001"], "wrong": wrong})
    extractor = build(file)
    extractor.extract([Speech("right", SILENCE)])
    with pytest.raises(EmonasError, match=sentence) as caught:
        extractor.extract([Speech("wrong", SILENCE)])
    assert str(caught.value).startswith(f"{file}: ")


def test_nothing_is_unpickled(tmp_path):
    objects = np.array([{"a": 1}, None], dtype=object)
    np.savez(tmp_path / "a.npz", u=objects)
    folder = tmp_path / "b"
    folder.mkdir()
    np.save(folder / "u.npy", objects)
    for path in (tmp_path / "a.npz", folder):
        with pytest.raises(EmonasError, match=r"u: this can't be read \(Object arrays cannot be"):
            extract(path, "u")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,a\nu,1\n", "the column utterance is missing"),
        ("utterance,a,b\nu,1,2\nv,1,high\n", "row 2, column b: 'high' is no number"),
        ("utterance,a,b\nu,1,\n", "row 1, column b: .* is no number"),
        (",utterance,a\n0,u,1\n", "a column has no name; write the table without its index"),
        ("", r"this can't be read \(No columns"),
        ("utterance,a\nu,1,2,3\n", "the first row has more cells than the header"),
        ("utterance,a\nu,1\nv,1,2\n", "Expected 2 fields in line 3, saw 3"),
        ("utterance,a\nu,1e400\n", "u holds numbers that are not finite"),
        ("utterance\nu\n", "u has the shape"),
    ],
)
def test_a_wrong_csv_is_one_sentence(tmp_path, text, sentence):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(EmonasError, match=sentence):
        extract(tmp_path / "a.csv", "u")


@pytest.mark.parametrize("write", [write_npz, write_hdf5])
def test_a_truncated_file_is_one_sentence(tmp_path, write):
    file = write(tmp_path / "a", {"u": frames(1, 5000)})
    file.write_bytes(file.read_bytes()[:20000])
    with pytest.raises(EmonasError, match=r"this can't be read .*; write it again"):
        extract(file, "u")


def test_other_formats_and_layers_are_refused(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"x")
    with pytest.raises(EmonasError, match=r"a\.mat: is of no known format; give a folder of"):
        build(tmp_path / "a.mat")
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, FRAMES["001"])
    with pytest.raises(EmonasError, match="is one array and no npz"):
        build(tmp_path / "a.npz")
    target = tmp_path / "layered.h5"
    with write_features(target, FeatureFacts("bert", {}, 0.0, layers=("1", "2"))) as writer:
        writer.append("u", np.zeros((2, 3, 4), np.float32))
    with pytest.raises(EmonasError, match="holds layers; give a feature file without layers"):
        build(target)
