"""Options of the report: the paper tables of the settings file."""

from typing import Literal

from pydantic import Field, field_validator

from emonas.options import Options

Metric = Literal["ua", "wa", "parameters"]
Published = float | Literal["not in our copy"]


class RowOptions(Options):
    """One row of a paper's table."""

    system: str | None = Field(
        None, description="the system whose figures stand beside; none for a row of others"
    )
    protocol: str | None = Field(
        None, description="the protocol of those figures; the table's where it is not given"
    )
    published: dict[Metric, Published] = Field(
        default_factory=dict,
        description=(
            "what the paper prints: ua and wa as fractions, parameters as a number of weights "
            "(0.13M is 130000); 'not in our copy' where our copy of the paper lacks the figure"
        ),
    )
    note: str = Field("", description="a remark on this row")

    @field_validator("published")
    @classmethod
    def _has_the_right_units(cls, published: dict[Metric, Published]) -> dict[Metric, Published]:
        for metric, value in published.items():
            if isinstance(value, str):
                continue
            if metric == "parameters" and value < 100:
                raise ValueError(f"parameters is a number of weights, not {value:g} millions")
            if metric != "parameters" and not 0 <= value <= 1:
                raise ValueError(f"{metric} is a fraction from 0 to 1, not {value:g}")
        return published


class TableOptions(Options):
    """One table of a paper, with its published figures and the systems that stand beside them."""

    title: str = Field("", description="the heading; the table's name where it is empty")
    source: str = Field("", description="the paper and table, such as 'EmotionNAS v2, table 4'")
    rows: dict[str, RowOptions] = Field(description="the rows by their name in the paper")
    columns: tuple[Metric, ...] = Field(("ua", "wa"), description="the metrics of the table")
    protocol: str | None = Field(None, description="the protocol of the rows that name none")
    notes: tuple[str, ...] = Field(
        (), description="readings of the paper and differences of protocol that touch this table"
    )
