"""Work that is shared among torch's threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch


def for_shares(work: Callable[[range], None], count: int) -> None:
    """Call `work` with shares of `range(count)`, a call a thread; compiled loops hold no lock."""
    threads = min(torch.get_num_threads(), count)
    if threads == 1:
        work(range(count))
        return
    cuts = [count * thread // threads for thread in range(threads + 1)]
    # A list, so that an error in a thread is told here.
    list(_pool(threads).map(work, map(range, cuts, cuts[1:])))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Kept, because a network asks for it hundreds of times a second."""
    return ThreadPoolExecutor(threads)
