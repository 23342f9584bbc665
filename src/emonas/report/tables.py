"""One table, written as CSV (fractions), Markdown and LaTeX (percent)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from emonas.report.words import duration, memory
from emonas.storage.atomic import write_text
from emonas.storage.tables import write_rows

Kind = Literal[
    "text",
    "percent",
    "points",
    "millions",
    "billions",
    "count",
    "score",
    "interval",
    "probability",
    "seconds",
    "mebibytes",
    "factor",
]
Row = Mapping[str, Any]
EMPTY = "–"
_NAME = 24
"""Letters that a name has at most."""
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    # A bracket behind the end of a line would be taken for an argument.
    "[": "{[}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "±": r"$\pm$",
    "−": "$-$",
    "●": r"$\bullet$",
}


@dataclass(frozen=True)
class Column:
    """A column: the key of its value in a row, its heading, how it is shown, and what is shown
    behind it: the key of a standard deviation, and what comes before `_low` and `_high` in the
    keys of an interval's bounds. Of the kind `interval`, its own key comes before those. `mark` is
    the key of a sign that stands behind the number, such as *.
    """

    key: str
    title: str
    kind: Kind = "text"
    spread: str = ""
    bounds: str = ""
    mark: str = ""

    @property
    def keys(self) -> list[str]:
        """The keys of all that it shows."""
        if self.kind == "interval":
            return _bound_keys(self.key)
        bounds = _bound_keys(self.bounds) if self.bounds else []
        return [key for key in (self.key, self.mark, self.spread, *bounds) if key]


def _bound_keys(stem: str) -> list[str]:
    return [f"{stem}_low", f"{stem}_high"]


@dataclass(frozen=True)
class Table:
    """Rows under columns, with a caption above and notes below."""

    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    notes: tuple[str, ...] = field(default=())

    def is_wordy(self, column: Column) -> bool:
        """Whether a column has sentences rather than names."""
        return any(len(str(row.get(column.key) or "")) > _NAME for row in self.rows)

    def shown(self) -> list[list[str]]:
        """The cells as text for people."""
        return [[show(row, column) for column in self.columns] for row in self.rows]


def show(row: Row, column: Column) -> str:
    """One cell for people: percent with one decimal, weights in millions.

    A text in the place of a number (a figure that a paper does not print) is shown as it is.
    """
    if column.kind == "interval":
        return _interval(row, column.key, "percent") or EMPTY
    value = row.get(column.key)
    if value is None or value == "":
        return EMPTY
    if isinstance(value, str):
        return value
    text = _number(float(value), column.kind) + str(row.get(column.mark) or "")
    deviation = row.get(column.spread) if column.spread else None
    if deviation is not None:
        text += f" ± {_number(float(deviation), column.kind)}"
    if not column.bounds:
        return text
    return f"{text} {_interval(row, column.bounds, column.kind)}".strip()


def _interval(row: Row, stem: str, kind: Kind) -> str:
    """An interval; empty where it is not known."""
    low, high = (row.get(key) for key in _bound_keys(stem))
    if low is None or high is None:
        return ""
    return f"[{_number(float(low), kind)}, {_number(float(high), kind)}]"


def _number(value: float, kind: Kind) -> str:
    return _WRITTEN.get(kind, "{:,.0f}".format)(value)


def _points(value: float) -> str:
    points = round(100 * value, 1)
    return "0.0" if points == 0 else f"{points:+.1f}".replace("-", "−")


def _probability(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def score_text(value: float) -> str:
    """A score from -1 to 1, with two decimals."""
    score = round(value, 2)
    return "0.00" if score == 0 else f"{score:.2f}".replace("-", "−")


def _few(value: float) -> str:
    """One decimal, and two digits of what is smaller than 1."""
    return f"{value:,.1f}" if value >= 1 else f"{value:.2g}"


def _millions(value: float) -> str:
    """Two decimals as the papers print them, a third below one million."""
    if 0 < value < 0.0005:
        return "<0.001M"
    text = f"{value:.3f}".removesuffix("0") if value < 1 else f"{value:.2f}"
    return f"{text}M"


_WRITTEN: dict[Kind, Callable[[float], str]] = {
    "percent": lambda value: f"{100 * value:.1f}",
    "points": _points,
    "millions": lambda value: _millions(value / 1e6),
    "billions": lambda value: _few(value / 1e9),
    "probability": _probability,
    "score": score_text,
    "seconds": duration,
    "mebibytes": memory,
    "factor": lambda value: f"{value:.3g}",
}


def write_tables(stem: Path, table: Table) -> None:
    """Write `stem`.csv, .md and .tex."""
    keys = [key for column in table.columns for key in column.keys]
    # Empty text, not None: None would turn a column of whole numbers into floats.
    rows = [{key: _or_empty(row.get(key)) for key in keys} for row in table.rows]
    write_rows(stem.with_name(f"{stem.name}.csv"), rows, keys)
    write_text(stem.with_name(f"{stem.name}.md"), markdown(table))
    write_text(stem.with_name(f"{stem.name}.tex"), latex(table))


def _or_empty(value: Any) -> Any:
    return "" if value is None else value


def markdown(table: Table) -> str:
    """The table in GitHub's Markdown, with its caption and notes."""
    alignment = [":---" if column.kind == "text" else "---:" for column in table.columns]
    lines = [
        f"**{escape_markdown(table.caption)}**",
        "",
        _bars(escape_markdown(column.title) for column in table.columns),
        _bars(alignment),
        *(_bars(map(escape_markdown, row)) for row in table.shown()),
    ]
    if table.notes:
        lines += ["", *(f"- {escape_markdown(note)}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def _bars(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def escape_markdown(text: str) -> str:
    """Keep a text from being read as Markdown or HTML."""
    for sign in ("\\", "|", "*", "_", "`", "[", "]"):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())


def latex(table: Table) -> str:
    """The table in LaTeX with booktabs, with its caption and notes."""
    alignment = "".join("l" if column.kind == "text" else "r" for column in table.columns)
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{escape_latex(table.caption)}}}",
        f"\\begin{{tabular}}{{{alignment}}}",
        "\\toprule",
        " & ".join(escape_latex(column.title) for column in table.columns) + r" \\",
        "\\midrule",
        *(" & ".join(map(escape_latex, row)) + r" \\" for row in table.shown()),
        "\\bottomrule",
        "\\end{tabular}",
        *(f"\\par\\footnotesize {escape_latex(note)}" for note in table.notes),
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """Keep a text from being read as LaTeX."""
    return " ".join("".join(_LATEX.get(sign, sign) for sign in text).split())
