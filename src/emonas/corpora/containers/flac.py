"""FLAC (RFC 9639): it holds the MD5 of its samples, which libsndfile does not check."""

import hashlib

import numpy as np
import numpy.typing as npt

from emonas.corpora.containers.promise import File

_BEGIN = b"fLaC"
_RATE_TO_COUNT = slice(18, 26)
"""20 bits of rate, 3 of channels, 5 of bits a sample less one, 36 of samples."""
_MD5 = slice(26, 42)
_INTEGER = 32
"""Bits of the integers that libsndfile gives, with the sample's in front."""


class Signature:
    """Compares the samples with the MD5 that was written with them."""

    def __init__(self, file: File) -> None:
        file.content.seek(0)
        head = file.content.read(_MD5.stop)
        # All zeros where the encoder did not know it.
        self._known = head[_MD5] if head[:4] == _BEGIN and any(head[_MD5]) else b""
        self._bits = (int.from_bytes(head[_RATE_TO_COUNT], "big") >> 36 & 31) + 1
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
