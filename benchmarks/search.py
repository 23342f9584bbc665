"""A step of the DARTS search, ours against the published network, one operation after the other.

    python benchmarks/search.py
    python benchmarks/search.py --small

The shape is the paper's: 1 x 140 x 140, C 6, L 3, 4 nodes, batch 16. The learner is the same on
both sides: a step of the alphas, then one of the weights. Memory is that of a process of its own.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from measuring import Row, ratios, spread
from plain_search import PlainSearchNetwork

from emonas.learning.batches import Batches, Examples
from emonas.learning.options import TrainingOptions
from emonas.networks.search_cells import SearchNetwork
from emonas.search.bilevel import AlphaSteps, BilevelLearner

CLASSES = 4
ROUNDS = 5
THREADS = 2


class Shape(NamedTuple):
    """What is measured."""

    side: int
    channels: int
    cells: int
    batch: int


FULL, SMALL = Shape(140, 6, 3, 16), Shape(20, 2, 3, 4)


def main() -> None:
    """Measure time, then memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="only see that it runs")
    parser.add_argument("--memory", choices=["ours", "plain"], help="print one side's peak in MB")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    shape = SMALL if options.small else FULL
    if options.memory:
        fused = options.memory == "ours"
        # What compiling takes is no part of a step.
        make_step(fused, "first", shape._replace(batch=1))()
        step = make_step(fused, "first", shape)
        before = peak()
        step()
        print(json.dumps(peak() - before))
        return
    # Memory first: the peak of a process begins at what the one that started it holds.
    if not options.small:
        memory()
    for order in ("first", "second"):
        time_steps(order, shape, 2 if options.small else ROUNDS)


def time_steps(order: str, shape: Shape, rounds: int) -> None:
    """Seconds of a step, side by side."""
    ours, theirs = (make_step(fused, order, shape) for fused in (True, False))
    # The first step compiles, and allocates.
    ours()
    theirs()
    found, own = ratios(ours, theirs, rounds)
    ratio = statistics.median(found)
    bar = "at least 4 times as fast as one operation after the other"
    Row(
        f"search-step-{order}-order", ratio, own, "s a step", spread(found), bar, ratio >= 4
    ).write()


def memory() -> None:
    """What a step adds to the memory of a process."""
    ours, theirs = (
        float(subprocess.check_output([sys.executable, __file__, "--memory", side]))
        for side in ("ours", "plain")
    )
    ratio = theirs / ours
    bar = "at most half of one operation after the other"
    Row("search-step-memory", ratio, ours, "MB", (ratio, ratio), bar, ratio >= 2).write()


def make_step(fused: bool, order: str, shape: Shape) -> Callable[[], None]:
    """A step of alphas and weights on one batch each."""
    torch.manual_seed(0)
    kind = SearchNetwork if fused else PlainSearchNetwork
    more = {"fused": True} if fused else {}
    learner = BilevelLearner(
        kind(shape.channels, shape.cells, CLASSES, **more),
        TrainingOptions(optimiser="sgd", learning_rate=0.025, momentum=0.9, clip=5.0),
        AlphaSteps(order, 3e-4, (0.5, 0.999), 1e-3),
        Batches(noise(shape, 1), shape.batch),
        torch.device("cpu"),
    )
    batch = next(iter(Batches(noise(shape, 0), shape.batch).epoch()))
    learner.begin_epoch(1)
    return lambda: learner.train_batch(batch) and None


def noise(shape: Shape, seed: int) -> Examples:
    """A batch of images."""
    generator = np.random.default_rng(seed)
    images = generator.standard_normal((shape.batch, shape.side, shape.side)).astype(np.float32)
    return Examples((list(images),), np.arange(shape.batch) % CLASSES)


def peak() -> float:
    """The largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
