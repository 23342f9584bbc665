"""What a system says of a piece of a recording."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What is said of a piece of a recording, from `start` to `end` in seconds; `problem` and no
    probabilities where nothing can be heard in it.
    """

    recording: str
    start: float
    end: float
    probabilities: Mapping[str, float]
    problem: str = ""

    @property
    def label(self) -> str:
        """The likeliest class; empty where nothing can be heard."""
        return likeliest(self.probabilities) if self.probabilities else ""


def likeliest(probabilities: Mapping[str, float]) -> str:
    """The class of the largest probability; the first of several."""
    return max(probabilities, key=lambda label: probabilities[label])
