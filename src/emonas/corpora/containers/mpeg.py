"""MPEG audio layer III (ISO 11172-3, 13818-3): a row of frames of equally many samples.

Without a table of contents, libsndfile estimates the length from the first frame.
"""

from typing import BinaryIO

from emonas.corpora.containers.contents import LONGEST, Contents, contents_of
from emonas.corpora.containers.promise import BrokenPromiseError, File, Promise
from emonas.corpora.containers.tags import behind_tags

_BITRATES = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""In kbit/s, of MPEG 1, and of MPEG 2 and 2.5, by index."""
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""In Hz, by the bits of the version and by index."""
_LAYER_III = 1
_DELAY = 529
"""Samples by which every decoder is late; some drop them."""


def promise(file: File) -> Promise:
    """As many samples as the frames hold that follow each other without a gap.

    Raises:
        BrokenPromiseError: there is no frame where the first must be, or its table is damaged, has
            no checksum, or tells of another number of frames.
    """
    content = file.content
    begin = place = behind_tags(content)
    frames = samples = 0
    while place < file.size:
        content.seek(place)
        length, samples_in = _frame(content.read(4))
        if not length:
            break
        frames, samples, place = frames + 1, samples + samples_in, place + length
    if not frames:
        raise BrokenPromiseError("it is damaged: it does not begin with a frame of layer III")
    contents = contents_of(_first_frame(content, begin))
    if contents is None:
        return Promise(samples, tolerance=_DELAY)
    _compare(contents, frames)
    samples -= samples // frames + contents.added
    # Other tables than LAME's say nothing of what was added.
    return Promise(samples, tolerance=0 if contents.added else _DELAY)


def _first_frame(content: BinaryIO, begin: int) -> bytes:
    """A first frame up to the end of its table."""
    content.seek(begin)
    length, _ = _frame(content.read(4))
    content.seek(begin)
    return content.read(min(length, LONGEST))


def _compare(contents: Contents, frames: int) -> None:
    """Some encoders count the first frame, which holds the table, and some don't."""
    if contents.frames and contents.frames not in (frames - 1, frames):
        told = f"its table of contents tells of {contents.frames} frames"
        state = "truncated" if contents.frames > frames else "damaged"
        raise BrokenPromiseError(f"it is {state}: {told} and {frames - 1} are there")


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
