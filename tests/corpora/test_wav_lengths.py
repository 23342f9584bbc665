"""What a WAV's header tells of its length where a recorder never came to write it."""

import io
import struct

import numpy as np
import pytest
import soundfile

from emonas.corpora.audio import UnusableAudioError, inspect_audio


def wav(length: int | None = None, samples: int = 16000, behind: bytes = b"") -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(samples).normal(0, 0.1, samples)
    soundfile.write(file, noise, 16000, format="WAV", subtype="PCM_16")
    content = file.getvalue()
    told = content[40:44] if length is None else struct.pack("<L", length)
    return content[:40] + told + content[44:] + behind


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000, 0x80000000])
def test_what_was_written_into_a_pipe_is_as_long_as_the_file(length, tmp_path):
    (tmp_path / "whole.wav").write_bytes(wav())
    (tmp_path / "pipe.wav").write_bytes(wav(length))
    assert inspect_audio(tmp_path / "pipe.wav") == inspect_audio(tmp_path / "whole.wav")


@pytest.mark.parametrize("length", [0x7FFFF001, 0x7FFFFFFF, 0x80000001, 0xFFFFFFFE])
def test_another_length_beyond_the_file_is_that_of_a_cut_one(length, tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(length))
    with pytest.raises(UnusableAudioError, match="truncated"):
        inspect_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("samples", [16000, 16001])
def test_a_length_that_was_never_written_is_told(samples, tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(0, samples))
    with pytest.raises(UnusableAudioError, match=r"never finished.*sox --ignore-length"):
        inspect_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("behind", [b"", b"LIST\4\0\0\0INFO", b"LIST\5\0\0\0INFO!\0id3 \0\0\0\0"])
def test_a_recording_without_samples_is_short_whatever_follows(behind, tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(samples=0, behind=behind))
    with pytest.raises(UnusableAudioError, match=r"0\.000 s long, too short"):
        inspect_audio(tmp_path / "a.wav")


def test_the_names_of_aiffs_chunks_mean_nothing_in_a_wav(tmp_path):
    content = wav()
    chunks = b"SSND\4\0\0\0abcdCOMM\x12\0\0\0" + bytes(18)
    (tmp_path / "a.wav").write_bytes(content[:12] + chunks + content[12:])
    assert inspect_audio(tmp_path / "a.wav").seconds == 1.0
