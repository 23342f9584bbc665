"""How many samples a file must hold by its own headers: libsndfile forgives what is missing."""

from emonas.corpora.containers import chunks, flac, mpeg, ogg
from emonas.corpora.containers.promise import File, Promise

_READERS = {
    "WAV": chunks.promise,
    "WAVEX": chunks.promise,
    "RF64": chunks.promise,
    "AIFF": chunks.promise,
    "OGG": ogg.promise,
    "MP3": mpeg.promise,
    "FLAC": flac.promise,
}
CONTAINERS = tuple(_READERS)
"""libsndfile's names of those whose length can be checked."""


def promise_of(container: str, file: File) -> Promise:
    """What the headers of an open file of one of `CONTAINERS` promise.

    Raises:
        BrokenPromiseError: the file ends before its samples do, or says nothing of them.
    """
    return _READERS[container](file)
