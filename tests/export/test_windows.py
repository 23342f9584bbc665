"""Long recordings in windows: where they are cut, and that they are cut out of what was decoded."""

from itertools import pairwise

import numpy as np
import pytest
import soundfile

from emonas.errors import EmonasError
from emonas.export.recordings import cut, find, inspect
from emonas.export.windows import Windows

RATE = 16000


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (30.0, [(0, 30)]),
        (30 + 1 / RATE, [(0, 10), (5, 15), (10, 20), (15, 25), (20, 30 + 1 / RATE)]),
        (32.5, [(0, 10), (5, 15), (10, 20), (15, 25), (20, 32.5)]),
        (33.0, [(0, 10), (5, 15), (10, 20), (15, 25), (20, 30), (23, 33)]),
        (35.0, [(0, 10), (5, 15), (10, 20), (15, 25), (20, 30), (25, 35)]),
    ],
)
def test_the_last_window_ends_with_the_recording_and_is_no_copy(seconds, wanted):
    assert Windows().spans(seconds) == wanted


@pytest.mark.parametrize(
    "windows", [Windows(), Windows(3, 2, 1.5), Windows(4, 1, 1), Windows(9, 9, 2)]
)
def test_windows_leave_nothing_out_and_none_begins_close_to_another(windows):
    for seconds in np.random.default_rng(0).uniform(0.1, 90, 500):
        spans = windows.spans(seconds)
        assert (spans[0][0], spans[-1][1]) == (0, seconds)
        for (before, middle), (start, end) in pairwise(spans):
            assert before < start <= middle + 1e-9 < end + 1e-9
            # Of two windows at least a half step is another's.
            assert start - before > windows.step / 2 - 1e-9
            assert end - middle > windows.step / 2 - 1e-9
        if len(spans) > 1:
            lengths = [end - start for start, end in spans]
            assert min(lengths) > windows.length - 1e-9
            assert max(lengths) < windows.length + windows.step / 2 + 1e-9


def noise(seconds, channels, rate):
    count = round(seconds * rate)
    time = np.arange(count)[:, None] / rate
    chirp = 0.3 * np.sin(2 * np.pi * (200 + 30 * time) * time)
    return chirp + np.random.default_rng(count).normal(0, 0.05, (count, channels))


@pytest.mark.parametrize(
    ("name", "coding", "channels", "rate"),
    [
        ("a.mp3", None, 1, 44100),
        ("b.mp3", None, 2, 16000),
        ("c.mp3", None, 1, 22050),
        ("d.ogg", "VORBIS", 2, 16000),
        ("e.opus", "OPUS", 1, 48000),
        ("f.flac", "PCM_16", 2, 16000),
        ("g.wav", "IMA_ADPCM", 1, 16000),
        ("h.wav", "PCM_16", 1, 11025),
    ],
)
def test_windows_are_cut_out_of_the_decoded_recording(tmp_path, name, coding, channels, rate):
    """Sample by sample; to seek in an MP3 leads elsewhere."""
    path = tmp_path / name
    form = "OGG" if name.endswith("opus") else None
    soundfile.write(path, noise(41.37, channels, rate), rate, subtype=coding, format=form)
    decoded, _ = soundfile.read(path, dtype="float32", always_2d=True)
    pieces = cut(inspect(name, path), Windows(), tmp_path)
    assert len(pieces) == 7
    for piece in pieces:
        samples, own = soundfile.read(piece.path, dtype="float32")
        wanted = decoded[round(piece.start * rate) : round(piece.end * rate)].mean(axis=1)
        assert own == rate
        np.testing.assert_array_equal(samples, wanted.astype(np.float32))


def test_a_silent_window_is_told(tmp_path):
    path = tmp_path / "a.wav"
    samples = noise(40, 1, RATE)
    samples[8 * RATE : 30 * RATE] = 0
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    pieces = cut(inspect("a", path), Windows(), tmp_path)
    silent = [(piece.start, piece.end) for piece in pieces if piece.problem]
    assert silent == [(10, 20), (15, 25), (20, 30)]


def test_what_of_a_folder_is_skipped_is_told(tmp_path):
    folder = tmp_path / "my recordings"
    (folder / "below").mkdir(parents=True)
    soundfile.write(folder / "a.wav", noise(1, 1, RATE), RATE)
    for name in ("b.m4a", "below/c.M4A", "d.mp4", "notes.txt", "._e.m4a"):
        (folder / name).write_bytes(b"what")
    (folder / "._a.wav").write_bytes(b"of a Mac")
    told = []
    found = find([str(folder)], tmp_path, tell=told.append)
    assert [one.path.name for one in found] == ["a.wav"]
    assert told == [
        f"{folder}: skipped, because such files are not read: 2 .m4a, 1 .mp4; convert them to wav "
        "with ffmpeg"
    ]
    (folder / "a.wav").unlink()
    with pytest.raises(EmonasError, match=r"no audio below this folder; skipped.*2 \.m4a, 1 \.mp4"):
        find([str(folder)], tmp_path)
