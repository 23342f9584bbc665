"""A training step of a recipe's cell, against a walk of the recipe and against torch's LSTM.

The LSTM recipe on 727 frames of 512 random numbers, 16 utterances, 256 hidden units, two threads:
forward and backward. Then 50 random recipes, by seconds a linear node. `python
benchmarks/recipes.py` prints a row each, and those of the GPU where there is one.
"""

import argparse
import statistics
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from measuring import Row, ratios, seconds, spread
from plain_recipes import PlainRecipeLayer
from torch import Tensor, nn

from emonas.networks.recipes import RecipeLayer
from emonas.search.named_recipes import named_recipe
from emonas.search.random_recipe import draw_recipe
from emonas.storage.genotype import Recipe


class Shape(NamedTuple):
    """Of a measurement, and how much of it is done."""

    batch: int
    time: int
    width: int
    hidden: int
    rounds: int
    recipes: int


FULL = Shape(batch=16, time=727, width=512, hidden=256, rounds=9, recipes=50)
SMALL = Shape(batch=3, time=5, width=8, hidden=6, rounds=1, recipes=3)
GPU_BATCH = 64
THREADS = 2
LARGEST_DIFFERENCE = 1e-5


class Bars(NamedTuple):
    """At least so many times as fast as a walk, at most so many times the library's time."""

    walk: float
    library: float


def main() -> None:
    """Measure on the processor, and on the GPU where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="only see that it runs")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    # cuDNN may round the factors of its products, which ours does not do by default.
    torch.backends.cudnn.allow_tf32 = False
    shape = SMALL if options.small else FULL
    compare("recipe", torch.device("cpu"), shape, Bars(3, 1.2))
    random_recipes(shape)
    if torch.cuda.is_available():
        large = shape if options.small else shape._replace(batch=GPU_BATCH)
        compare("recipe-gpu", torch.device("cuda"), large, Bars(15, 3))
    else:
        print("recipe-gpu: skipped; there is no GPU")


def compare(name: str, device: torch.device, shape: Shape, bars: Bars) -> None:
    """The LSTM recipe against a walk, and against nn.LSTM with the same weights."""
    frames = noise(shape, device)
    ours = layer(named_recipe("lstm"), shape).to(device)
    plain = PlainRecipeLayer(named_recipe("lstm"), shape.width, shape.hidden).to(device)
    plain.take_weights(ours)
    library = nn.LSTM(shape.width, shape.hidden, batch_first=True).to(device)
    take_weights(library, ours)
    with torch.no_grad():
        found, wanted = ours(frames), library(frames)[0]
        difference = max(float((found - other).abs().max()) for other in (wanted, plain(frames)))
    print(f"{name}: outputs differ by {difference:.1e} at most")
    same = difference <= LARGEST_DIFFERENCE
    step = make_step(ours, lambda: ours(frames))
    walk = make_step(plain, lambda: plain(frames))
    theirs = make_step(library, lambda: library(frames)[0])
    for each in (step, walk, theirs):
        each()
    times, own = ratios(step, walk, max(1, shape.rounds // 2))
    ratio = statistics.median(times)
    text = f"at least {bars.walk:g} times as fast as a walk of the recipe"
    Row(
        f"{name}-walk", ratio, own, "s a step", spread(times), text, same and ratio >= bars.walk
    ).write()
    times, own = ratios(step, theirs, shape.rounds)
    shares = [1 / each for each in times]
    share = statistics.median(shares)
    text = f"at most {bars.library:g} times nn.LSTM's time"
    Row(
        f"{name}-lstm", share, own, "s a step", spread(shares), text, same and share <= bars.library
    ).write()


def random_recipes(shape: Shape) -> None:
    """Seconds a linear node, as a share of what the LSTM recipe takes beside it."""
    frames = noise(shape, torch.device("cpu"))
    known = layer(named_recipe("lstm"), shape)
    theirs = make_step(known, lambda: known(frames))
    theirs()
    shares, own = [], []
    for seed in range(shape.recipes):
        drawn = layer(draw_recipe(np.random.default_rng(seed), "drawn").recipe, shape)
        step = make_step(drawn, lambda drawn=drawn: drawn(frames))
        step()
        pairs = [(seconds(step), seconds(theirs)) for _ in range(3)]
        mine, other = (statistics.median(each) for each in zip(*pairs, strict=True))
        own.append(mine / len(drawn.linear_nodes))
        shares.append(own[-1] / (other / len(known.linear_nodes)))
    share, bar = statistics.median(shares), 1.1
    text = f"a linear node at most {bar:g} times the LSTM recipe's"
    value = statistics.median(own)
    Row("recipe-random", share, value, "s a node", spread(shares), text, share <= bar).write()


def layer(recipe: Recipe, shape: Shape) -> RecipeLayer:
    """Ours, the same for the same recipe."""
    torch.manual_seed(0)
    return RecipeLayer(recipe, shape.width, shape.hidden, fused=True)


@torch.no_grad()
def take_weights(library: nn.LSTM, ours: RecipeLayer) -> None:
    """Give torch's LSTM our weights, whose gates stand in the same order."""
    for name, source in (("weight_ih_l0", "x"), ("weight_hh_l0", "h_prev_0")):
        library.get_parameter(name).copy_(ours.weights[ours.sources.index(source)])
    library.get_parameter("bias_ih_l0").copy_(ours.biases.flatten())
    library.get_parameter("bias_hh_l0").zero_()


def noise(shape: Shape, device: torch.device) -> Tensor:
    """Frames, (batch, time, width)."""
    torch.manual_seed(1)
    return torch.randn(shape.batch, shape.time, shape.width).to(device)


def make_step(network: nn.Module, states: Callable[[], Tensor]) -> Callable[[], None]:
    """Forward and backward from one gradient of the states; ends when the device is done."""
    with torch.no_grad():
        slope = torch.randn_like(states(), memory_format=torch.contiguous_format)

    def run() -> None:
        network.zero_grad()
        states().backward(slope)
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    return run


if __name__ == "__main__":
    main()
