"""A transcript of a corpus: from the manifest's audio to what a recogniser heard."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emonas.errors import EmonasError
from emonas.features.audio import read_audio
from emonas.features.batches import batches_by_length, decoded
from emonas.features.corpus_job import CorpusJob
from emonas.features.extraction import Resources
from emonas.features.kept import keep_seconds
from emonas.features.recogniser import Recogniser, RecogniserOptions
from emonas.jobs import Progress, report_line
from emonas.kinds import kind_module
from emonas.storage.manifest import read_manifest
from emonas.storage.resume import resume_folder
from emonas.storage.transcripts import read_transcript, write_transcript


@dataclass(frozen=True, kw_only=True)
class TranscriptJob(CorpusJob):
    """A transcript of a corpus.

    Attributes:
        transcript: the transcript's name.
        options: options of the recogniser, whose module is named as `options.recogniser`.
    """

    transcript: str
    options: RecogniserOptions


def transcribe(job: TranscriptJob, output: Path, recogniser: Recogniser | None = None) -> None:
    """Write down what the recogniser hears in every utterance of a corpus.

    Args:
        job: what is transcribed.
        output: the transcript.
        recogniser: the one that the job's options name, where somebody made it already.

    Raises:
        EmonasError: the manifest is empty, an audio file cannot be read, or the checkpoint is of
            another architecture.
    """
    rows = read_manifest(job.manifest)
    if rows.empty:
        raise EmonasError(f"{job.manifest}: there are no utterances; see problems.csv beside it")
    recogniser = recogniser or build_recogniser(job.options, job.resources)
    options = job.options
    with resume_folder(job.resume, "transcripts", _identity(job), [job.manifest]) as folder:
        kept = KeptTexts(folder / "transcript.csv")
        batches = [
            batch
            for batch in batches_by_length(rows, options.batch_seconds, options.least_seconds)
            if not kept.texts.keys() >= set(batch["utterance"])
        ]
        progress = Progress(f"{job.transcript} of {job.corpus}", len(rows))
        done = len(rows) - sum(map(len, batches))
        read = partial(read_audio, sampling_rate=options.sampling_rate)
        for speeches in decoded(batches, read, texts={}):
            heard = recogniser.recognise(speeches)
            names = [speech.name for speech in speeches]
            kept.add(dict(zip(names, heard, strict=True)))
            done += len(speeches)
            progress.step(done, f"{names[-1]}: {heard[-1]}")
        write_transcript(output, kept.texts)


def build_recogniser(options: RecogniserOptions, resources: Resources) -> Recogniser:
    """Make the recogniser that the options name.

    Raises:
        EmonasError: its checkpoint is damaged or of another architecture, or a GPU is asked for
            and not there.
    """
    recogniser: Recogniser = kind_module("recogniser", options.recogniser).build(options, resources)
    return recogniser


class KeptTexts:
    """What was heard so far, written to a file every now and then.

    Attributes:
        texts: what was heard, by utterance.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds = keep_seconds()
        self._time = time.monotonic()
        self.texts: dict[str, str] = {}
        if path.exists():
            try:
                self.texts = read_transcript(path)
            except EmonasError as error:
                report_line(f"{error}; it was left by an interrupted job, and is made anew")

    def add(self, texts: dict[str, str]) -> None:
        """Add what was heard; a killed job loses at most what it heard in the last seconds."""
        self.texts.update(texts)
        if time.monotonic() - self._time >= self._seconds:
            write_transcript(self._path, self.texts)
            self._time = time.monotonic()


def _identity(job: TranscriptJob) -> dict[str, object]:
    checkpoint = job.resources.checkpoint
    return {
        "corpus": job.corpus,
        "transcript": job.transcript,
        "options": job.options.model_dump(mode="json"),
        "runtime": job.resources.runtime.model_dump(mode="json"),
        "checkpoint": "" if checkpoint is None else checkpoint.digest,
        "code": job.code,
    }
