"""Features of the user's own: those of the corpora of one protocol must be alike."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from emonas.corpora.reading import Recording
from emonas.errors import EmonasError
from emonas.settings.runnable import Runnable

_HEARD = 5
"""How many utterances of a corpus tell its frame rate."""
_ALIKE = 1.25
"""Frame rates that are measured on a few utterances differ by no more than this factor."""

Recordings = Callable[[str], Sequence[Recording]]


class _Shape(NamedTuple):
    """Features a frame, and frames a second: as the file says, and as measured; 0 if unknown."""

    width: int
    told: float
    measured: float

    def __str__(self) -> str:
        rate = self.told or self.measured
        return f"{self.width} features" + (f", {rate:.3g} frames a second" if rate else "")


def check_own_arrays(plan: Runnable, recordings: Recordings) -> None:
    """Hold the frame rates and widths of a feature's files against each other, a file a corpus.

    Where a file does not say its rate, frames are held against the seconds of the audio.

    Raises:
        EmonasError: they differ between corpora that a system hears together, or from what the
            settings say, or a file is of no known format.
    """
    for protocol, feature in dict.fromkeys(_heard(plan)):
        options = plan.settings.features[feature]
        shapes: dict[str, _Shape] = {}
        for corpus in plan.heard_corpora(protocol):
            shape = _shape(options, corpus, recordings)
            if shape is not None:
                shapes[corpus] = shape
                _check_told(feature, options, shape)
        if _differ(list(shapes.values())):
            each = "; ".join(f"{corpus}: {shape}" for corpus, shape in shapes.items())
            raise EmonasError(
                f"features.{feature}: differs between the corpora of {protocol} ({each}); write "
                "the files of all corpora alike"
            )


def _check_told(feature: str, options: Any, shape: _Shape) -> None:
    if options.frame_rate and shape.told and options.frame_rate != shape.told:
        raise EmonasError(
            f"features.{feature}.frame_rate: is {options.frame_rate:g}, and its file says "
            f"{shape.told:g}; correct it, or leave it out"
        )


def _differ(shapes: Sequence[_Shape]) -> bool:
    measured = [shape.measured for shape in shapes if shape.measured]
    return (
        len({shape.width for shape in shapes}) > 1
        or len({shape.told for shape in shapes}) > 1
        or (bool(measured) and max(measured) > _ALIKE * min(measured))
    )


def _heard(plan: Runnable) -> Iterator[tuple[str, str]]:
    """Protocols, and the features from files of the user's own that their systems hear."""
    for protocol, system in plan.runs:
        for feature in plan.features_of(system):
            if hasattr(plan.settings.features[feature], "file"):
                yield protocol, feature


def _shape(options: Any, corpus: str, recordings: Recordings) -> _Shape | None:
    """Of a corpus's arrays; None where their file is not there, or is empty."""
    from emonas.features.own_files import OwnArrays

    path = options.files(corpus)[0]
    if not path.exists():
        return None
    arrays = OwnArrays(path)
    if not arrays.names:
        return None
    width = arrays.read(min(arrays.names)).shape[1]
    return _Shape(width, arrays.frame_rate, _measured(arrays, recordings(corpus)))


def _measured(arrays: Any, recordings: Sequence[Recording]) -> float:
    """Frames a second of the first few utterances; 0 for vectors, or where none can be heard."""
    import soundfile

    frames, seconds = 0, 0.0
    there = (recording for recording in recordings if recording.utterance in arrays.names)
    for recording in islice(there, _HEARD):
        count = len(arrays.read(recording.utterance))
        try:
            heard = soundfile.info(recording.audio).duration
        except (OSError, RuntimeError):
            # The corpus's own job says what is wrong with the file.
            continue
        if count > 1:
            frames, seconds = frames + count, seconds + heard
    return frames / seconds if seconds else 0.0
