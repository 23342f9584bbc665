"""Word and character error rates of a recogniser on a corpus (CTA-RNN, table 1)."""

from dataclasses import replace
from pathlib import Path

import jiwer
import numpy as np

from emonas.errors import EmonasError, make_again
from emonas.evaluate.counts import Misheard
from emonas.evaluate.intervals import bootstrap_rate
from emonas.evaluate.tasks import CHARACTERS, WORDS, edits_between
from emonas.storage.manifest import UNKNOWN_SPEAKER, read_manifest
from emonas.storage.recognition import Recognition, write_recognition
from emonas.storage.transcripts import read_transcript
from emonas.storage.wording import NORMALISATION, normalised


def evaluate_recognition(manifest: Path, transcript: Path, output: Path) -> None:
    """Hold what was heard against what was said, over the whole corpus.

    Edits and lengths are summed over the utterances before they are divided, so a long utterance
    counts more than a short one. Both texts are normalised first: case and punctuation do not
    count. Utterances whose manifest has no text are left out and counted.

    Args:
        manifest: the corpus's manifest, whose texts are the references.
        transcript: what the recogniser heard.
        output: where the rates are written.

    Raises:
        EmonasError: no utterance has a text, or the transcript lacks an utterance.
    """
    rows = read_manifest(manifest)
    said = {
        name: normalised(text) for name, text in zip(rows["utterance"], rows["text"], strict=True)
    }
    references = {name: text for name, text in said.items() if text}
    if not references:
        raise EmonasError(
            f"{manifest}: no utterance has a text to hold {transcript} against; give the corpus "
            "texts, or leave its error rates out"
        )
    texts = read_transcript(transcript)
    missing = [name for name in references if name not in texts]
    if missing:
        raise EmonasError(
            f"{transcript}: holds no utterance {missing[0]}; {make_again(transcript)}"
        )
    heard = [normalised(texts[name]) for name in references]
    rates = error_rates(list(references.values()), heard, len(said) - len(references))
    told = dict(zip(rows["utterance"], rows["speaker"], strict=True))
    speakers = ["" if told[name] == UNKNOWN_SPEAKER else told[name] for name in references]
    write_recognition(output, _with_intervals(rates, speakers, list(references.values()), heard))


def _with_intervals(
    rates: Recognition, speakers: list[str], references: list[str], heard: list[str]
) -> Recognition:
    edits = np.array([edits_between(*pair) for pair in zip(references, heard, strict=True)])
    return replace(
        rates,
        wer_interval=bootstrap_rate([Misheard(speakers, edits[:, WORDS])]),
        cer_interval=bootstrap_rate([Misheard(speakers, edits[:, CHARACTERS])]),
    )


def error_rates(references: list[str], heard: list[str], without_text: int) -> Recognition:
    """Count the edits between normalised texts; a reference must not be empty."""
    words = jiwer.process_words(references, heard)
    characters = jiwer.process_characters(references, heard)
    return Recognition(
        wer=float(words.wer),
        cer=float(characters.cer),
        substitutions=words.substitutions,
        deletions=words.deletions,
        insertions=words.insertions,
        words=words.hits + words.substitutions + words.deletions,
        characters=characters.hits + characters.substitutions + characters.deletions,
        utterances=len(references),
        without_text=without_text,
        normalisation=NORMALISATION,
    )
