"""How many samples a file must hold by its own headers: libsndfile forgives what is missing."""

from emonas.corpora.containers import chunks, mpeg, ogg
from emonas.corpora.containers.promise import File, Promise

_READERS = {
    "WAV": chunks.promise,
    "WAVEX": chunks.promise,
    "RF64": chunks.promise,
    "AIFF": chunks.promise,
    "OGG": ogg.promise,
    "MP3": mpeg.promise,
}
CONTAINERS = (*_READERS, "FLAC")
"""libsndfile's names of those whose length can be checked; FLAC's own decoder does it."""


def promise_of(container: str, file: File) -> Promise | None:
    """What the headers of an open file promise; None of FLAC.

    Raises:
        BrokenPromiseError: the file ends before its samples do, or says nothing of them.
    """
    reader = _READERS.get(container)
    return reader(file) if reader else None
