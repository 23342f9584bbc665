"""Features from wav to store, against one utterance at a time with librosa.

    python benchmarks/features.py [FOLDER OF WAVS]
    python benchmarks/features.py --small

Ours is the whole job as the workflow runs it: manifest, decoding, front end, the feature file. The
other side is the loop that people write: librosa loads an utterance and computes, and its frames
are appended to an HDF5 file. Frames and bands are as many on both sides. Without a folder of wavs,
they hold noise as long as the utterances of EmoDB.
"""

import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import librosa
import numpy as np
import scipy.fft
import soundfile
import torch
from measuring import Row, ratios, seconds, spread
from wavs import RATE, options_of, utterance, wavs_of

from emonas.features.extraction import ExtractorOptions, Resources
from emonas.features.extractors import fbank, spectrogram
from emonas.features.job import FeatureJob, extract_feature
from emonas.learning.options import RuntimeOptions
from emonas.storage.features import FeatureFile
from emonas.storage.manifest import write_manifest

UTTERANCES, ROUNDS = 500, 9
SMALL_UTTERANCES, SMALL_ROUNDS = 6, 1
LOWEST_RATIO = 2.0
CORES = 2


def main() -> None:
    """Measure both features."""
    options = options_of(__doc__)
    torch.set_num_threads(CORES)
    count, rounds = (SMALL_UTTERANCES, SMALL_ROUNDS) if options.small else (UTTERANCES, ROUNDS)
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        wavs = wavs_of(options.folder, count, folder)
        write_manifest(folder / "manifest.csv", [utterance(path) for path in wavs])
        for feature in FEATURES:
            compare(feature, wavs, folder, rounds)


def compare(feature: str, wavs: list[Path], folder: Path, rounds: int) -> None:
    """Hold our job against the loop."""
    options, plain, window, hop = FEATURES[feature]
    ours, theirs = folder / f"{feature}.h5", folder / f"{feature}-librosa.h5"

    def run_ours() -> None:
        extract_feature(job(feature, options, folder), ours)

    def run_theirs() -> None:
        one_at_a_time(plain, wavs, theirs)

    # What is loaded and compiled once is no part of it, on either side.
    run_ours()
    run_theirs()
    print(f"{feature}: differs from librosa's by {difference(ours, theirs):.1e} in the middle")
    found, own = ratios(run_ours, run_theirs, rounds)
    ratio = statistics.median(found)
    least = statistics.median(
        seconds(lambda: decode_and_transform(wavs, window, hop)) for _ in range(rounds)
    )
    size = ours.stat().st_size / 1e6
    limit = f"decoding and transforms alone {least:.2f} s, {least / own:.0%}; writes {size:.0f} MB"
    unit = f"s for {len(wavs)} utterances"
    bar = f"at least {LOWEST_RATIO} times as fast as librosa, one at a time"
    holds = ratio >= LOWEST_RATIO
    Row(f"features-{feature}", ratio, own, unit, spread(found), bar, holds, limit).write()


def job(feature: str, options: ExtractorOptions, folder: Path) -> FeatureJob:
    """What the workflow's rule runs."""
    return FeatureJob(
        corpus="bench",
        feature=feature,
        options=options,
        manifest=folder / "manifest.csv",
        resources=Resources(RuntimeOptions()),
        resume=folder / "resume",
        code="",
    )


def one_at_a_time(plain: Callable[[np.ndarray], np.ndarray], wavs: list[Path], path: Path) -> None:
    """Load, compute and append, utterance by utterance."""
    with h5py.File(path, "w") as file:
        frames = None
        for wav in wavs:
            waveform, _ = librosa.load(wav, sr=RATE)
            found = plain(waveform)
            if frames is None:
                width = found.shape[1]
                frames = file.create_dataset("frames", (0, width), "f4", maxshape=(None, width))
            frames.resize(len(frames) + len(found), axis=0)
            frames[-len(found) :] = found


def plain_fbank(waveform: np.ndarray) -> np.ndarray:
    """Kaldi's front end as nearly as librosa has it: the mean of a window stays."""
    mel = librosa.feature.melspectrogram(
        # Windows of 400 stand in the middle of 512 samples.
        y=np.pad(librosa.effects.preemphasis(2**15 * waveform), 56),
        sr=RATE,
        n_fft=512,
        win_length=400,
        hop_length=160,
        window=np.hanning(400) ** 0.85,
        center=False,
        n_mels=80,
        fmin=20,
        htk=True,
        norm=None,
    )
    return np.log(np.maximum(mel, np.finfo(np.float32).eps)).T


def plain_spectrogram(waveform: np.ndarray) -> np.ndarray:
    """EmotionNAS's image of 8 s."""
    spectrum = librosa.stft(
        librosa.util.fix_length(waveform, size=8 * RATE),
        n_fft=400,
        hop_length=176,
        window="hamming",
        center=False,
    )
    logarithms = torch.from_numpy(np.log(np.maximum(np.abs(spectrum), 1e-5)).T.copy())
    return torch.nn.functional.adaptive_avg_pool2d(logarithms[None], (140, 140))[0].numpy()


FEATURES: dict[str, tuple[ExtractorOptions, Callable[[np.ndarray], np.ndarray], int, int]] = {
    "spectrogram": (spectrogram.Options(), plain_spectrogram, 400, 176),
    "fbank": (fbank.Options(), plain_fbank, 512, 160),
}
"""Our options, librosa's way, samples that are transformed at a time, and their step."""


def difference(ours: Path, theirs: Path) -> float:
    """How far apart the numbers are in the middle; the shapes have to be the same."""
    with FeatureFile(ours) as file, h5py.File(theirs) as other:
        frames = np.concatenate(file.read_many(file.utterances))
        if frames.shape != other["frames"].shape:
            raise ValueError(f"{frames.shape}, not {other['frames'].shape}")
        return float(np.median(np.abs(frames - other["frames"][:])))


def decode_and_transform(wavs: list[Path], window: int, hop: int) -> None:
    """What nobody can leave out: read each wav, and transform its windows."""

    def transform(path: Path) -> None:
        waveform, _ = soundfile.read(path)
        scipy.fft.rfft(np.lib.stride_tricks.sliding_window_view(waveform, window)[::hop])

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(transform, wavs))


if __name__ == "__main__":
    main()
