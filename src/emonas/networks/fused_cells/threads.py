"""Work on the images of a batch, shared among torch's threads."""

from __future__ import annotations

from collections.abc import Callable

from emonas.networks.threads import for_shares

_CACHED = 1 << 19
"""Bytes of images that stay in a core's cache from one loop to the next."""


def for_images(work: Callable[[slice], None], images: int, image_bytes: int) -> None:
    """Call `work` with some images at a time. Small images go together, because calling a loop
    takes time too.
    """
    some = max(1, _CACHED // image_bytes)

    def run(share: range) -> None:
        for first in share[::some]:
            work(slice(first, min(first + some, share.stop)))

    for_shares(run, images)
