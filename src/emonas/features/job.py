"""One feature of one corpus: from the manifest's audio to the feature file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from emonas.errors import EmonasError
from emonas.features.audio import read_audio
from emonas.features.extraction import Extractor, ExtractorOptions, Speech
from emonas.jobs import Progress
from emonas.kinds import kind_module
from emonas.storage.features import Array, FeatureFacts, write_features
from emonas.storage.manifest import read_manifest

if TYPE_CHECKING:
    # Else a change of what learns would extract every feature anew.
    from emonas.learning.options import RuntimeOptions

BATCH = 16
DECODERS = 2
DECODED_AHEAD = 2 * BATCH


def extract_feature(
    corpus: str,
    feature: str,
    options: ExtractorOptions,
    manifest: Path,
    output: Path,
    runtime: RuntimeOptions,
    code: str,
) -> None:
    """Extract a feature from every utterance of a corpus, in the manifest's order.

    Args:
        corpus: the corpus's name, for the log.
        feature: the feature's name, for the log.
        options: options of the extractor, whose module is named as `options.extractor`.
        manifest: the corpus's manifest.
        output: the feature file to write.
        runtime: where an extractor with torch computes.
        code: digest of the code that extracts.

    Raises:
        EmonasError: the manifest is empty, an audio file cannot be read, or its features are not
            finite.
    """
    rows = read_manifest(manifest)
    if rows.empty:
        raise EmonasError(f"{manifest}: there are no utterances; look at problems.csv beside it")
    extractor = build_extractor(options, runtime)
    facts = FeatureFacts(
        extractor=options.extractor,
        options=options.model_dump(mode="json"),
        frame_rate=extractor.frame_rate,
        layers=extractor.layers,
        checkpoint=extractor.checkpoint,
        code=code,
    )
    audio = dict(zip(rows["utterance"], rows["audio"], strict=True))
    progress = Progress(f"{feature} of {corpus}", len(rows))
    done = 0
    with write_features(output, facts) as writer:
        for batch in _batches(_decoded(rows, options.sampling_rate)):
            for speech, frames in zip(batch, extractor.extract(batch), strict=True):
                _check(audio[speech.name], frames)
                writer.append(speech.name, frames)
            done += len(batch)
            progress.step(done, batch[-1].name)


def build_extractor(options: ExtractorOptions, runtime: RuntimeOptions) -> Extractor:
    """Make the extractor that the options name; one with torch is told where it computes.

    Raises:
        EmonasError: its checkpoint is missing or damaged, or a GPU is asked for and not there.
    """
    build = kind_module("extractor", options.extractor).build
    extractor: Extractor = build(options, runtime) if options.uses_torch else build(options)
    return extractor


def _decoded(rows: pd.DataFrame, sampling_rate: int) -> Iterator[Speech]:
    """Give the utterances in order, decoded by a few threads ahead of their use."""

    def decode(utterance: str, audio: str, text: str) -> Speech:
        return Speech(utterance, read_audio(Path(audio), sampling_rate), text)

    waiting: deque[Future[Speech]] = deque()
    with ThreadPoolExecutor(DECODERS) as pool:
        try:
            for row in rows[["utterance", "audio", "text"]].itertuples(index=False, name=None):
                waiting.append(pool.submit(decode, *row))
                if len(waiting) > DECODED_AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _batches(speeches: Iterator[Speech]) -> Iterator[Sequence[Speech]]:
    batch: list[Speech] = []
    for speech in speeches:
        batch.append(speech)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _check(audio: str, frames: Array) -> None:
    if frames.size == 0 or not np.isfinite(frames).all():
        raise EmonasError(
            f"{audio}: its features are empty or not finite; replace the file or leave it out"
        )
