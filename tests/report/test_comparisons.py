"""What the table of pairs says where no result could have held."""

from dataclasses import replace

import pytest

from emonas.report.comparisons import comparisons_table
from emonas.report.gather import gather
from emonas.storage.comparisons import Comparisons, Difference, Pair


@pytest.mark.parametrize(
    ("speakers", "pairs", "least"),
    [
        (6, 10, "0.312"),
        (5, 1, "0.062"),
        (6, 1, None),
        (10, 10, None),
        (3, 40, "1.000"),
        (24, 253, "0.051"),
    ],
)
def test_too_few_speakers_for_any_result_are_told(plan, results, speakers, pairs, least):
    """Of n speakers the smallest p is 2 of 2^n swaps, times the pairs by Holm's correction."""
    figure = Difference(difference=0.5, p=max(2 / 2**speakers, 0.0002), adjusted=1.0)
    found = [
        Pair(first=f"a{number}", second="b", ua=figure, wa=figure, speakers=speakers)
        for number in range(pairs)
    ]
    protocol = gather(plan, results)["emodb-loso"]
    compared = Comparisons(protocol="emodb-loso", pairs=found, left_out={})
    notes = comparisons_table(replace(protocol, comparisons=compared)).notes
    told = [note for note in notes if "no p can be below" in note]
    assert bool(told) == (least is not None)
    if least:
        assert f"below {least}:" in told[0]
