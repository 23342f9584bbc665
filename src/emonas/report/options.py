"""Options of the report: the tables and figures of papers, with own figures beside them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from emonas.options import Options

Score = Literal[
    "ua",
    "wa",
    "parameters",
    "gender_ua",
    "gender_wa",
    "style_ua",
    "style_wa",
    "asr_wer",
    "asr_cer",
]
Metric = Literal[Score, "wer", "cer"]
ERROR_RATES: frozenset[Metric] = frozenset({"wer", "cer"})
Published = float | Literal["not in our copy"]
_PUBLISHED = (
    "ua, wa, wer and cer as fractions, parameters as a number of weights (0.13M is 130000); 'not "
    "in our copy' where our copy of the paper lacks the figure"
)


class ColumnOptions(Options):
    """What a column of a table, or a line of a figure, shows of a row's system or transcript."""

    metric: Metric = Field(
        "ua",
        description="`ua` and `wa`, the `parameters` of a system, what it reaches at a task beside "
        "emotion (`gender_ua`, `asr_wer`, ...; with * that of the system it starts from, where it "
        "has not that task itself), or a transcript's word and character error rates `wer` and "
        "`cer`",
    )
    protocol: str | None = Field(
        None, description="the protocol of the figures; the row's or table's where it is not given"
    )
    transfer: str | None = Field(
        None, description="another corpus, on which the models of that protocol were tested"
    )
    domain: str | None = Field(
        None, description="one domain of that protocol, such as a language: its utterances alone"
    )
    less: str | None = Field(
        None,
        description="another protocol, whose figure is taken off: the difference in points "
        "(tables only)",
    )
    corpus: str | None = Field(
        None, description="the corpus that was recognised, for `wer` and `cer`"
    )

    @model_validator(mode="after")
    def _goes_together(self) -> "ColumnOptions":
        if self.metric in ERROR_RATES:
            if self.corpus is None:
                raise ValueError(f"metric: {self.metric} needs the key corpus")
            if self.protocol is not None or self.transfer is not None:
                raise ValueError(f"metric: {self.metric} has no protocol and no transfer")
        elif self.corpus is not None:
            raise ValueError("corpus goes with wer and cer; scores on another corpus are transfer")
        if self.metric == "parameters" and self.transfer is not None:
            raise ValueError("parameters are the same on every corpus; leave transfer out")
        if self.metric not in ("ua", "wa") and self.transfer is not None:
            raise ValueError(f"{self.metric} is that of the protocol itself; leave transfer out")
        return self

    @model_validator(mode="after")
    def _scores_within(self) -> "ColumnOptions":
        for key in ("domain", "less"):
            if getattr(self, key) is None:
                continue
            if self.metric not in ("ua", "wa"):
                raise ValueError(f"{key} goes with ua and wa, not with {self.metric}")
            if self.transfer is not None:
                raise ValueError(f"{key} and transfer do not go together; leave one of them out")
        return self


class RowOptions(Options):
    """One row of a paper's table."""

    system: str | None = Field(
        None, description="the system whose figures stand beside; none for a row of others"
    )
    transcript: str | None = Field(
        None, description="the transcript whose error rates stand beside, in columns of those"
    )
    protocol: str | None = Field(
        None, description="the protocol of those figures; the table's where it is not given"
    )
    published: dict[str, Published] = Field(
        default_factory=dict, description=f"what the paper prints, by column: {_PUBLISHED}"
    )
    note: str = Field("", description="a remark on this row")


def _by_metric(value: object) -> object:
    """A list of metrics is a column for each, under its name."""
    if isinstance(value, list | tuple):
        return {str(metric): {"metric": metric} for metric in value}
    return value


_UA_AND_WA: Any = ("ua", "wa")


