"""What is refused in the place of a waveform."""

import pytest

from emonas.errors import EmonasError
from emonas.export.recordings import write_waveform


def test_rows_of_several_lengths_are_no_waveform(tmp_path):
    with pytest.raises(EmonasError) as told:
        write_waveform(tmp_path / "a.wav", [[0.1, 0.2], [0.1]], 16_000)
    assert str(told.value) == (
        "a waveform is of one channel, (samples,), and not of rows of several lengths"
    )
