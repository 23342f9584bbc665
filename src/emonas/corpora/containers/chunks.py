"""WAV (RIFF, RIFX, RF64) and AIFF: chunks, one of which describes the samples and one holds them.

Microsoft, Multimedia Programming Interface 1.0; EBU Tech 3306 (RF64); Apple, AIFF 1.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from emonas.corpora.containers.promise import BrokenPromiseError, File, Promise

_MOST = 10_000
"""Chunks that are looked at: a file of zeros would be one every 8 bytes."""
_OF_DS64 = 0xFFFFFFFF
"""The length of samples in RF64, which the chunk `ds64` tells; else one of a pipe."""
_OF_PIPES = (_OF_DS64, 0x7FFFF000, 0x80000000)
"""The lengths that recorders write before they know it, the latter two sox and arecord."""
_Order = Literal["little", "big"]
_ORDERS: dict[bytes, _Order] = {
    b"RIFF": "little",
    b"RIFX": "big",
    b"RF64": "little",
    b"FORM": "big",
}
_CHANNELS, _BLOCK, _BITS = slice(2, 4), slice(12, 14), slice(14, 16)
"""Of `fmt `: a block is the bytes of a sample of all channels."""
_CODING, _IN_BLOCK = slice(0, 2), slice(18, 20)
"""Of `fmt `: how samples are written, and how many of each channel a block of ADPCM holds."""
_MS_ADPCM, _IMA_ADPCM = 0x0002, 0x0011
_FACT = slice(0, 4)
"""Of `fact`: samples of each channel, without those that fill the last block."""
_HEAD = 20
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

    @property
    def end(self) -> int:
        return self.start + self.length


def promise(file: File) -> Promise:
    """What `fmt ` and `data`, or `COMM`, say.

    Raises:
        BrokenPromiseError: a chunk is missing, the file ends within the samples, or their length
            was never written.
    """
    file.content.seek(0)
    begin = file.content.read(4)
    order = _ORDERS.get(begin)
    if order is None:
        raise BrokenPromiseError("it is damaged: its header does not stand at its begin")
    if begin == b"FORM":
        form, samples, _ = _parts(file, order, b"COMM", b"SSND")
        _refuse_cut(file, samples, samples.length)
        return Promise(int.from_bytes(form.head[_FRAMES], order))
    form, samples, found = _parts(file, order, b"fmt ", b"data")
    length = _length(file, order, samples, found.get(b"ds64"))
    _refuse_cut(file, samples, length)
    block, channels, bits = (
        int.from_bytes(form.head[field], order) for field in (_BLOCK, _CHANNELS, _BITS)
    )
    if bits == 24 and block == 4 * channels:
        raise BrokenPromiseError(
            "its samples of 24 bits lie in 32 bits each, which decoders take for 24",
            "convert it to wav or FLAC of 16 or 24 bits with sox or ffmpeg",
        )
    coding = int.from_bytes(form.head[_CODING], order)
    if coding in (_MS_ADPCM, _IMA_ADPCM):
        held = _in_block(coding, block, channels)
        if not held or held != int.from_bytes(form.head[_IN_BLOCK], order):
            raise BrokenPromiseError("it is damaged: its blocks are not as large as they must be")
        return _blocks(length, block, held, channels, _told(found.get(b"fact"), order))
    return Promise(length // block if block else 0)


def _in_block(coding: int, block: int, channels: int) -> int:
    """Samples of each channel in a block of ADPCM: 4 bits each behind a head, which holds one
    (IMA) or two (Microsoft's) in full.
    """
    head, full = (7, 2) if coding == _MS_ADPCM else (4, 1)
    if not channels or block % channels or block <= head * channels:
        return 0
    return (block // channels - head) * 2 + full


def _told(fact: _Chunk | None, order: _Order) -> int:
    if fact is None:
        raise BrokenPromiseError(
            "its length can't be checked: it is ADPCM, and does not tell how many samples it has",
            "convert it to wav of 16 bits",
        )
    return int.from_bytes(fact.head[_FACT], order)


def _blocks(length: int, block: int, held: int, channels: int, told: int) -> Promise:
    """As many samples as the blocks hold, the last of which may be filled up."""
    count, rest = divmod(length, block)
    samples = count * held
    if rest:
        raise BrokenPromiseError("it is truncated: its last block is not whole")
    # libsndfile tells of too few where there are several channels.
    if not samples - held < told <= samples and told != samples // channels:
        raise BrokenPromiseError(
            f"it is damaged: it tells of {told} samples, and its blocks hold {samples}"
        )
    return Promise(samples)


def _parts(
    file: File, order: _Order, form: bytes, samples: bytes
) -> tuple[_Chunk, _Chunk, dict[bytes, _Chunk]]:
    """The chunk that describes the samples, the one that holds them, and all up to the latter."""
    found: dict[bytes, _Chunk] = {}
    for chunk in _chunks(file, order):
        found.setdefault(chunk.name, chunk)
        if chunk.name == samples:
            break
    # COMM may stand behind the samples.
    described = found.get(form) or _later(file, order, form)
    if samples not in found or described is None:
        raise BrokenPromiseError("it is damaged: its header tells of no samples")
    return described, found[samples], found


def _length(file: File, order: _Order, samples: _Chunk, large: _Chunk | None) -> int:
    """Bytes of the samples of a WAV."""
    if samples.length == _OF_DS64 and large:
        return int.from_bytes(large.head[_LARGE], order)
    if samples.length in _OF_PIPES and samples.start + samples.length > file.size:
        return file.size - samples.start
    if not samples.length and not _chunks_follow(file, order, samples):
        raise BrokenPromiseError(
            f"its header was never finished: it tells of no samples, and {file.size} bytes are "
            "there",
            "convert it with sox --ignore-length",
        )
    return samples.length


def _refuse_cut(file: File, samples: _Chunk, length: int) -> None:
    if samples.start + length > file.size:
        raise BrokenPromiseError(
            f"it is truncated: its header promises {samples.start + length} bytes and "
            f"{file.size} are there"
        )


def _chunks_follow(file: File, order: _Order, empty: _Chunk) -> bool:
    """Whether nothing but whole chunks stands behind one that is empty."""
    behind = [chunk for chunk in _chunks(file, order) if chunk.start > empty.start]
    return all(
        chunk.name.isascii() and chunk.name.decode().isprintable() and chunk.end <= file.size
        for chunk in behind
    )


def _chunks(file: File, order: _Order) -> Iterator[_Chunk]:
    place = 12
    for _ in range(_MOST):
        file.content.seek(place)
        header = file.content.read(8)
        if len(header) < 8:
            return
        length = int.from_bytes(header[4:], order)
        yield _Chunk(header[:4], length, place + 8, file.content.read(_HEAD))
        place += 8 + length + length % 2


def _later(file: File, order: _Order, name: bytes) -> _Chunk | None:
    return next((chunk for chunk in _chunks(file, order) if chunk.name == name), None)
