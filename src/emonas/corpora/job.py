"""The job of this stage: a corpus in, its manifest and its list of problems out."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, replace
from pathlib import Path

from emonas.corpora.audio import AudioFacts, UnusableAudioError, inspect_audio
from emonas.corpora.reading import (
    WORKING_RATE,
    Expected,
    Listing,
    ReaderOptions,
    Recording,
    audio_files,
    published_size,
)
from emonas.errors import EmonasError
from emonas.jobs import Progress, report_line
from emonas.kinds import kind_module
from emonas.storage.manifest import Problem, Utterance, write_manifest, write_problems

_THREADS = 4
_STEP = 200


def write_corpus(corpus: str, options: ReaderOptions, manifest: Path, problems: Path) -> None:
    """Read a corpus and write its manifest and its problems.

    Raises:
        EmonasError: the root is missing or empty, or no utterance can be used.
    """
    _require_root(corpus, options)
    reader = kind_module("reader", options.reader)
    expected = published_size(reader, options)
    found: Listing = reader.read(options, manifest.parent)
    whole, broken = _inspect(corpus, found.recordings)
    utterances, left_out = _without_doubles(whole)
    notes = [*_unusual_rates(utterances, expected), *_unusual_size(options, utterances, expected)]
    rows = [_in_utf8(row) for row in (*found.problems, *broken, *left_out, *notes)]
    write_problems(problems, rows)
    if not utterances:
        raise EmonasError(_nothing_usable(corpus, rows))
    write_manifest(manifest, utterances)
    report_line(f"{corpus}: {len(utterances)} utterances, {len(rows)} problems")


def _nothing_usable(corpus: str, rows: Sequence[Problem]) -> str:
    """Snakemake removes the problems of a job that fails: they go into the log and the sentence."""
    for row in rows:
        report_line(f"{row.file}: {row.problem}")
    if not rows:
        return f"corpora.{corpus}: it has no utterance; check its root and its options"
    more = f" (and {len(rows) - 1} more; its log lists all)" if len(rows) > 1 else ""
    return f"corpora.{corpus}: no utterance can be used: {rows[0].file}: {rows[0].problem}{more}"


def _require_root(corpus: str, options: ReaderOptions) -> None:
    key = f"corpora.{corpus}.root"
    if options.root is None:
        if options.needs_root:
            raise EmonasError(
                f"{key}: no folder is given; set it in the settings file to where the corpus lies"
            )
        return
    if not options.root.is_dir():
        raise EmonasError(f"{key}: there is no folder {options.root}; correct the path")
    if options.needs_root and not audio_files(options.root, Listing()):
        raise EmonasError(
            f"{key}: there is no audio file in {options.root}; "
            "give the folder into which the corpus was unpacked"
        )


def _without_doubles(utterances: Sequence[Utterance]) -> tuple[list[Utterance], list[Problem]]:
    """Keep the first of each name."""
    first: dict[str, Utterance] = {}
    problems = []
    for utterance in utterances:
        kept = first.setdefault(utterance.utterance, utterance)
        if kept is not utterance:
            problems.append(
                Problem(
                    utterance.audio,
                    f"its utterance {utterance.utterance} is there already as {kept.audio}; "
                    "remove or rename one of them",
                )
            )
    return list(first.values()), problems


def _inspect(corpus: str, recordings: Sequence[Recording]) -> tuple[list[Utterance], list[Problem]]:
    utterances = []
    problems = []
    progress = Progress(f"inspecting {corpus}", len(recordings))
    with ThreadPoolExecutor(_THREADS) as pool:
        results = pool.map(_facts, (recording.audio for recording in recordings))
        for done, (recording, result) in enumerate(zip(recordings, results, strict=True), 1):
            if isinstance(result, AudioFacts):
                utterances.append(_utterance(corpus, recording, result))
            else:
                problems.append(Problem(recording.audio.as_posix(), result))
            if done % _STEP == 0 or done == len(recordings):
                progress.step(done, recording.utterance)
    return utterances, problems


def _in_utf8(problem: Problem) -> Problem:
    """The problem, with the bytes of a path that no CSV can hold written as numbers."""
    return Problem(
        *(
            text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            for text in astuple(problem)
        )
    )


def _facts(path: Path) -> AudioFacts | str:
    try:
        facts = inspect_audio(path)
    except UnusableAudioError as error:
        return str(error)
    return replace(facts, seconds=round(facts.seconds, 6))


def _utterance(corpus: str, recording: Recording, facts: AudioFacts) -> Utterance:
    known = asdict(recording) | {"audio": recording.audio.as_posix()}
    return Utterance(corpus=corpus, **known, **asdict(facts))


def _unusual_rates(utterances: Sequence[Utterance], expected: Expected | None) -> list[Problem]:
    """A row for each file at another rate than the corpus has, or below the working rate."""
    if not utterances:
        return []
    counts = Counter(utterance.sampling_rate for utterance in utterances)
    published = expected.sampling_rate if expected else 0
    usual = published or counts.most_common(1)[0][0]
    problems = []
    for utterance in utterances:
        rate = utterance.sampling_rate
        if rate < WORKING_RATE:
            problem = f"its rate is {rate} Hz, so it holds nothing above {rate // 2} Hz"
        elif rate != usual and not (expected and rate == WORKING_RATE):
            problem = f"its rate is {rate} Hz, where the corpus has {usual} Hz"
        else:
            continue
        problems.append(Problem(utterance.audio, problem, f"used, resampled to {WORKING_RATE} Hz"))
    return problems


def _unusual_size(
    options: ReaderOptions, utterances: Sequence[Utterance], expected: Expected | None
) -> list[Problem]:
    """Rows that say where the corpus is not of its published size."""
    if expected is None:
        return []
    sessions = {utterance.session for utterance in utterances} - {""}
    counts = {
        "utterances": (len(utterances), expected.utterances),
        "speakers": (len({utterance.speaker for utterance in utterances}), expected.speakers),
        "sessions": (len(sessions), expected.sessions),
    }
    return [
        Problem(
            str(options.root),
            f"{found} {what} can be used, where the published corpus has {published}",
            "used; figures are not comparable with published ones",
        )
        for what, (found, published) in counts.items()
        if found != published
    ]
