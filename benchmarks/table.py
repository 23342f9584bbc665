"""All rows of results/bench as a table in Markdown, into results/bench/table.md.

What the machine can do stands under it, where benchmarks/machine_limits.py has measured that.
"""

import json
from typing import Any

from measuring import MACHINE, RESULTS


def main() -> None:
    """Write and print the table."""
    files = [path for path in sorted(RESULTS.glob("*.json")) if path != MACHINE]
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    machines = dict.fromkeys(row["machine"] for row in rows)
    text = "\n".join(
        [
            "| row | ratio | quartiles | ours | bar | holds | limit |",
            "| :--- | ---: | ---: | ---: | :--- | :--- | :--- |",
            *map(line, rows),
            "",
            *[f"Measured on {machine}." for machine in machines],
            *limits(),
        ]
    )
    (RESULTS / "table.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def line(row: dict[str, Any]) -> str:
    """One row."""
    low, high = row["spread"]
    return (
        f"| {row['name']} | {row['ratio']:.2f} | {low:.2f} to {high:.2f} | "
        f"{row['value']:.3g} {row['unit']} | {row['bar']} | {'yes' if row['holds'] else 'NO'} | "
        f"{row.get('limit', '')} |"
    )


def limits() -> list[str]:
    """What the machine can do."""
    if not MACHINE.exists():
        return []
    found = json.loads(MACHINE.read_text(encoding="utf-8"))
    return [
        "",
        "| threads | float32 products, GFLOP/s | copy, GB/s | sum of two into a third, GB/s |",
        "| :--- | ---: | ---: | ---: |",
        *[
            f"| {name} | {found['products'][name]:.0f} | {found['copy'][name]:.1f} | "
            f"{found['triad'][name]:.1f} |"
            for name in found["products"]
        ],
    ]


if __name__ == "__main__":
    main()
