"""A training step of CTA-RNN's GRUs that run together, against torch's own one after the other.

12 blocks of 512 features, 256 hidden units in each direction, 2 layers, 32 utterances of 100 frames
of random numbers: forward, backward, Adam. `python benchmarks/gru.py` prints a row for the
processor, on two threads, and one for the GPU where there is one.
"""

import statistics
from collections.abc import Callable

import torch
from measuring import Row, ratios, spread
from torch import Tensor, nn

from emonas.networks.parallel_gru import ParallelGru

BLOCKS, WIDTH, HIDDEN, LAYERS = 12, 512, 256, 2
BATCH, FRAMES = 32, 100
CPU_ROUNDS, GPU_ROUNDS = 7, 30
LARGEST_DIFFERENCE = 1e-5


class Each(nn.Module):
    """The same as modules of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.units = nn.ModuleList(
            nn.GRU(WIDTH, HIDDEN, LAYERS, batch_first=True, bidirectional=True)
            for _ in range(BLOCKS)
        )

    @torch.no_grad()
    def take_weights(self, together: ParallelGru) -> None:
        """Take ours, so that both give the same outputs."""
        for number, layer in enumerate(together.layers):
            for name, stacked in layer.named_parameters():
                for direction, suffix in enumerate(("", "_reverse")):
                    for unit, values in zip(self.units, stacked[direction], strict=True):
                        getattr(unit, f"{name}_l{number}{suffix}").copy_(values)

    def forward(self, frames: Tensor) -> Tensor:
        """One after the other."""
        return torch.stack([unit(frames[:, n])[0] for n, unit in enumerate(self.units)], dim=1)


def main() -> None:
    """Measure on the processor, and on the GPU where there is one."""
    torch.set_num_threads(2)
    compare("gru-parallel", torch.device("cpu"), CPU_ROUNDS, 1.0, "no slower than torch's own")
    if torch.cuda.is_available():
        text = "at most half the time of torch's own"
        compare("gru-parallel-gpu", torch.device("cuda"), GPU_ROUNDS, 2.0, text)


def compare(name: str, device: torch.device, rounds: int, bar: float, text: str) -> None:
    """Hold a step of ours against a step of theirs."""
    torch.manual_seed(0)
    frames = torch.randn(BATCH, BLOCKS, FRAMES, WIDTH, device=device)
    lengths = torch.full((BATCH,), FRAMES, device=device)
    # cuDNN may round the factors of its products, which ours does not do by default.
    torch.backends.cudnn.allow_tf32 = False
    together, each = ParallelGru(BLOCKS, WIDTH, HIDDEN, LAYERS).to(device), Each().to(device)
    each.take_weights(together)
    with torch.no_grad():
        difference = float((together(frames, lengths) - each(frames)).abs().max())
    print(f"{name}: outputs differ by {difference:.1e} at most")
    ours = step(together, lambda: together(frames, lengths))
    theirs = step(each, lambda: each(frames))
    ours()
    theirs()
    found, own = ratios(ours, theirs, rounds)
    ratio = statistics.median(found)
    holds = ratio >= bar and difference <= LARGEST_DIFFERENCE
    Row(name, ratio, own, "s a step", spread(found), text, holds).write()


def step(network: nn.Module, states: Callable[[], Tensor]) -> Callable[[], None]:
    """Forward, backward, Adam; ends when the device is done."""
    optimiser = torch.optim.Adam(network.parameters())

    def run() -> None:
        optimiser.zero_grad()
        states().square().mean().backward()
        optimiser.step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    return run


if __name__ == "__main__":
    main()