class TableOptions(Options):
    """One table of a paper, with its published figures and the systems that stand beside them."""

    title: str = Field("", description="the heading; the table's name where it is empty")
    source: str = Field("", description="the paper and table, such as 'EmotionNAS v2, table 4'")
    rows: dict[str, RowOptions] = Field(description="the rows by their name in the paper")
    columns: Annotated[
        dict[str, ColumnOptions],
        BeforeValidator(
            _by_metric, json_schema_input_type=dict[str, ColumnOptions] | tuple[Score, ...]
        ),
    ] = Field(
        _UA_AND_WA,
        min_length=1,
        validate_default=True,
        description="a list of metrics (ua, wa, parameters), or columns by their name in the paper",
    )
    protocol: str | None = Field(None, description="the protocol of the rows that name none")
    notes: tuple[str, ...] = Field(
        (), description="readings of the paper and differences of protocol that touch this table"
    )

    @model_validator(mode="after")
    def _has_the_right_units(self) -> "TableOptions":
        for label, row in self.rows.items():
            for name, value in row.published.items():
                # A name that is no column is told where the nearest one is known.
                if column := self.columns.get(name):
                    if column.less is not None:
                        raise ValueError(
                            f"rows.{label}.published.{name}: the column has `less`, and a "
                            "difference has no published figure; leave it out"
                        )
                    check_unit(f"rows.{label}.published.{name}", column.metric, value)
        return self


class PanelOptions(Options):
    """One panel of a figure."""

    points: dict[float, str] = Field(
        min_length=1, description="systems by the number that they stand at"
    )
    baselines: dict[str, str] = Field(
        default_factory=dict, description="systems that are drawn as dashed lines, by name"
    )
    published: dict[str, dict[float, Published]] = Field(
        default_factory=dict, description="what the paper prints, by line and number: fractions"
    )


class FigureOptions(Options):
    """A figure of lines: own UA (or WA) against a number, a line a protocol or transfer."""

    kind: Literal["lines"] = Field("lines", description="what kind of figure this is")
    title: str = Field("", description="the heading; the figure's name where it is empty")
    source: str = Field("", description="the paper and figure, such as 'CTA-RNN, figure 2'")
    axis: str = Field("", description="what the numbers are, such as block")
    lines: dict[str, ColumnOptions] = Field(
        min_length=1, description="what is drawn of each system, by the line's name"
    )
    panels: dict[str, PanelOptions] = Field(
        min_length=1, description="the panels side by side, by name"
    )
    published: Literal["not in our copy"] | None = Field(
        None,
        description="'not in our copy' where the paper draws every point and baseline, and prints "
        "no more values than `published` of the panels have",
    )
    notes: tuple[str, ...] = Field(
        (), description="readings of the paper and differences of protocol that touch this figure"
    )

    @model_validator(mode="after")
    def _draws_scores(self) -> "FigureOptions":
        for name, line in self.lines.items():
            if line.metric not in ("ua", "wa"):
                raise ValueError(f"lines.{name}.metric is ua or wa in a figure, not {line.metric}")
            if line.less is not None:
                raise ValueError(f"lines.{name}.less: a figure draws no differences; leave it out")
        for title, panel in self.panels.items():
            for line_name, values in panel.published.items():
                for number, value in values.items():
                    path = f"panels.{title}.published.{line_name}.{number:g}"
                    check_unit(path, "ua", value)
        return self


def check_unit(path: str, metric: Metric, value: Published) -> None:
    """Refuse percent where a fraction is meant, and millions where weights are.

    Raises:
        ValueError: the value is in another unit.
    """
    if isinstance(value, str):
        return
    if metric == "parameters" and value < 100:
        raise ValueError(f"{path} is a number of weights, not {value:g} millions")
    if metric != "parameters" and not 0 <= value <= 1:
        raise ValueError(f"{path} is a fraction from 0 to 1, not {value:g}")


def published_by_point(panel: PanelOptions) -> Mapping[float, dict[str, Published]]:
    """What a panel's paper prints by number and line, at every number that anything stands at."""
    numbers = sorted({*panel.points, *(x for values in panel.published.values() for x in values)})
    return {
        number: {
            line: values[number] for line, values in panel.published.items() if number in values
        }
        for number in numbers
    }
