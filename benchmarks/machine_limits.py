"""What this machine can do at most: float32 products of matrices, and bytes to and from memory.

Products count by the fastest of torch's own (MKL), numpy's (OpenBLAS) and oneDNN's: which of them
knows a processor is not the processor's limit.

    python benchmarks/machine_limits.py
    python benchmarks/machine_limits.py --small

Of several rounds the fastest counts, because this is a limit. Written to results/bench/machine.json
by the number of threads, and under "cuda" for a GPU where there is one.
"""

import argparse
import json
from collections.abc import Callable

import torch
from measuring import MACHINE, machine, seconds
from threadpoolctl import threadpool_limits

ROUNDS = 7
SIDE, SMALL_SIDE = 4096, 128
NUMBERS, SMALL_NUMBERS = 2**26, 2**12
"""Of float32: far more than a cache holds."""


def main() -> None:
    """Measure with one thread and with two, and on the GPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="only see that it runs")
    small = parser.parse_args().small
    side, numbers = (SMALL_SIDE, SMALL_NUMBERS) if small else (SIDE, NUMBERS)
    found: dict[str, dict[str, float]] = {"products": {}, "copy": {}, "triad": {}}
    places = {"1": 1, "2": 2} | ({"cuda": 1} if torch.cuda.is_available() else {})
    for name, threads in places.items():
        torch.set_num_threads(threads)
        device = torch.device("cuda" if name == "cuda" else "cpu")
        ways = products(side, device)
        rates = {way: 2 * side**3 / fastest(work) / 1e9 for way, work in ways.items()}
        found["products"][name] = max(rates.values())
        print(f"{name}: {', '.join(f'{way} {rate:.0f}' for way, rate in rates.items())} GFLOP/s")
        for way, (work, arrays) in streams(numbers, device).items():
            found[way][name] = 4 * arrays * numbers / fastest(work) / 1e9
    MACHINE.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine(), **found}
    MACHINE.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=1))


def products(side: int, device: torch.device) -> dict[str, Callable[[], object]]:
    """The product of two square matrices, by every library that torch and numpy bring."""
    torch.backends.cuda.matmul.allow_tf32 = False
    left, right, output = (torch.ones(side, side, device=device) for _ in range(3))
    ways: dict[str, Callable[[], object]] = {"torch": lambda: torch.mm(left, right, out=output)}
    if device.type == "cpu":
        threads = torch.get_num_threads()
        first, second = left.numpy(), right.numpy()

        def by_numpy() -> object:
            with threadpool_limits(threads, "blas"):
                return first @ second

        ways["numpy"] = by_numpy
        if torch.backends.mkldnn.is_available():
            one, other = left.to_mkldnn(), right.to_mkldnn()
            ways["onednn"] = lambda: torch._C._nn.mkldnn_linear(one, other)
    return ways


def streams(numbers: int, device: torch.device) -> dict[str, tuple[Callable[[], object], int]]:
    """Work that only moves bytes, and how many arrays it reads and writes."""
    one, other, output = (torch.ones(numbers, device=device) for _ in range(3))
    return {
        "copy": (lambda: output.copy_(one), 2),
        "triad": (lambda: torch.add(one, other, alpha=3.0, out=output), 3),
    }


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest round, the device's own end awaited."""

    def whole() -> None:
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    whole()
    return min(seconds(whole) for _ in range(ROUNDS))


if __name__ == "__main__":
    main()
