"""The table of a comparison: what, how large, how far apart."""

import csv
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from inputs import Arrays

BAR = 1e-5


@dataclass(frozen=True)
class Row:
    """One output, over all utterances.

    Attributes:
        original: what it is compared with.
        what: the output.
        utterances: how many were compared.
        shape: that of the longest.
        scale: root mean square of the original's numbers.
        difference: the largest absolute difference of two numbers.
        bar: what it may be at most.
    """

    original: str
    what: str
    utterances: int
    shape: str
    scale: float
    difference: float
    bar: float

    @property
    def holds(self) -> bool:
        """Whether the difference is a number, and not above the bar."""
        return self.difference <= self.bar


def compare(original: str, theirs: Arrays, ours: Arrays) -> list[Row]:
    """A row an output; utterances stand behind a slash in the names.

    Raises:
        ValueError: the two do not hold the same outputs.
    """
    if set(theirs) != set(ours):
        raise ValueError(f"{original}: only one side has {sorted(set(theirs) ^ set(ours))}")
    names = dict.fromkeys(name.split("/")[0] for name in theirs)
    rows = []
    for what in names:
        keys = [name for name in theirs if name.split("/")[0] == what]
        shapes = [theirs[key].shape for key in keys]
        same = all(ours[key].shape == theirs[key].shape for key in keys)
        numbers = np.concatenate([theirs[key].ravel() for key in keys]).astype(np.float64)
        differences = (
            [np.abs(ours[key].astype(np.float64) - theirs[key]).max() for key in keys]
            if same
            else [np.inf]
        )
        rows.append(
            Row(
                original,
                what,
                len(keys),
                " x ".join(map(str, max(shapes))),
                float(np.sqrt(np.mean(numbers**2))),
                float(np.max(differences)),
                BAR,
            )
        )
    return rows


def print_table(rows: list[Row]) -> None:
    """Print a line a row."""
    print(
        f"{'original':<11} {'what':<48} {'utterances':>10} {'longest':>10} {'rms':>7} "
        f"{'difference':>10} {'bar':>6}"
    )
    for row in rows:
        print(
            f"{row.original:<11} {row.what:<48} {row.utterances:>10} {row.shape:>10} "
            f"{row.scale:>7.3f} {row.difference:>10.2e} {row.bar:>6.0e} "
            f"{'holds' if row.holds else 'DOES NOT HOLD'}"
        )


def write_table(rows: list[Row], folder: Path) -> None:
    """Write `parity.json` and `.csv`, and `parity.md` with a network's blocks in one row."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [asdict(row) | {"holds": row.holds} for row in rows]
    (folder / "parity.json").write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    (folder / "parity.md").write_text("\n".join(_summary(rows)) + "\n", encoding="utf-8")
    with (folder / "parity.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(entries[0]))
        writer.writeheader()
        writer.writerows(entries)


def _summary(rows: list[Row]) -> list[str]:
    """Lines of a table in Markdown: a network's blocks together, the worst of them counts."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        network = re.sub(r", block \d+$", ", blocks", row.what)
        groups.setdefault((row.original, network), []).append(row)
    lines = [
        "| original | output | rows | longest | largest difference | bar | holds |",
        "| :--- | :--- | ---: | ---: | ---: | ---: | :--- |",
    ]
    for (original, network), group in groups.items():
        worst = max(group, key=lambda row: row.difference)
        lines.append(
            f"| {original} | {network} | {len(group)} | {worst.shape} | {worst.difference:.1e} | "
            f"{worst.bar:.0e} | {'yes' if all(row.holds for row in group) else 'NO'} |"
        )
    return lines
