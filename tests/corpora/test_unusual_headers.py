"""Headers that are sound and unusual: read, or listed with what is to be done."""

import io
import struct

import numpy as np
import pytest
import soundfile

from emonas.corpora.audio import UnusableAudioError, inspect_audio

TAG = b"ID3\4\0\0\0\0\1\0" + bytes(128)
WITH_FOOTER = b"ID3\4\0\x10\0\0\0\x0a" + bytes(10) + b"3DI\4\0\x10\0\0\0\x0a"


def encoded(container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(1).normal(0, 0.1, 16000)
    soundfile.write(file, noise, 16000, format=container, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("a.mp3", TAG),
        ("a.mp3", TAG + TAG),
        ("a.mp3", WITH_FOOTER),
        ("a.mp3", WITH_FOOTER + TAG),
        ("a.flac", TAG),
        ("a.flac", TAG + TAG),
    ],
)
def test_tags_before_the_audio_are_passed_over(name, tags, tmp_path):
    content = encoded(*(("MP3", "MPEG_LAYER_III") if name == "a.mp3" else ("FLAC", "PCM_16")))
    (tmp_path / f"plain {name}").write_bytes(content)
    (tmp_path / name).write_bytes(tags + content)
    assert inspect_audio(tmp_path / name) == inspect_audio(tmp_path / f"plain {name}")


def test_flac_behind_a_tag_must_have_the_samples_that_were_written(tmp_path):
    content = bytearray(encoded("FLAC", "PCM_16"))
    content[30] ^= 1
    (tmp_path / "a.flac").write_bytes(TAG + content)
    with pytest.raises(UnusableAudioError, match="not those written"):
        inspect_audio(tmp_path / "a.flac")


def test_flac_from_a_pipe_does_not_tell_its_length(tmp_path):
    content = bytearray(encoded("FLAC", "PCM_16"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(content)
    with pytest.raises(UnusableAudioError, match=r"can't be checked.*pipe; convert it"):
        inspect_audio(tmp_path / "a.flac")


def test_wide_places_of_24_bits_are_told(tmp_path):
    samples = np.random.default_rng(2).integers(-(2**30), 2**30, 16000, dtype="<i4").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, 16000, 64000, 4, 24)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", 64000) + samples
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    with pytest.raises(UnusableAudioError, match=r"24 bits lie in 32 bits each.*; convert it"):
        inspect_audio(tmp_path / "a.wav")
