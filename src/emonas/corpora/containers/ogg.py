"""Ogg (RFC 3533) with Vorbis or Opus (RFC 7845): its last page says how many samples there are."""

from emonas.corpora.containers.promise import BrokenPromiseError, File, Promise

_PAGE = b"OggS"
_HEADER = 27
_FLAGS = 5
_LAST = 4
"""The flag of a stream's last page."""
_GRANULE = slice(6, 14)
"""Samples up to a page's end, little-endian; Opus counts them at 48 kHz, those before too."""
_TAIL = 2 * 65307
"""Bytes in which the last page begins at the latest: two of the largest pages."""
_OPUS = b"OpusHead"
_OPUS_RATE = 48000


def promise(file: File) -> Promise:
    """What the last page says.

    Raises:
        BrokenPromiseError: there is none that is whole and marked as the last.
    """
    granule = _last_granule(file)
    file.content.seek(0)
    first = file.content.read(512)
    opus = first.find(_OPUS)
    if opus < 0:
        return Promise(granule)
    before = int.from_bytes(first[opus + 10 : opus + 12], "little")
    return Promise((granule - before) * file.rate // _OPUS_RATE, tolerance=1)


def _last_granule(file: File) -> int:
    file.content.seek(max(0, file.size - _TAIL))
    tail = file.content.read()
    begin = tail.rfind(_PAGE)
    while begin >= 0:
        page = tail[begin:]
        # What follows the end of a file can look like the begin of another page.
        if _is_whole(page):
            if not page[_FLAGS] & _LAST:
                break
            return int.from_bytes(page[_GRANULE], "little")
        begin = tail.rfind(_PAGE, 0, begin)
    raise BrokenPromiseError("it is truncated: its last page is not there")


def _is_whole(page: bytes) -> bool:
    """Whether a page is there to its end: a header, a list of lengths, and as many bytes."""
    if len(page) < _HEADER:
        return False
    count = page[_HEADER - 1]
    lengths = page[_HEADER : _HEADER + count]
    return len(lengths) == count and len(page) >= _HEADER + count + sum(lengths)
