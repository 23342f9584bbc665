"""What a system says of a piece of a recording."""

from collections.abc import Mapping
from dataclasses import dataclass

NO_NUMBER = "what the system says of it is no number"
"""The problem of a piece that a network answers with NaN, as one may that diverges on utterances
longer than those it learnt from.
"""


@dataclass(frozen=True)
class Answer:
    """What is said of a piece of a recording, from `start` to `end` in seconds; `problem` and no
    probabilities where nothing can be heard in it, or the system has no answer.
    """

    recording: str
    start: float
    end: float
    probabilities: Mapping[str, float]
    problem: str = ""

    @property
    def label(self) -> str:
        """The likeliest class; empty where there is none."""
        return likeliest(self.probabilities) if self.probabilities else ""


def likeliest(probabilities: Mapping[str, float]) -> str:
    """The class of the largest probability; the first of several."""
    return max(probabilities, key=lambda label: probabilities[label])
