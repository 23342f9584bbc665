"""How a long recording is cut."""

from dataclasses import dataclass

from emonas.errors import EmonasError


@dataclass(frozen=True)
class Windows:
    """How a long recording is cut: one of more than `longest` seconds into windows of `length`
    seconds, one every `step` seconds. The last one ends with the recording: where no more than half
    a step is left over it is so much longer, or else one more, which begins earlier.
    """

    longest: float = 30.0
    length: float = 10.0
    step: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.step <= self.length <= self.longest:
            raise EmonasError(
                f"--step {self.step:g}, --window {self.length:g} and --longest {self.longest:g}: "
                "each has to be at most the next, and more than 0 seconds"
            )

    def spans(self, seconds: float) -> list[tuple[float, float]]:
        """Start and end of each window in seconds."""
        if seconds <= self.longest:
            return [(0.0, seconds)]
        count = int((seconds - self.length) // self.step) + 1
        starts = [number * self.step for number in range(count)]
        spans = [(start, start + self.length) for start in starts]
        # Another window would hear nearly the same again, and the end would count twice.
        if seconds - spans[-1][1] <= self.step / 2:
            return [*spans[:-1], (starts[-1], seconds)]
        return [*spans, (seconds - self.length, seconds)]
