"""What the tests of faults counted, as a table: `faults_table.py results/reliability`."""

import json
import sys
from collections import Counter
from pathlib import Path


def main() -> None:
    """Add up what each test wrote, and write `table.md` beside."""
    folder = Path(sys.argv[1])
    counts: Counter[str] = Counter()
    for path in sorted((folder / "counts").glob("*.json")):
        counts.update(json.loads(path.read_text()))
    rows = [f"| {fault} | {times} |" for fault, times in sorted(counts.items())]
    text = "\n".join(["| fault | times |", "| :--- | ---: |", *rows]) + "\n"
    (folder / "table.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
