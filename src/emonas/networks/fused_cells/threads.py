"""Work on the images of a batch, shared among torch's threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch

_CACHED = 1 << 19
"""Bytes of an image that stay in a core's cache from one loop to the next."""


def for_images(work: Callable[[slice], None], images: int, image_bytes: int) -> None:
    """Call `work` with some images at a time, in as many threads as torch has; compiled loops hold
    no lock. Small images go together, because calling a loop takes time too.
    """
    some = max(1, _CACHED // image_bytes)
    threads = min(torch.get_num_threads(), images)

    def run(share: range) -> None:
        for first in share[::some]:
            work(slice(first, min(first + some, share.stop)))

    if threads == 1:
        run(range(images))
        return
    cuts = [images * thread // threads for thread in range(threads + 1)]
    # A list, so that an error in a thread is told here.
    list(_pool(threads).map(run, map(range, cuts, cuts[1:])))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Kept, because a network asks for it hundreds of times a second."""
    return ThreadPoolExecutor(threads)
