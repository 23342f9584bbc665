"""Utterances in batches of like length, decoded ahead of their use."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from emonas.features.extraction import Speech
from emonas.storage.features import Array

Made = TypeVar("Made")

THREADS = 2
"""How many work ahead of whoever takes their results, whatever Snakemake counts for the job."""

AT_ONCE = 4
"""Utterances that a thread takes at a time."""

BATCHES_AHEAD = 3
LARGEST_BATCH = 256


def batches_by_length(rows: pd.DataFrame, budget: float, least: float = 0.0) -> list[pd.DataFrame]:
    """Cut a manifest into batches, longest utterances first.

    A batch holds as many utterances as fit, padded to its longest, into `budget` seconds; one at
    least. A shorter utterance counts as `least` seconds. Batches depend on the manifest alone, so
    that an interrupted job makes the same again.
    """
    ordered = rows.sort_values(["seconds", "utterance"], ascending=[False, True])
    seconds = ordered["seconds"].clip(lower=least).to_numpy()
    batches, start = [], 0
    while start < len(ordered):
        count = int(min(LARGEST_BATCH, max(1, budget // max(seconds[start], 1e-3))))
        batches.append(ordered.iloc[start : start + count])
        start += count
    return batches


def decoded(
    batches: Sequence[pd.DataFrame],
    read: Callable[[Path], Array] | None,
    texts: Mapping[str, str],
) -> Iterator[list[Speech]]:
    """Give the batches in order; a few threads decode those that come next.

    Args:
        batches: rows of the manifest.
        read: gives the waveform of an audio file; None where nobody hears it.
        texts: the words of each utterance, where they are known.

    Raises:
        EmonasError: an audio file cannot be read.
    """
    return ahead(batches, partial(speech, read, texts))


def speech(
    read: Callable[[Path], Array] | None, texts: Mapping[str, str], utterance: str, audio: str
) -> Speech:
    """Decode one utterance.

    Raises:
        EmonasError: its audio file cannot be read.
    """
    waveform = np.zeros(0, np.float32) if read is None else read(Path(audio))
    return Speech(utterance, waveform, texts.get(utterance, ""))


def ahead(
    batches: Sequence[pd.DataFrame], work: Callable[[str, str], Made]
) -> Iterator[list[Made]]:
    """Give what is made of each batch's utterances, in order; threads work on what comes next.

    Args:
        batches: rows of the manifest.
        work: makes something of an utterance's name and its audio file.
    """

    def some(rows: list[tuple[str, str]]) -> list[Made]:
        return [work(utterance, audio) for utterance, audio in rows]

    waiting: deque[list[Future[list[Made]]]] = deque()
    coming = iter(batches)
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            while True:
                for batch in coming:
                    rows = list(zip(batch["utterance"], batch["audio"], strict=True))
                    starts = range(0, len(rows), AT_ONCE)
                    waiting.append(
                        [pool.submit(some, rows[start : start + AT_ONCE]) for start in starts]
                    )
                    if len(waiting) > BATCHES_AHEAD:
                        break
                if not waiting:
                    return
                yield [made for part in waiting.popleft() for made in part.result()]
        finally:
            pool.shutdown(cancel_futures=True)
