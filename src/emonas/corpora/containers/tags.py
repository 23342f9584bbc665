"""ID3 tags (version 2) before the audio, of which there may be several."""

from typing import BinaryIO

_NAME = b"ID3"
_HEADER = 10
_FOOTER = 0x10
"""The flag of a tag that repeats its header at its end."""


def behind_tags(content: BinaryIO) -> int:
    """Where the audio begins; a tag's size is in 7 bits a byte."""
    place = 0
    while True:
        content.seek(place)
        header = content.read(_HEADER)
        if header[:3] != _NAME or len(header) < _HEADER:
            return place
        size = 0
        for byte in header[6:]:
            size = size << 7 | byte & 0x7F
        place += _HEADER + size + (_HEADER if header[5] & _FOOTER else 0)
