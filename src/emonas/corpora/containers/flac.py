"""FLAC (RFC 9639): it holds the MD5 of its samples, which libsndfile does not check."""

import hashlib

import numpy as np
import numpy.typing as npt

from emonas.corpora.containers.promise import BrokenPromiseError, File, Promise
from emonas.corpora.containers.tags import behind_tags

_BEGIN = b"fLaC"
_RATE_TO_COUNT = slice(18, 26)
"""20 bits of rate, 3 of channels, 5 of bits a sample less one, 36 of samples."""
_COUNT = 2**36 - 1
_MD5 = slice(26, 42)
_INTEGER = 32
"""Bits of the integers that libsndfile gives, with the sample's in front."""


def promise(file: File) -> Promise:
    """What the first block says.

    Raises:
        BrokenPromiseError: it stands elsewhere, or leaves the number of samples open.
    """
    samples = _described(_head(file)) & _COUNT
    if not samples:
        raise BrokenPromiseError(
            "its length can't be checked: its header leaves it open, as of FLAC that was written "
            "into a pipe",
            "convert it to wav or FLAC of 16 bits, with flac or sox",
        )
    return Promise(samples)


def _head(file: File) -> bytes:
    file.content.seek(behind_tags(file.content))
    head = file.content.read(_MD5.stop)
    if head[:4] != _BEGIN or len(head) < _MD5.stop:
        raise BrokenPromiseError("it is damaged: its header does not stand at its begin")
    return head


def _described(head: bytes) -> int:
    return int.from_bytes(head[_RATE_TO_COUNT], "big")


class Signature:
    """Compares the samples with the MD5 that was written with them."""

    def __init__(self, file: File) -> None:
        head = _head(file)
        # All zeros where the encoder did not know it.
        self._known = head[_MD5] if any(head[_MD5]) else b""
        self._bits = (_described(head) >> 36 & 31) + 1
        self._digest = hashlib.md5(usedforsecurity=False)

    def add(self, samples: npt.NDArray[np.int32]) -> None:
        """Take in the next samples (samples, channels), as libsndfile's integers."""
        integers = (samples >> (_INTEGER - self._bits)).astype("<i4", order="C")
        width = (self._bits + 7) // 8
        self._digest.update(integers.view(np.uint8).reshape(-1, 4)[:, :width].tobytes())

    @property
    def holds(self) -> bool:
        """Whether the samples are those that were written, as far as the file says."""
        return self._known in (b"", self._digest.digest())
