"""MPEG audio layer III (ISO 11172-3, 13818-3): a row of frames of equally many samples.

Without a table of contents, libsndfile estimates the length from the first frame.
"""

from typing import BinaryIO

from emonas.corpora.containers.promise import BrokenPromiseError, File, Promise

_BITRATES = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""In kbit/s, of MPEG 1, and of MPEG 2 and 2.5, by index."""
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""In Hz, by the bits of the version and by index."""
_LAYER_III = 1
_TABLES = (b"Xing", b"Info")
"""How the table of contents begins, in a first frame that holds no samples."""
_PADS = 141
"""Where, from there on, the samples are that the encoder added before and behind: 12 bits each."""
_DELAY = 529
"""Samples by which every decoder is late; some drop them."""
_CHECK = 154
"""Where LAME's check of all that comes before in the frame is, from there on: a CRC-16."""
_LAME = slice(120, 124)
_HEAD = 4 + 32 + _CHECK + 2
"""Bytes of a first frame up to the end of all that."""


def promise(file: File) -> Promise:
    """As many samples as the frames hold that follow each other without a gap.

    Raises:
        BrokenPromiseError: there is no frame where the first must be, or its table is damaged.
    """
    content = file.content
    place = _behind_tags(content)
    content.seek(place)
    first = content.read(_HEAD)
    frames = samples = 0
    while place < file.size:
        content.seek(place)
        length, samples_in = _frame(content.read(4))
        if not length:
            break
        frames, samples, place = frames + 1, samples + samples_in, place + length
    if not frames:
        raise BrokenPromiseError("it is damaged: it does not begin with a frame of layer III")
    added = _added(first)
    if added is None:
        return Promise(samples, tolerance=_DELAY)
    samples -= samples // frames + added
    # Other tables than LAME's say nothing of what was added.
    return Promise(samples, tolerance=0 if added else _DELAY)


def _added(first: bytes) -> int | None:
    """The samples that the encoder added at both ends; None where there is no table."""
    begin = max(first.find(table) for table in _TABLES)
    if begin < 0:
        return None
    place = begin + _CHECK
    told = int.from_bytes(first[place : place + 2], "big")
    if first[begin:][_LAME] == b"LAME" and _crc16(first[:place]) != told:
        raise BrokenPromiseError("it is damaged: its table of contents does not fit its checksum")
    pads = int.from_bytes(first[begin + _PADS : begin + _PADS + 3], "big")
    return (pads >> 12) + (pads & 0xFFF)


def _crc16(content: bytes) -> int:
    remainder = 0
    for byte in content:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0xA001 if remainder & 1 else 0)
    return remainder


def _behind_tags(content: BinaryIO) -> int:
    """Where the first frame is: behind an ID3 tag, whose size is in 7 bits a byte."""
    content.seek(0)
    header = content.read(10)
    if header[:3] != b"ID3" or len(header) < 10:
        return 0
    size = 0
    for byte in header[6:]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame(header: bytes) -> tuple[int, int]:
    """The bytes and the samples of a frame; zeros where there is none."""
    bits = int.from_bytes(header, "big")
    version, layer = bits >> 19 & 3, bits >> 17 & 3
    bitrate, rate, padding = bits >> 12 & 15, bits >> 10 & 3, bits >> 9 & 1
    if len(header) < 4 or bits >> 21 != 0x7FF or layer != _LAYER_III:
        return 0, 0
    if version not in _RATES or bitrate in (0, 15) or rate == 3:
        return 0, 0
    of_one = version == 3
    samples = 1152 if of_one else 576
    bits_a_second = 1000 * _BITRATES[1 if of_one else 2][bitrate]
    return samples // 8 * bits_a_second // _RATES[version][rate] + padding, samples
