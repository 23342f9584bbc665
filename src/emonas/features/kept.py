"""What an extraction has done so far: whole feature files of a few utterances each."""

import os
import time
from pathlib import Path

from emonas.errors import DamagedFileError, EmonasError
from emonas.jobs import report_line
from emonas.storage.features import (
    Array,
    FeatureFacts,
    FeatureFile,
    FeatureWriter,
    join_features,
)

KEEP = "EMONAS_KEEP_SECONDS"
KEEP_SECONDS = 20.0
KEEP_BYTES = 2**28


def keep_seconds() -> float:
    """Seconds that a killed job loses at most, beside the batch it is in: `$EMONAS_KEEP_SECONDS`.

    Raises:
        EmonasError: it is no number, or below 0.
    """
    given = os.environ.get(KEEP)
    if given is None:
        return KEEP_SECONDS
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    # Not a number is refused, too.
    if not seconds >= 0:
        raise EmonasError(f"{KEEP}: {given!r} is no number of seconds; set one of 0 or more")
    return seconds


class KeptFeatures:
    """Features that are written to a folder every now and then, so that a killed job loses little.

    Attributes:
        done: the names of the utterances that an earlier job extracted.
    """

    def __init__(self, folder: Path, facts: FeatureFacts) -> None:
        self._folder = folder
        self._writer = FeatureWriter(facts)
        self._seconds = keep_seconds()
        self._time = time.monotonic()
        self._parts: list[Path] = []
        self.done: set[str] = set()
        for part in sorted(folder.glob("[0-9]*.h5")):
            self._take(part)

    def append(self, utterance: str, frames: Array) -> None:
        """Add an utterance; it is safe after the next `keep`."""
        self._writer.append(utterance, frames)

    def keep_now_and_then(self) -> None:
        """Make safe what was added, where that is much or long ago."""
        late = time.monotonic() - self._time >= self._seconds
        if late or self._writer.bytes > KEEP_BYTES:
            self._keep()

    def finish(self, output: Path, order: list[str]) -> None:
        """Join everything into the feature file, whose bytes depend on no interruption."""
        if not self._parts:
            self._writer.save(output, order)
            return
        self._keep()
        join_features(output, self._writer.facts, self._parts, order)

    def _keep(self) -> None:
        if self._writer.lengths:
            number = int(self._parts[-1].stem) + 1 if self._parts else 0
            part = self._folder / f"{number:06}.h5"
            self._writer.save(part)
            self._parts.append(part)
            self._writer = FeatureWriter(self._writer.facts)
        self._time = time.monotonic()

    def _take(self, part: Path) -> None:
        """Take over what an earlier job kept; what is damaged, or not of these facts, is not."""
        try:
            with FeatureFile(part) as file:
                whole, names = file.facts == self._writer.facts, set(file.utterances)
        except DamagedFileError:
            whole, names = False, set()
        if not whole:
            report_line(f"{part}: left by an interrupted job and of no use; extracted again")
            part.unlink()
            return
        self._parts.append(part)
        self.done |= names
