"""The tables and figures of a page with the links that stand below them, by their order."""

import csv
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

_NUMBER = re.compile(r"<?[−+-]?\d[\d,]*(?:\.\d+)?|\*")
_BEGINS = re.compile(r"[<\[−+-]*\d")


@dataclass
class Piece:
    """A table with the texts of its cells (and whether they are numbers), or a figure."""

    kind: str
    links: list[str] = field(default_factory=list)
    rows: list[list[tuple[str, bool]]] = field(default_factory=list)

    @property
    def numbers(self) -> str:
        """The first CSV below it; empty where there is none."""
        return next((link for link in self.links if link.endswith(".csv")), "")


class Pieces(HTMLParser):
    """Reads a page: a link belongs to the table or figure before it in the same section."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[Piece] = []
        self._current: Piece | None = None
        self._cell: tuple[list[str], bool] | None = None
        self.feed(page.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        if tag in ("table", "figure"):
            self._current = Piece(tag)
            self.found.append(self._current)
        elif tag in ("h1", "h2", "h3", "h4", "h5"):
            self._current = None
        elif tag == "tr" and self._current:
            self._current.rows.append([])
        elif tag == "td":
            self._cell = ([], "number" in said.get("class", "").split())
        elif tag == "a" and self._current and not said["href"].startswith("#"):
            self._current.links.append(unquote(said["href"]))

    def handle_endtag(self, tag):
        if tag == "td":
            texts, number = self._cell
            self._current.rows[-1].append((" ".join("".join(texts).split()), number))
            self._cell = None

    def handle_data(self, data):
        if self._cell:
            self._cell[0].append(data)


def differences(piece: Piece, path: Path) -> list[str]:
    """The rows of a table that are not those of a CSV, cell by cell in their order."""
    with path.open(encoding="utf-8", newline="") as file:
        wanted = list(csv.reader(file))[1:]
    rows = [row for row in piece.rows if row]
    if len(rows) != len(wanted):
        return [f"{len(rows)} rows, and {len(wanted)} in {path.name}"]
    return [f"{row} is {own}" for row, own in zip(rows, wanted, strict=True) if not _same(row, own)]


def _same(row, own):
    """Whether the cells of a row show the values of a CSV's row; what is empty there is a dash."""
    values = [" ".join(value.split()) for value in own if value.strip()]
    for text, is_number in row:
        if text == "–":
            continue
        shown = _NUMBER.findall(text) if is_number and _BEGINS.match(text) else [text]
        for part in shown:
            if not values or not _shows(part, values.pop(0)):
                return False
    return not values


def _shows(text, value):
    """Whether a text is a value: the same, or its number in percent, millions or other units."""
    if text == value:
        return True
    try:
        own = float(value)
        if text.startswith("<"):
            return own < float(text[1:])
        number = float(text.replace(",", "").replace("−", "-"))
    except ValueError:
        return False
    decimals = len(text.partition(".")[2])
    scales = (1, 100, 1e-6, 1 / 60, 1 / 3600, 1 / 1024)
    return any(abs(number - scale * own) <= 0.5000001 * 10**-decimals for scale in scales)
