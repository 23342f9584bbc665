"""The words of a corpus, as its manifest has them or as a recogniser heard them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from emonas.errors import EmonasError, make_again
from emonas.features.missing import told_missing
from emonas.jobs import report_line
from emonas.storage.transcripts import read_transcript


def known_texts(rows: pd.DataFrame, transcript: Path | None) -> dict[str, str]:
    """Give the words of each utterance, those of the manifest where there is no transcript.

    Raises:
        EmonasError: the transcript cannot be read.
    """
    if transcript is not None:
        return read_transcript(transcript)
    return dict(zip(rows["utterance"], rows["text"], strict=True))


def check_texts(
    source: Path, corpus: str, texts: Mapping[str, str], utterances: Sequence[str]
) -> None:
    """Hold the texts against the corpus, for a feature that would be zeros without them.

    Args:
        source: the transcript or the manifest that they are from.
        corpus: the corpus's name.
        texts: the words of each utterance.
        utterances: those of the corpus.

    Raises:
        EmonasError: an utterance is missing, or none has words.
    """
    if missing := told_missing(source, corpus, utterances, texts):
        raise EmonasError(f"{source}: {missing}; {make_again(source)}")
    silent = sum(not texts[utterance].strip() for utterance in utterances)
    if silent == len(utterances):
        raise EmonasError(
            f"{source}: no utterance of {corpus} has a text, and this feature is made of words; "
            "name a `transcript` that has some, or leave the feature out"
        )
    if silent:
        report_line(f"{source}: {silent} of {len(utterances)} utterances have no words")
