"""`results/evaluate/{protocol}/{system}/metrics.json`: fractions, not percent."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from emonas.storage.atomic import write_text
from emonas.storage.documents import read_document

Bounds = tuple[float, float]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Model):
    """One metric: `mean` and `std` over seeds, `folds_mean` and `folds_std` over folds.

    `interval` are the bounds of the mean's 95% interval by bootstrap over the tested speakers, and
    `folds_interval` those of the mean over folds, which is the same where folds are not pooled;
    none where speakers are unknown or fewer than five.
    """

    mean: float
    std: float
    folds_mean: float
    folds_std: float
    interval: Bounds | None = None
    folds_interval: Bounds | None = None


class FoldScore(_Model):
    """The scores of one fold and seed on its test part; none of a system without emotions.

    `speakers` are those tested, none where one is not known; the intervals are over them alone, and
    none where they are fewer than five.
    """

    fold: str
    seed: int
    ua: float | None
    wa: float | None
    utterances: int
    classes: int
    speakers: int | None = None
    ua_interval: Bounds | None = None
    wa_interval: Bounds | None = None


class Parameters(_Model):
    """Weights of the search network (none for a system without a search) and of the trained one."""

    search: int | None = None
    derived: int


class Transferred(_Model):
    """What the models of all folds and seeds reach on the whole of another corpus.

    `ua` and `wa` are averaged over the models; `confusion` adds up their counts (true, predicted)
    in the order of `labels`.
    """

    ua: Figure
    wa: Figure
    folds: list[FoldScore]
    confusion: list[list[int]]
    labels: list[str]


class OfDomain(_Model):
    """What a system reaches on the test utterances of one domain, such as a language.

    `labels` are the classes of that domain and those that were predicted there; `gates` is the mean
    weight that a gating network gave each feature on them, over all folds and seeds.
    """

    ua: Figure
    wa: Figure
    folds: list[FoldScore]
    confusion: list[list[int]]
    labels: list[str]
    gates: dict[str, float] = Field(default_factory=dict)


class TaskScore(_Model):
    """What a system reaches at a task beside emotion, where the answer is known.

    `ua` and `wa` are of gender and style, the word and character error rates `wer` and `cer` of
    asr; `utterances` of the test parts have a known answer, over all seeds and folds.
    """

    ua: Figure | None = None
    wa: Figure | None = None
    wer: Figure | None = None
    cer: Figure | None = None
    utterances: int


class Inflated(_Model):
    """What a system would have reached under a habit that inflates scores: `ua` and `wa`, and those
    of the same runs without it, `honest_ua` and `honest_wa`; `ua_interval` and `wa_interval` are
    the bounds of the differences' 95% intervals.
    """

    ua: float
    wa: float
    honest_ua: float
    honest_wa: float
    ua_interval: Bounds | None = None
    wa_interval: Bounds | None = None


class Metrics(_Model):
    """What a system reached under a protocol.

    `ua` is the mean of class recalls, `wa` plain accuracy; `pooled` says that `mean` is over a
    seed's pooled test predictions; `confusion` counts (true, predicted) over all seeds and
    folds; `transfer` is by the other corpus, `domains` by domain where the protocol has any, and
    `tasks` by task beside emotion. A system that does not learn emotion has tasks alone.
    `inflated` is by habit (`emonas.storage.inflated`), where it can be told. `shortened` and
    `left_out` count the utterances that are longer than the system allows, over all folds and
    seeds.
    """

    protocol: str
    system: str
    seeds: int
    pooled: bool
    ua: Figure | None = None
    wa: Figure | None = None
    folds: list[FoldScore]
    confusion: list[list[int]]
    labels: list[str]
    parameters: Parameters
    macs: int | None = None
    shortened: int = 0
    left_out: int = 0
    tasks: dict[str, TaskScore] = Field(default_factory=dict)
    domains: dict[str, OfDomain] = Field(default_factory=dict)
    transfer: dict[str, Transferred] = Field(default_factory=dict)
    inflated: dict[str, Inflated] = Field(default_factory=dict)

    def figure(self, metric: Literal["ua", "wa"]) -> Figure:
        """A figure of emotion.

        Raises:
            ValueError: the system does not learn it.
        """
        figure = self.ua if metric == "ua" else self.wa
        if figure is None:
            raise ValueError(f"{self.system} does not learn emotion")
        return figure


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write metrics as JSON, whole or not at all."""
    write_text(path, metrics.model_dump_json(indent=1) + "\n")


def read_metrics(path: Path) -> Metrics:
    """Read metrics.

    Raises:
        DamagedFileError: the file is missing or does not hold metrics.
    """
    return read_document(path, Metrics, "no metrics")
