"""The forecast of a run's disk against what a finished run takes."""

import re
import sys
from pathlib import Path

import pytest

from emonas.settings.forecast.disk import size

UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9}
FACTOR = 1.5
COMMAND = "import sys; from emonas.cli import app; sys.argv[1:] = ['forecast', 'tiny.yaml']; app()"


def real(root: Path, *patterns: str) -> int:
    return sum(path.stat().st_size for pattern in patterns for path in root.glob(pattern))


@pytest.mark.fault
@pytest.mark.long
def test_it_is_within_a_factor_of_the_real_sizes(changed):
    said = changed.run([sys.executable, "-c", COMMAND])
    rows = re.findall(
        r"^  (feature files|weights|predictions) +([\d.]+) (kB|MB|GB) ", said, re.MULTILINE
    )
    forecast = {kind: float(number) * UNITS[unit] for kind, number, unit in rows}
    results = changed.folder / "results"
    found = {
        "feature files": real(results, "features/*/*.h5"),
        "weights": real(results, "*/*/*/seed*/*/weights.safetensors"),
        "predictions": real(results, "*/*/*/seed*/*/predictions.h5"),
    }
    for kind, there in found.items():
        assert there / FACTOR < forecast[kind] < there * FACTOR, kind
    told = re.search(r"Of all this (.*) are there; (.*) are free here", said)
    assert told is not None
    assert told[1] == size(sum(found.values()))
