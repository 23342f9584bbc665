"""An MP3's table of contents tells how long it is: no changed byte in it changes the length."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emonas.corpora.audio import BLOCK, UnusableAudioError, inspect_audio

SAMPLES = 4000
ENCODER, CHECK = 120, 154
"""Places from the table's name on, where all its fields are there."""


def encoded(rate: int = 16000, channels: int = 1, **options: object) -> bytes:
    noise = np.random.default_rng(rate).normal(0, 0.1, (SAMPLES, channels))
    file = io.BytesIO()
    soundfile.write(file, noise, rate, format="MP3", subtype="MPEG_LAYER_III", **options)
    return file.getvalue()


def table(content: bytes) -> int:
    return max(content[:200].find(name) for name in (b"Info", b"Xing"))


def crc16(content: bytes) -> int:
    """Long division by 0x8005, the lowest bit of each byte first."""
    remainder = 0
    for bit in "".join(f"{byte:08b}"[::-1] for byte in content) + "0" * 16:
        remainder = remainder << 1 | int(bit)
        if remainder & 0x10000:
            remainder ^= 0x18005
    return int(f"{remainder:016b}"[::-1], 2)


def as_ffmpeg_writes_it(content: bytes) -> bytes:
    """Another name, and a checksum of 190 bytes, wherever it stands itself."""
    begin = table(content)
    changed = bytearray(content)
    changed[begin + ENCODER : begin + ENCODER + 9] = b"Lavc60.31"
    changed[begin + CHECK : begin + CHECK + 24] = bytes(24)
    changed[begin + CHECK : begin + CHECK + 2] = crc16(bytes(changed[:190])).to_bytes(2, "big")
    return bytes(changed)


def length(path: Path, content: bytes) -> int:
    path.write_bytes(content)
    facts = inspect_audio(path)
    return round(facts.seconds * facts.sampling_rate)


@pytest.mark.fault
@pytest.mark.parametrize(("rate", "channels"), [(16000, 1), (44100, 1), (44100, 2)])
@pytest.mark.parametrize("encoder", [bytes, as_ffmpeg_writes_it])
def test_no_changed_byte_of_the_first_frame_changes_the_length(
    encoder, rate, channels, tmp_path, tally
):
    content = encoder(encoded(rate, channels))
    assert length(tmp_path / "whole.mp3", content) == SAMPLES
    last = table(content) + CHECK + 2
    lengths, listed = set(), 0
    for place in range(last):
        for value in {0, 0x7F, 0xFF, content[place] ^ 1} - {content[place]}:
            changed = content[:place] + bytes([value]) + content[place + 1 :]
            try:
                lengths.add(length(tmp_path / "changed.mp3", changed))
            except UnusableAudioError:
                listed += 1
    assert lengths <= {SAMPLES}
    assert listed > last
    tally("changed byte in an MP3's table of contents, listed", listed)


@pytest.mark.parametrize("name", [b"Mine", bytes(4)])
def test_without_a_checksum_its_length_is_not_believed(name, tmp_path):
    content = bytearray(encoded())
    begin = table(content)
    content[begin + CHECK : begin + CHECK + 2] = b"\0\0"
    content[begin + ENCODER : begin + ENCODER + 4] = name
    with pytest.raises(UnusableAudioError, match=r"length can't be checked.*no checksum; convert"):
        length(tmp_path / "a.mp3", bytes(content))


def test_the_frames_that_it_tells_of_are_counted(tmp_path):
    content = encoded()
    begin = table(content)
    frames = int.from_bytes(content[begin + 8 : begin + 12], "big")
    for told, word in ((frames + 2, "truncated"), (frames - 1, "damaged")):
        changed = bytearray(content)
        changed[begin + 8 : begin + 12] = told.to_bytes(4, "big")
        check = crc16(bytes(changed[: begin + CHECK])).to_bytes(2, "big")
        changed[begin + CHECK : begin + CHECK + 2] = check
        with pytest.raises(UnusableAudioError, match=f"{word}: .*{told} frames and {frames} are"):
            length(tmp_path / "a.mp3", bytes(changed))
    with pytest.raises(UnusableAudioError, match=f"damaged: .* {frames} frames and"):
        length(tmp_path / "two.mp3", content + content)


def test_without_a_table_it_is_as_long_as_its_frames(tmp_path):
    """The decoder estimates the length then, and wrongly at this rate."""
    content = encoded(11025, compression_level=0.99, bitrate_mode="CONSTANT")
    assert table(content) < 0
    assert length(tmp_path / "a.mp3", content) % 576 == 0
    assert SAMPLES < length(tmp_path / "a.mp3", content) < SAMPLES + 4 * 576


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_long_mp3_is_decoded_in_pieces_as_it_is_at_once(tmp_path, rate):
    """Its frames lean on those before, which a decoder forgets where it is told to seek."""
    tone = 0.3 * np.sin(np.arange(3 * BLOCK) / 9)
    soundfile.write(tmp_path / "a.mp3", tone, rate)
    decoded, _ = soundfile.read(tmp_path / "a.mp3", dtype="float32")
    soundfile.write(tmp_path / "a.wav", decoded, rate, subtype="FLOAT")
    assert inspect_audio(tmp_path / "a.mp3") == inspect_audio(tmp_path / "a.wav")
