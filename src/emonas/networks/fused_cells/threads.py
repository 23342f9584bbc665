"""Work on the images of a batch, shared among torch's threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch


def for_images(work: Callable[[range], None], images: int) -> None:
    """Call `work` with the numbers of some images, a call a thread; compiled loops hold no lock."""
    threads = min(torch.get_num_threads(), images)
    if threads == 1:
        work(range(images))
        return
    cuts = [images * thread // threads for thread in range(threads + 1)]
    # A list, so that an error in a thread is told here.
    list(_pool(threads).map(work, map(range, cuts, cuts[1:])))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Kept, because a network asks for it hundreds of times a second."""
    return ThreadPoolExecutor(threads)
