"""wav2vec2-base over utterances in batches of like length, against batches in their files' order.

    python benchmarks/encoders.py [FOLDER OF WAVS]
    python benchmarks/encoders.py --small

The network is of full size, its weights random and the same on both sides; all blocks are kept.
Ours is the extractor over the batches that an extraction makes. The others are transformers' own
model over utterances padded to the longest of a batch, as many a batch as ours has on average, and
our extractor over those batches, which shows what the order alone does. Utterances are a random
sample: in a whole corpus those of a batch are more alike. Without a folder of wavs they are noise
as long as EmoDB's. On a GPU, the other side is one utterance at a time.
"""

import math
import statistics
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import torch
from measuring import Row, of_peak, ratios, spread
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model
from wavs import RATE, options_of, wavs_of

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.features.batches import batches_by_length
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.features.extractors.wav2vec2 import Options, build
from emonas.learning.options import RuntimeOptions

CORPUS, UTTERANCES, ROUNDS = 535, 64, 3
SMALL_UTTERANCES, SMALL_ROUNDS = 4, 1
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64} | {
    "conv_dim": [16] * 7,
    "num_attention_heads": 4,
}
THREADS = 2
LARGEST_DIFFERENCE = 1e-4
Batches = list[list[Speech]]


def main() -> None:
    """Measure on the processor, and on the GPU where there is one."""
    options = options_of(__doc__)
    torch.set_num_threads(THREADS)
    count, rounds = (SMALL_UTTERANCES, SMALL_ROUNDS) if options.small else (UTTERANCES, ROUNDS)
    with tempfile.TemporaryDirectory(dir=".") as name:
        weights = Path(name) / "weights"
        torch.manual_seed(0)
        config = Wav2Vec2Config(**(SMALL if options.small else {}))
        Wav2Vec2Model(config).save_pretrained(weights)
        Wav2Vec2FeatureExtractor().save_pretrained(weights)
        speeches = sample(wavs_of(options.folder, CORPUS, Path(name)), count)
        on_processor(weights, speeches, rounds)
        if torch.cuda.is_available():
            on_gpu(weights, speeches, rounds)
        else:
            print("encoders-gpu: skipped, there is no GPU")


def sample(wavs: Sequence[Path], count: int) -> list[Speech]:
    """Some of the utterances by chance, in their files' order."""
    chosen = np.random.default_rng(0).choice(len(wavs), min(count, len(wavs)), replace=False)
    paths = [wavs[number] for number in sorted(chosen)]
    return [Speech(path.stem, soundfile.read(path, dtype="float32")[0]) for path in paths]


def on_processor(weights: Path, speeches: list[Speech], rounds: int) -> None:
    """Batches by length against batches in the order of the files."""
    extractor, budget = ours(weights, "cpu"), Options(checkpoint="bench").batch_seconds
    by_length = ordered(speeches, budget)
    size = math.ceil(len(speeches) / len(by_length))
    in_order = [speeches[start : start + size] for start in range(0, len(speeches), size)]
    with torch.inference_mode():
        differs = difference(extractor, by_length[-1])
    print(f"encoders: a batch differs from single utterances by {differs:.1e} at most")
    sides = {
        "encoders-by-length": (padded_batches(weights, in_order), "transformers' padded batches"),
        "encoders-order-alone": (partial(run, extractor, in_order), "our batches"),
    }
    work = operations(sum(len(speech.waveform) for speech in speeches) / RATE)
    for name, (theirs, what) in sides.items():
        found, own = ratios(partial(run, extractor, by_length), theirs, rounds)
        ratio = statistics.median(found)
        bar = f"at least 1.25 times as fast as {what} in the files' order"
        unit = f"s for {len(speeches)} utterances in {len(by_length)} batches"
        limit = of_peak(work, own, THREADS) if len(speeches) > SMALL_UTTERANCES else ""
        holds = ratio >= 1.25 and differs <= LARGEST_DIFFERENCE
        Row(name, ratio, own, unit, spread(found), bar, holds, limit).write()


def on_gpu(weights: Path, speeches: list[Speech], rounds: int) -> None:
    """Batches by length against one utterance at a time, in the precision of extraction."""
    for name, precision in {"encoders-gpu": "auto", "encoders-gpu-float32": "float32"}.items():
        extractor = ours(weights, "cuda", precision)
        by_length = ordered(speeches, Options(checkpoint="bench").batch_seconds)
        singles = [[speech] for speech in speeches]
        run(extractor, by_length)
        run(extractor, singles)
        found, own = ratios(
            partial(run, extractor, by_length), partial(run, extractor, singles), rounds
        )
        ratio, bar = statistics.median(found), "at least 10 times as fast as one at a time"
        unit = f"s for {len(speeches)} utterances"
        Row(name, ratio, own, unit, spread(found), bar, ratio >= 10).write()


def ours(weights: Path, device: str, precision: str = "auto") -> Extractor:
    """The extractor of the workflow."""
    runtime = RuntimeOptions(device=device, torch_threads=THREADS)
    resources = Resources(runtime, Checkpoint("bench", weights, ""))
    return build(Options(checkpoint="bench", precision=precision), resources)


def ordered(speeches: Sequence[Speech], budget: float) -> Batches:
    """The batches of an extraction."""
    named = {speech.name: speech for speech in speeches}
    seconds = [len(speech.waveform) / RATE for speech in speeches]
    rows = pd.DataFrame({"utterance": list(named), "seconds": seconds})
    return [
        [named[name] for name in batch["utterance"]] for batch in batches_by_length(rows, budget)
    ]


def run(extractor: Extractor, batches: Batches) -> None:
    """Encode everything; what comes is on the processor, so that a GPU has ended."""
    for batch in batches:
        extractor.extract(batch)


def padded_batches(weights: Path, batches: Batches) -> Callable[[], None]:
    """What people write with transformers: pad, run, keep each utterance's frames."""
    model = Wav2Vec2Model.from_pretrained(weights).eval()
    prepare = Wav2Vec2FeatureExtractor.from_pretrained(weights)

    @torch.inference_mode()
    def run_all() -> None:
        for batch in batches:
            waveforms = [speech.waveform for speech in batch]
            inputs = prepare(waveforms, sampling_rate=RATE, padding=True, return_tensors="pt")
            states = model(**inputs, output_hidden_states=True).hidden_states
            for row, waveform in enumerate(waveforms):
                frames = int(model._get_feat_extract_output_lengths(len(waveform)))
                np.stack([state[row, :frames].numpy() for state in states])

    return run_all


def difference(extractor: Extractor, batch: list[Speech]) -> float:
    """How far a batch's numbers are from those of its first and last utterance alone."""
    together = extractor.extract(batch)
    return max(
        float(np.abs(together[place] - extractor.extract([batch[place]])[0]).max())
        for place in (0, len(batch) - 1)
    )


def operations(seconds: float) -> float:
    """Multiplications and additions of wav2vec2-base for so much audio, without attention."""
    rates = [RATE / 5 / 2**layer for layer in range(7)]
    kernels, width = (10, 3, 3, 3, 3, 2, 2), 512
    convolutions = sum(
        rate * kernel * width * (width if layer else 1)
        for layer, (rate, kernel) in enumerate(zip(rates, kernels, strict=True))
    )
    block = 4 * 768**2 + 2 * 768 * 3072
    frames = rates[-1] * (width * 768 + 128 * 768 * 768 / 16 + 12 * block)
    return 2 * seconds * (convolutions + frames)


if __name__ == "__main__":
    main()
