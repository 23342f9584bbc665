"""WAV (RIFF, RIFX, RF64) and AIFF: chunks, one of which describes the samples and one holds them.

Microsoft, Multimedia Programming Interface 1.0; EBU Tech 3306 (RF64); Apple, AIFF 1.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from emonas.corpora.containers.promise import BrokenPromiseError, File, Promise

_MOST = 10_000
"""Chunks that are looked at: a file of zeros would be one every 8 bytes."""
_UNKNOWN = 0xFFFFFFFF
"""The length of samples that were written into a pipe; in RF64, of those that `ds64` tells."""
_ORDERS: dict[bytes, Literal["little", "big"]] = {
    b"RIFF": "little",
    b"RIFX": "big",
    b"RF64": "little",
    b"FORM": "big",
}
_BLOCK = slice(12, 14)
"""Of `fmt `: bytes of a sample of all channels."""
_FRAMES = slice(2, 6)
"""Of `COMM`: samples of each channel."""
_LARGE = slice(8, 16)
"""Of `ds64`: bytes of the samples."""


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    length: int
    start: int
    head: bytes


def promise(file: File) -> Promise:
    """What `fmt ` and `data`, or `COMM`, say.

    Raises:
        BrokenPromiseError: a chunk is missing, or the file ends within the samples.
    """
    file.content.seek(0)
    order = _ORDERS.get(file.content.read(4))
    if order is None:
        raise BrokenPromiseError("it is damaged: its header does not stand at its begin")

    def number(field: bytes) -> int:
        return int.from_bytes(field, order)

    found: dict[bytes, _Chunk] = {}
    for chunk in _chunks(file, order):
        found.setdefault(chunk.name, chunk)
        if chunk.name in (b"data", b"SSND"):
            break
    # COMM may stand behind the samples.
    samples = found.get(b"data") or found.get(b"SSND")
    form = found.get(b"fmt ") or found.get(b"COMM") or _later(file, order, b"COMM")
    if samples is None or form is None:
        raise BrokenPromiseError("it is damaged: its header tells of no samples")
    length = samples.length
    if samples.name == b"data" and length == _UNKNOWN:
        large = found.get(b"ds64")
        length = number(large.head[_LARGE]) if large else file.size - samples.start
    if samples.start + length > file.size:
        raise BrokenPromiseError(
            f"it is truncated: its header promises {samples.start + length} bytes and "
            f"{file.size} are there"
        )
    if form.name == b"COMM":
        return Promise(number(form.head[_FRAMES]))
    block = number(form.head[_BLOCK])
    return Promise(length // block if block else 0)


def _chunks(file: File, order: Literal["little", "big"]) -> Iterator[_Chunk]:
    place = 12
    for _ in range(_MOST):
        file.content.seek(place)
        header = file.content.read(8)
        if len(header) < 8:
            return
        length = int.from_bytes(header[4:], order)
        yield _Chunk(header[:4], length, place + 8, file.content.read(16))
        place += 8 + length + length % 2


def _later(file: File, order: Literal["little", "big"], name: bytes) -> _Chunk | None:
    return next((chunk for chunk in _chunks(file, order) if chunk.name == name), None)
