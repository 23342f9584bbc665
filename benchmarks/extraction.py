"""How busy an extraction keeps its encoder: the job's wall time against the encoder's own.

`python benchmarks/extraction.py tiny.en.pt FOLDER [UTTERANCES]` extracts Whisper's blocks of the
wavs in FOLDER, decoding, writing and joining included, three times; the row has the median.
"""

import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from measuring import Row, seconds, spread
from wavs import utterance
from whisper.model import AudioEncoder

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.features.extraction import Resources
from emonas.features.extractors.whisper import Options
from emonas.features.job import FeatureJob, extract_feature
from emonas.learning.options import RuntimeOptions
from emonas.storage.manifest import write_manifest

ROUNDS = 3
HIGHEST_RATIO = 1.1


class Watch:
    """Adds up the seconds inside the encoder's forward pass."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watched(self, forward: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        """The same function, which looks at the clock."""

        @functools.wraps(forward)
        def timed(encoder: AudioEncoder, mel: torch.Tensor) -> torch.Tensor:
            started = time.perf_counter()
            output = forward(encoder, mel)
            self.seconds += time.perf_counter() - started
            return output

        return timed


def main() -> None:
    """Extract a few times, and compare."""
    checkpoint, wavs = Path(sys.argv[1]), sorted(Path(sys.argv[2]).glob("*.wav"))
    wavs = wavs[: int(sys.argv[3])] if len(sys.argv) > 3 else wavs
    watch = Watch()
    AudioEncoder.forward = watch.watched(AudioEncoder.forward)
    walls, ratios = [], []
    for _ in range(ROUNDS):
        watch.seconds = 0.0
        with tempfile.TemporaryDirectory(dir=".") as name:
            walls.append(extraction_seconds(Path(name), checkpoint, wavs))
        ratios.append(walls[-1] / watch.seconds)
    ratio, each = statistics.median(ratios), statistics.median(walls) / len(wavs)
    bar = f"at most {HIGHEST_RATIO} times the encoder's own time"
    held = ratio <= HIGHEST_RATIO
    Row("extraction-whisper", ratio, each, "s an utterance", spread(ratios), bar, held).write()


def extraction_seconds(folder: Path, checkpoint: Path, wavs: list[Path]) -> float:
    """Wall seconds of the whole job, on an empty folder."""
    write_manifest(folder / "manifest.csv", [utterance(path) for path in wavs])
    runtime = RuntimeOptions(torch_threads=torch.get_num_threads())
    job = FeatureJob(
        corpus="bench",
        feature="whisper",
        options=Options(checkpoint="bench"),
        manifest=folder / "manifest.csv",
        resources=Resources(runtime, Checkpoint("bench", checkpoint, "")),
        resume=folder / "resume",
        code="",
    )
    return seconds(lambda: extract_feature(job, folder / "whisper.h5"))


if __name__ == "__main__":
    main()
