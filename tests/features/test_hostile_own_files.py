"""Files of arrays that somebody else wrote: read, or a sentence with the file; no other file is."""

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.features import own_files, own_numpy
from emonas.features.own_files import OwnArrays
from emonas.storage.features import FeatureFacts, write_features

NUMBERS = np.arange(12, dtype="<f4").reshape(4, 3)


def npy(shape: object, descr: object = "<f4", data: bytes = NUMBERS.tobytes()) -> bytes:
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def folder(path: Path, content: bytes) -> Path:
    path.mkdir()
    (path / "u.npy").write_bytes(content)
    return path


def npz(path: Path, content: bytes, packing: int = zipfile.ZIP_STORED) -> Path:
    path = path.with_suffix(".npz")
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("u.npy", content)
    return path


def edited(path: Path, changes: dict[tuple[bytes, int], int]) -> Path:
    """The file with bytes set, each at a distance from the first place of a mark."""
    content = bytearray(path.read_bytes())
    for (mark, distance), value in changes.items():
        content[content.index(mark) + distance] = value
    path.write_bytes(content)
    return path


def encrypted(path: Path) -> Path:
    return edited(npz(path, npy((4, 3))), {(b"PK\3\4", 6): 1, (b"PK\1\2", 8): 1})


def packed_unknown(path: Path) -> Path:
    return edited(npz(path, npy((4, 3))), {(b"PK\3\4", 8): 99, (b"PK\1\2", 10): 99})


def packed_damaged(path: Path) -> Path:
    file = npz(path, npy((4, 3)), zipfile.ZIP_LZMA)
    return edited(file, {(b"u.npy", place): 255 for place in range(10, 40)})


def pipe(path: Path) -> Path:
    path.mkdir()
    os.mkfifo(path / "u.npy")
    return path


def hdf5(path: Path, fill: Callable[[h5py.File], object]) -> Path:
    path = path.with_suffix(".h5")
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def secret(file: h5py.File) -> list[tuple[str, int, int]]:
    """Another file of the machine, as the storage of a dataset."""
    other = Path(file.filename).with_name("secret")
    other.write_bytes(NUMBERS.tobytes())
    return [(str(other), 0, NUMBERS.nbytes)]


def external(file: h5py.File, name: str = "u") -> None:
    file.create_dataset(name, (4, 3), "<f4", external=secret(file))


def virtual(file: h5py.File) -> None:
    other = Path(file.filename).with_name("other.h5")
    with h5py.File(other, "w") as source:
        source["x"] = NUMBERS
    layout = h5py.VirtualLayout((4, 3), "<f4")
    layout[:] = h5py.VirtualSource(str(other), "x", (4, 3))
    file.create_virtual_dataset("u", layout)


def feature(path: Path, **changed: Callable[[h5py.File], object]) -> Path:
    """A file in the form of emonas's own, with something of it put in another's place."""

    def fill(file: h5py.File) -> None:
        facts = {"extractor": "x", "checkpoint": "", "code": "", "digest": "", "store": "float32"}
        file.attrs.update(facts | {"options": "{}", "layers": "[]", "frame_rate": 100.0})
        file["utterances"], file["offsets"], file["frames"] = [b"u"], [0, 4], NUMBERS
        for name, change in changed.items():
            if name in file:
                del file[name]
            change(file)

    return hdf5(path, fill)


def other_frames(path: Path) -> Path:
    return feature(path, frames=lambda file: external(file, "frames"))


def linked_frames(path: Path) -> Path:
    with h5py.File(path.with_name("other.h5"), "w") as other:
        other["x"] = NUMBERS
    link = h5py.ExternalLink(str(path.with_name("other.h5")), "x")
    return feature(path, frames=lambda file: file.__setitem__("frames", link))


def endless_offsets(path: Path) -> Path:
    return feature(path, offsets=lambda file: file.create_dataset("offsets", (10**12,), "i8"))


def offsets_before(path: Path) -> Path:
    return feature(path, offsets=lambda file: file.__setitem__("offsets", [-4, 4]))


def no_rate(path: Path) -> Path:
    return feature(path, rate=lambda file: file.attrs.__setitem__("frame_rate", float("nan")))


def claimed(path: Path, **options: object) -> Path:
    return hdf5(path, lambda file: file.create_dataset("u", (10**12,), "f4", **options))


def damaged(path: Path) -> Path:
    """A feature file of emonas's own that somebody uses as theirs."""
    path = path.with_suffix(".h5")
    with write_features(path, FeatureFacts("mfcc", {}, 100.0)) as writer:
        writer.append("u", NUMBERS)
    content = bytearray(path.read_bytes())
    content[content.index(NUMBERS.tobytes()) + 5] ^= 1
    path.write_bytes(content)
    return path


