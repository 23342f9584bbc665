"""Ogg (RFC 3533) with Vorbis or Opus (RFC 7845): its last page says how many samples there are."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from emonas.corpora.containers.promise import BrokenPromiseError, File, Promise

_PAGE = b"OggS"
_HEADER = struct.Struct("<4sBBQL8xB")
"""Name, version, flags, granule, stream, number and checksum of the page, count of lengths.

The granule is the samples up to the page's end; Opus counts them at 48 kHz, those before too.
"""
_FIRST, _LAST = 2, 4
"""The flags of a stream's first and last page."""
_FLAGS = 5
_BEHIND = 2**17
"""Bytes behind the last page in which another recording is looked for."""
_OPUS = b"OpusHead"
_OPUS_RATE = 48000


@dataclass(frozen=True)
class _Page:
    flags: int
    granule: int
    stream: int
    end: int


def promise(file: File) -> Promise:
    """What the last page says.

    Raises:
        BrokenPromiseError: there is none that is whole and marked as the last, or another recording
            follows, which libsndfile does not read.
    """
    last = _last_page(file)
    file.content.seek(last.end)
    if _has_first_page(file.content.read(_BEHIND)):
        raise _several()
    file.content.seek(0)
    first = file.content.read(512)
    opus = first.find(_OPUS)
    if opus < 0:
        return Promise(last.granule)
    before = int.from_bytes(first[opus + 10 : opus + 12], "little")
    return Promise((last.granule - before) * file.rate // _OPUS_RATE, tolerance=1)


def _last_page(file: File) -> _Page:
    """The last page of the stream that begins the file; others may lie between its pages."""
    stream, begun = None, False
    for page in _pages(file):
        stream = page.stream if stream is None else stream
        if page.flags & _FIRST and begun:
            raise _several()
        begun = not page.flags & _FIRST
        if page.flags & _LAST and page.stream == stream:
            return page
    raise BrokenPromiseError("it is truncated: its last page is not there")


def _pages(file: File) -> Iterator[_Page]:
    """All pages that are there to their end, one behind the other."""
    place = 0
    while True:
        file.content.seek(place)
        header = file.content.read(_HEADER.size)
        if len(header) < _HEADER.size or header[:4] != _PAGE:
            return
        _, _, flags, granule, stream, count = _HEADER.unpack(header)
        lengths = file.content.read(count)
        place += _HEADER.size + count + sum(lengths)
        if len(lengths) < count or place > file.size:
            return
        yield _Page(flags, granule, stream, place)


def _has_first_page(content: bytes) -> bool:
    begin = content.find(_PAGE)
    while begin >= 0:
        flags = content[begin + _FLAGS : begin + _FLAGS + 1]
        if flags and flags[0] & _FIRST:
            return True
        begin = content.find(_PAGE, begin + 1)
    return False


def _several() -> BrokenPromiseError:
    return BrokenPromiseError(
        "it holds several recordings one behind the other, of which decoders read the first",
        "convert each to a file of its own",
    )
