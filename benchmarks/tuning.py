"""Fine-tuning a full-size wav2vec 2.0 of random weights on noise of IEMOCAP's size, on a GPU.

5531 utterances, 4.5 s long on average and 20 s at most, 16 a batch, ASR, gender and emotion at
once: seconds an epoch and the peak memory, plainly and with what saves memory. `python
benchmarks/tuning.py` writes results/bench/tuning.md; without a GPU it says so, and measures a small
encoder on the processor where it is given `--small`.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch

from emonas.kinds import kind_options
from emonas.learning.batches import Batches, Examples
from emonas.learning.supervised import SupervisedLearner
from emonas.storage.atomic import write_text
from emonas.systems.building import build_network
from emonas.systems.data import FoldData
from emonas.systems.normalising import Normaliser
from emonas.systems.objective import make_objective
from emonas.systems.shapes import NetworkShape

UTTERANCES, MEAN_SECONDS, LONGEST_SECONDS, RATE = 5531, 4.5, 20.0, 16000
BATCH, BATCHES, WARM = 16, 30, 3
BAR = 12 * 1024
SMALL = {"layers": 2, "width": 64, "heads": 4, "feed_forward": 64, "channels": 16}
CHARACTERS = tuple(" abcdefghijklmnopqrstuvwxyz")
WAYS = {
    "plain": {},
    "mixed precision": {"precision": "mixed"},
    "mixed, by length": {"precision": "mixed", "by_length": True},
    "mixed, by length, recomputed": {"precision": "mixed", "by_length": True, "recompute": True},
    "mixed, by length, recomputed, 4 pieces": {
        "precision": "mixed",
        "by_length": True,
        "recompute": True,
        "pieces": 4,
    },
}


def noise(count: int) -> Examples:
    """Utterances of noise whose lengths are spread as those of speech (log-normal)."""
    generator = np.random.default_rng(0)
    seconds = generator.lognormal(np.log(MEAN_SECONDS) - 0.18, 0.6, count)
    lengths = (np.clip(seconds, 0.6, LONGEST_SECONDS) * RATE).astype(int)
    lengths[0] = int(LONGEST_SECONDS * RATE)
    waveforms = [
        generator.standard_normal((length, 1), dtype=np.float32).astype(np.float16)
        for length in lengths
    ]
    texts = [generator.integers(1, 28, size=max(1, length // 1600)) for length in lengths]
    genders = [generator.integers(0, 2, size=1) for _ in lengths]
    labels = generator.integers(0, 4, size=count)
    return Examples((waveforms,), labels, targets={"asr": texts, "gender": genders})


def measure(
    examples: Examples, sizes: dict[str, int], changes: dict[str, object], device: torch.device
) -> tuple[float, float]:
    """Seconds an epoch of `UTTERANCES`, from some batches, and the peak memory in MiB."""
    training = {key: value for key, value in changes.items() if key != "recompute"}
    options = kind_options(
        "network",
        {
            "network": "wav2vec2",
            "inputs": ["waveform"],
            "random": sizes,
            "tasks": ["emotion", "asr", "gender"],
            "recompute": "recompute" in changes,
            "training": {"batch": BATCH, **training},
        },
    )
    classes = ("angry", "happy", "neutral", "sad")
    tasks = {"asr": CHARACTERS, "gender": ("female", "male")}
    shape = NetworkShape((1,), len(classes), tasks=tasks)
    torch.manual_seed(0)
    network = build_network(options, None, shape)
    data = FoldData(classes, shape, examples, None, Normaliser())
    objective = make_objective(options, data, network)
    learner = SupervisedLearner(network, options.training, device, objective)
    batches = Batches(examples, BATCH, 0, shuffle=True, by_length=options.training.by_length).epoch(
        1
    )
    learner.begin_epoch(1)
    # The longest batch first, so that the peak is that of the worst.
    learner.train_batch(examples.take(list(range(BATCH))).batch().to(device))
    for _ in range(WARM):
        learner.train_batch(next(batches).to(device))
    heard, started = 0, now(device)
    for _ in range(BATCHES):
        batch = next(batches)
        learner.train_batch(batch.to(device))
        heard += len(batch.labels)
    seconds = (now(device) - started) * UTTERANCES / heard
    memory = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else 0.0
    return seconds, memory


def now(device: torch.device) -> float:
    """Seconds, when the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def main() -> None:
    """Measure every way, and write the table."""
    small = "--small" in sys.argv
    if not torch.cuda.is_available() and not small:
        print("tuning: skipped; there is no GPU here")
        return
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    examples = noise((BATCHES + WARM + 2) * BATCH)
    lines = [
        f"| way | s an epoch of {UTTERANCES} utterances | peak memory (MiB) | within 12 GiB |",
        "| :--- | ---: | ---: | :--- |",
    ]
    for way, changes in WAYS.items():
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(device)
        seconds, memory = measure(examples, SMALL if small else {}, changes, device)
        holds = "yes" if 0 < memory <= BAR else "not measured" if not memory else "NO"
        lines.append(f"| {way} | {seconds:.0f} | {memory:.0f} | {holds} |")
        print(lines[-1])
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
    text = "\n".join([*lines, "", f"Measured on {where}, torch {torch.__version__}."])
    write_text(Path("results/bench/tuning.md"), text + "\n")


if __name__ == "__main__":
    main()