FILES = [
    (lambda path: folder(path, npy((10**12,))), "says 4,000,000,000,000 bytes, and 48 are there"),
    (lambda path: folder(path, npy((2**40, 2**40))), "bytes, and 48 are there"),
    (lambda path: folder(path, npy((-4, -3))), "its header says"),
    (lambda path: folder(path, b"\x93NUMPY\1\0\x28\x23" + b"(" * 9000), "this can't be read"),
    (lambda path: folder(path, npy((1,), "|O")), "Object arrays cannot be loaded"),
    (lambda path: folder(path, b"\x93NUMPY\7\0"), "its version (7, 0) is not known"),
    (pipe, "this is no file"),
    (lambda path: npz(path, npy((10**11,))), "says 400,000,000,000 bytes, and 48 are there"),
    (encrypted, "password required"),
    (packed_unknown, "compression"),
    (packed_damaged, "this can't be read"),
    (lambda path: hdf5(path, external), "u lies in another file"),
    (lambda path: hdf5(path, virtual), "u lies in another file"),
    (claimed, "u says that it has 4,000,000,000,000 bytes, and 0 are there"),
    (lambda path: claimed(path, chunks=(1000,)), "bytes, and 0 are there"),
    (lambda path: claimed(path, chunks=(1000,), compression="gzip"), "bytes, and 0 are there"),
    (lambda path: hdf5(path, lambda file: file.__setitem__("u", ["a", "bc"])), "no numbers"),
    (lambda path: hdf5(path, lambda file: file.__setitem__(b"\xff", NUMBERS)), "is no UTF-8"),
    (other_frames, "frames lies in another file"),
    (linked_frames, "frames is a link that names another place"),
    (endless_offsets, "offsets says that it has 8,000,000,000,000 bytes"),
    (offsets_before, "offsets and utterances do not agree"),
    (no_rate, "its frame_rate is nan; write frames a second, or 0"),
    (damaged, "the frames of u are not those written; write it again"),
]


@pytest.mark.fault
@pytest.mark.parametrize(("write", "words"), FILES, ids=range(len(FILES)))
def test_a_file_that_is_meant_to_do_harm(tmp_path, tally, write, words):
    path = write(tmp_path / "my arrays")
    with pytest.raises(EmonasError) as caught:
        OwnArrays(path).read("u")
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert words in said
    assert said.isprintable()
    assert "snakemake" not in said  # No rule makes a file of the user's.
    tally("files of arrays that are meant to do harm")


@pytest.mark.fault
@pytest.mark.parametrize("link", [h5py.SoftLink("/v"), h5py.ExternalLink("other.h5", "x")])
def test_links_to_other_places_are_no_arrays(tmp_path, tally, link):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = NUMBERS
    path = hdf5(tmp_path / "a", lambda file: file.update({"u": link, "g/v": NUMBERS}))
    assert OwnArrays(path).names == {"g/v"}
    tally("files of arrays that are meant to do harm")


@pytest.mark.fault
def test_little_that_stands_for_much_is_not_unpacked(tmp_path, tally, monkeypatch):
    """Two of 64 MiB of zeros, where 2 MiB are allowed: nothing of that size is made room for."""
    monkeypatch.setattr(own_numpy, "LARGEST", 2**21)
    monkeypatch.setattr(own_files, "LARGEST", 2**21)
    zeros = np.zeros(2**24, np.float32)
    np.savez_compressed(tmp_path / "a.npz", u=zeros)
    hdf5(tmp_path / "b", lambda file: file.create_dataset("u", data=zeros, compression="gzip"))
    for name in ("a.npz", "b.h5"):
        with pytest.raises(EmonasError, match=r"bytes are packed in it, 2,097,152 at most"):
            OwnArrays(tmp_path / name).read("u")
        tally("files of arrays that are meant to do harm")


def test_what_is_large_and_not_packed_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(own_numpy, "LARGEST", 8)
    monkeypatch.setattr(own_files, "LARGEST", 8)
    np.savez(tmp_path / "a.npz", u=NUMBERS)
    hdf5(tmp_path / "b", lambda file: file.__setitem__("u", NUMBERS))
    for name in ("a.npz", "b.h5"):
        np.testing.assert_array_equal(OwnArrays(tmp_path / name).read("u"), NUMBERS)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "i2", "?"])
def test_arrays_of_every_layout_are_read_as_numpy_reads_them(tmp_path, order, dtype):
    values = np.asarray(NUMBERS > 5 if dtype == "?" else NUMBERS, dtype, order=order)
    np.savez_compressed(tmp_path / "a.npz", u=values)
    (tmp_path / "b").mkdir()
    np.save(tmp_path / "b" / "u.npy", values)
    for path in (tmp_path / "a.npz", tmp_path / "b"):
        np.testing.assert_array_equal(OwnArrays(path).read("u"), values.astype(np.float32))
