"""One feature of one corpus: from the manifest's audio to the feature file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from emonas.errors import EmonasError
from emonas.features.audio import read_audio
from emonas.features.batches import ahead, batches_by_length, speech
from emonas.features.corpus_job import CorpusJob
from emonas.features.extraction import (
    EncoderOptions,
    Extractor,
    ExtractorOptions,
    Resources,
)
from emonas.features.forecast import Forecast
from emonas.features.kept import KeptFeatures
from emonas.features.texts import check_texts, known_texts
from emonas.jobs import Progress
from emonas.kinds import kind_module
from emonas.storage.features import Array, FeatureFacts
from emonas.storage.manifest import read_manifest
from emonas.storage.resume import resume_folder


@dataclass(frozen=True, kw_only=True)
class FeatureJob(CorpusJob):
    """A feature of a corpus.

    Attributes:
        feature: the feature's name.
        options: options of the extractor, whose module is named as `options.extractor`.
        digest: digest of everything in the settings that the feature depends on.
        transcript: what a recogniser heard; None takes the corpus's own texts.
    """

    feature: str
    options: ExtractorOptions
    digest: str = ""
    transcript: Path | None = None


def extract_feature(job: FeatureJob, output: Path, extractor: Extractor | None = None) -> None:
    """Extract a feature from every utterance of a corpus; the file has the manifest's order.

    Args:
        job: what is extracted.
        output: the feature file.
        extractor: the one that the job's options name, where somebody made it already.

    Raises:
        EmonasError: the manifest is empty, an audio file cannot be read, texts are needed and not
            there, the checkpoint is of another architecture, or features are not finite.
    """
    rows = read_manifest(job.manifest)
    if rows.empty:
        raise EmonasError(f"{job.manifest}: there are no utterances; see problems.csv beside it")
    texts = known_texts(rows, job.transcript)
    if job.options.reads:
        check_texts(job.transcript or job.manifest, job.corpus, texts, list(rows["utterance"]))
    extractor = extractor or build_extractor(job.options, job.resources)
    if hasattr(extractor, "check"):
        extractor.check(list(rows["utterance"]))
    facts = _facts(job, extractor)
    inputs = [job.manifest, *([job.transcript] if job.transcript else []), *_own_files(job)]
    identity = {"corpus": job.corpus, "feature": job.feature, "facts": facts}
    with resume_folder(job.resume, "features", identity, inputs) as folder:
        kept = KeptFeatures(folder, facts)
        _extract(job, extractor, rows, texts, kept)
        kept.finish(output, list(rows["utterance"]))


def build_extractor(options: ExtractorOptions, resources: Resources) -> Extractor:
    """Make the extractor that the options name.

    Raises:
        EmonasError: its checkpoint is damaged or of another architecture, a layer that is wanted
            does not exist, or a GPU is asked for and not there.
    """
    extractor: Extractor = kind_module("extractor", options.extractor).build(options, resources)
    return extractor


def _own_files(job: FeatureJob) -> list[Path]:
    """Files of the user's own that the extractor reads."""
    if not hasattr(job.options, "files"):
        return []
    return [path for path in job.options.files(job.corpus) if path.exists()]


def _facts(job: FeatureJob, extractor: Extractor) -> FeatureFacts:
    checkpoint = job.resources.checkpoint
    return FeatureFacts(
        extractor=job.options.extractor,
        options=job.options.model_dump(mode="json"),
        frame_rate=extractor.frame_rate,
        layers=tuple(extractor.layers),
        checkpoint="" if checkpoint is None else checkpoint.digest,
        code=job.code,
        digest=job.digest,
        store=job.options.store,
    )


def _extract(
    job: FeatureJob,
    extractor: Extractor,
    rows: pd.DataFrame,
    texts: Mapping[str, str],
    kept: KeptFeatures,
) -> None:
    """Extract what is not there yet, batch by batch."""
    options = job.options
    batches = [
        batch
        for batch in batches_by_length(rows, options.batch_seconds, options.least_seconds)
        if not kept.done.issuperset(batch["utterance"])
    ]
    sources = dict(
        zip(rows["utterance"], rows["audio" if options.hears else "utterance"], strict=True)
    )
    name = f"{job.feature} of {job.corpus}"
    progress, done = Progress(name, len(rows)), len(rows) - sum(map(len, batches))
    forecast = Forecast(
        name,
        rows,
        batches,
        least=options.least_seconds,
        fixed_length=options.fixed_length or extractor.frame_rate == 0,
    )
    for batch, extracted in zip(batches, _extracted(job, extractor, batches, texts), strict=True):
        for utterance, frames in zip(batch["utterance"], extracted, strict=True):
            _append(job, kept, sources[utterance], utterance, frames)
        forecast.step(extracted, 2 if options.store == "float16" else 4)
        kept.keep_now_and_then()
        done += len(batch)
        progress.step(done, batch["utterance"].iloc[-1])


def _extracted(
    job: FeatureJob,
    extractor: Extractor,
    batches: Sequence[pd.DataFrame],
    texts: Mapping[str, str],
) -> Iterator[list[Array]]:
    """Give the features of each batch's utterances, in order."""
    options = job.options
    read = partial(read_audio, sampling_rate=options.sampling_rate, resampler=options.resampler)
    decode = partial(speech, read if options.hears else None, texts)
    if not options.by_threads:
        yield from map(extractor.extract, ahead(batches, decode))
        return

    def extract(utterance: str, audio: str) -> Array:
        (frames,) = extractor.extract([decode(utterance, audio)])
        return frames

    # Threads inside a product of matrices would gain nothing beside these.
    with threadpool_limits(1):
        yield from ahead(batches, extract)


def _append(
    job: FeatureJob, kept: KeptFeatures, source: str, utterance: str, frames: Array
) -> None:
    """Add an utterance's features, which come from its audio file or stand under its name."""
    if frames.size == 0 or not np.isfinite(frames).all():
        raise EmonasError(
            f"{source}: its features are empty or not finite; {_remedy(job)}replace the file or "
            "leave it out"
        )
    try:
        kept.append(utterance, frames)
    except OverflowError as error:
        raise EmonasError(
            f"{source}: its features are too large for float16; set `store: float32` for it"
        ) from error


def _remedy(job: FeatureJob) -> str:
    """What helps where the encoder, and not the file, is to blame: float16 on a GPU overflows."""
    half = isinstance(job.options, EncoderOptions) and job.options.precision == "auto"
    if not half or job.resources.runtime.device == "cpu":
        return ""
    return "where a GPU computed them, set `precision: float32` for it; else "
