"""The table of contents in the first frame of an MP3, as Xing, LAME and FFmpeg write it.

It tells how many samples the encoder added at both ends. Decoders drop them, whatever the table's
checksum says, so that one changed byte changes the length.
"""

from dataclasses import dataclass

from emonas.corpora.containers.promise import BrokenPromiseError

_NAMES = (b"Xing", b"Info")
LONGEST = 4 + 2 + 32 + 156
"""Bytes up to the end of the table at most: header, its checksum, side information, table."""
_FIELDS = ((1, 4), (2, 4), (4, 100), (8, 4))
"""Flag and bytes of frames, bytes, places to seek, quality; what the encoder tells follows."""
_PLACES = (36, 21, 13)
"""Where a table begins: behind the header and the side information."""
_FRAMES = 1
_PADS = slice(21, 24)
"""Of what the encoder tells: samples before and behind, 12 bits each."""
_CHECK = slice(34, 36)
"""CRC-16 of all that comes before in the frame."""
_CHECKED_BY_FFMPEG = 190
"""Bytes of the frame that FFmpeg takes, wherever the table ends; with a checksum of zero."""


@dataclass(frozen=True)
class Contents:
    """Frames behind the first, None where nothing is told; samples added at both ends."""

    frames: int | None
    added: int


def contents_of(frame: bytes) -> Contents | None:
    """What a first frame tells; None where there is no table.

    Raises:
        BrokenPromiseError: the table does not fit its checksum, or has none and tells of samples.
    """
    begin = max(frame.find(name) for name in _NAMES)
    if begin < 0:
        _refuse_nameless(frame)
        return None
    flags = int.from_bytes(frame[begin + 4 : begin + 8], "big")
    sizes = [(flag, size) for flag, size in _FIELDS if flags & flag]
    place = begin + 8 + sum(size for _, size in sizes)
    frames = int.from_bytes(frame[begin + 8 : begin + 12], "big") if flags & _FRAMES else None
    encoder = frame[place:]
    pads = int.from_bytes(encoder[_PADS], "big")
    told = int.from_bytes(encoder[_CHECK], "big")
    if told and told not in _checksums(frame, place + _CHECK.start):
        raise BrokenPromiseError("it is damaged: its table of contents does not fit its checksum")
    if pads and not told:
        raise BrokenPromiseError(
            "its length can't be checked: its table of contents tells what to drop at both ends, "
            "and has no checksum",
            "convert it to wav or FLAC of 16 bits",
        )
    # Where no encoder is named, or no number of frames, decoders drop nothing.
    if not frames or not any(encoder[:1]):
        return Contents(frames, 0)
    return Contents(frames, (pads >> 12) + (pads & 0xFFF))


def _refuse_nameless(frame: bytes) -> None:
    """Refuse a table of all fields that fits its checksum as soon as its name is restored."""
    for begin in _PLACES:
        end = begin + 8 + sum(size for _, size in _FIELDS) + _CHECK.start
        told = int.from_bytes(frame[end : end + 2], "big")
        for name in _NAMES if told else ():
            if told in _checksums(frame[:begin] + name + frame[begin + 4 :], end):
                raise BrokenPromiseError("it is damaged: its table of contents has lost its name")


def _checksums(frame: bytes, end: int) -> tuple[int, int]:
    """By LAME, and by FFmpeg, of a frame whose checksum stands at `end`."""
    zeroed = frame[:end] + b"\0\0" + frame[end + 2 :]
    return _crc16(frame[:end]), _crc16(zeroed[:_CHECKED_BY_FFMPEG].ljust(_CHECKED_BY_FFMPEG, b"\0"))


def _crc16(content: bytes) -> int:
    remainder = 0
    for byte in content:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0xA001 if remainder & 1 else 0)
    return remainder
