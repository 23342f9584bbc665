"""All rows of results/bench as a table in Markdown, into results/bench/table.md."""

import json

from measuring import RESULTS


def main() -> None:
    """Write and print the table."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))]
    lines = [
        "| row | ratio | quartiles | ours | bar | holds |",
        "| :--- | ---: | ---: | ---: | :--- | :--- |",
    ]
    for row in rows:
        low, high = row["spread"]
        lines.append(
            f"| {row['name']} | {row['ratio']:.2f} | {low:.2f} to {high:.2f} | "
            f"{row['value']:.3g} {row['unit']} | {row['bar']} | {'yes' if row['holds'] else 'NO'} |"
        )
    machines = dict.fromkeys(row["machine"] for row in rows)
    text = "\n".join([*lines, "", *[f"Measured on {machine}." for machine in machines]])
    (RESULTS / "table.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
