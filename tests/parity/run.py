"""Compare emonas with the originals of its encoders: python tests/parity/run.py (make parity).

The originals' environments are built without conda from envs/*.yaml into the folder PARITY_DIR
(.parity in the checkout), once. The originals write checkpoints of the full architectures with
random weights, and what they give; emonas reads the checkpoints, and gives the same.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from comparison import compare, print_table, write_table
from environments import CHECKOUT, build_environment, build_torchaudio
from ours import outputs_of

HERE = Path(__file__).parent


def main() -> int:
    """Give 1 where an output does not hold."""
    base = Path(os.environ.get("PARITY_DIR", CHECKOUT / ".parity")).resolve()
    work = base / "work"
    work.mkdir(parents=True, exist_ok=True)
    sources = CHECKOUT / "src"
    fairseq = build_environment("fairseq", base / "fairseq")
    wenet = build_environment("wenet", base / "wenet")
    torchaudio = build_torchaudio(base / "torchaudio")
    _run(fairseq, "original_fairseq.py", work, sources)
    _run(wenet, "original_wenet.py", work, sources)
    _run(Path(sys.executable), "original_torchaudio.py", work, torchaudio)
    # emonas runs it too, as a backend.
    sys.path.insert(0, str(torchaudio))
    rows = []
    for original, ours in outputs_of(work).items():
        with np.load(work / f"{original}.npz", allow_pickle=False) as theirs:
            rows += compare(original, dict(theirs), ours)
    print_table(rows)
    write_table(rows, CHECKOUT / "results")
    held = sum(row.holds for row in rows)
    print(f"{held} of {len(rows)} outputs are within their bars: results/parity.md")
    return int(held < len(rows))


def _run(python: Path, script: str, work: Path, path: Path) -> None:
    print(f"{script}: the original computes", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(path)}
    subprocess.run([python, HERE / script, work], check=True, env=environment)


if __name__ == "__main__":
    sys.exit(main())
