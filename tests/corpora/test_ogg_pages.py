"""An Ogg file may hold several recordings one behind the other; a decoder reads the first alone."""

import io

import numpy as np
import pytest
import soundfile

from emonas.corpora.audio import UnusableAudioError, inspect_audio


def encoded(coding: str, samples: int = 16000) -> bytes:
    noise = np.random.default_rng(samples).normal(0, 0.1, samples)
    file = io.BytesIO()
    soundfile.write(file, noise, 16000, format="OGG", subtype=coding)
    return file.getvalue()


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125)])
@pytest.mark.parametrize("second", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("first", ["VORBIS", "OPUS"])
def test_several_recordings_are_listed(first, second, between, tmp_path):
    path = tmp_path / "chain.ogg"
    for samples in (16000, 9000):
        path.write_bytes(encoded(first) + between + encoded(second, samples))
        with pytest.raises(UnusableAudioError, match="several recordings"):
            inspect_audio(path)


def test_so_are_those_whose_first_was_cut_between_pages(tmp_path):
    content = encoded("VORBIS")
    cut = content[: content.rfind(b"OggS")]
    (tmp_path / "chain.ogg").write_bytes(cut + content)
    with pytest.raises(UnusableAudioError, match="several recordings"):
        inspect_audio(tmp_path / "chain.ogg")


def test_what_follows_and_is_no_recording_is_nothing(tmp_path):
    for behind in (b"OggS", b"OggS\0\4" + bytes(300), b"\2OggS\0"):
        (tmp_path / "a.ogg").write_bytes(encoded("VORBIS") + behind)
        assert inspect_audio(tmp_path / "a.ogg").seconds == 1.0


def test_a_gap_between_pages_is_told(tmp_path):
    content = encoded("VORBIS", 160000)
    last = content.rfind(b"OggS")
    (tmp_path / "a.ogg").write_bytes(content[:last] + bytes(99) + content[last:])
    with pytest.raises(UnusableAudioError):
        inspect_audio(tmp_path / "a.ogg")
