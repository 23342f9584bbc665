"""ADPCM in WAV, as telephones and old recorders write it: blocks of 4 bits a sample."""

import io
import struct

import numpy as np
import pytest
import soundfile

from emonas.corpora.audio import UnusableAudioError, inspect_audio

CODINGS = ("IMA_ADPCM", "MS_ADPCM")
PLACES = {"block": 32, "samples in a block": 38}
"""Where the header tells of them."""


def encoded(coding, channels, samples, rate=16000):
    file = io.BytesIO()
    noise = np.random.default_rng(samples).normal(0, 0.1, (samples, channels))
    soundfile.write(file, noise, rate, format="WAV", subtype=coding)
    return bytearray(file.getvalue())


def refused(path, content):
    path.write_bytes(content)
    with pytest.raises(UnusableAudioError) as error:
        inspect_audio(path)
    return str(error.value)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [900, 16000, 16001, 48817])
def test_it_is_as_long_as_its_blocks(tmp_path, coding, channels, samples):
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(coding, channels, samples))
    facts = inspect_audio(path)
    decoded, rate = soundfile.read(path)
    assert facts.sampling_rate == rate == 16000
    assert round(facts.seconds * rate) == len(decoded)
    assert samples <= len(decoded) < samples + 1017, "the last block is filled up"


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_cut_file_is_truncated(tmp_path, coding, share):
    content = encoded(coding, 1, 16000)
    assert "truncated" in refused(tmp_path / "a.wav", content[: int(share * len(content))])


@pytest.mark.parametrize("coding", CODINGS)
def test_a_header_that_tells_of_fewer_is_not_believed(tmp_path, coding):
    """A header of PCM is; here the samples are told of twice."""
    content = encoded(coding, 1, 16000)
    place = content.index(b"data") + 4
    shorter = content.copy()
    shorter[place : place + 4] = struct.pack("<L", 512 * 3)
    assert "damaged: it tells of" in refused(tmp_path / "a.wav", shorter)
    shorter[place : place + 4] = struct.pack("<L", 512 * 16 - 7)
    assert "last block is not whole" in refused(tmp_path / "a.wav", shorter)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("field", PLACES)
@pytest.mark.parametrize("value", [0, 1, 256, 511, 513, 1024, 65535])
def test_blocks_of_another_size_are_refused(tmp_path, coding, field, value):
    content = encoded(coding, 1, 16000)
    place = PLACES[field]
    content[place : place + 2] = struct.pack("<H", value)
    refused(tmp_path / "a.wav", content)


@pytest.mark.parametrize("coding", CODINGS)
def test_without_its_number_of_samples_it_can_t_be_checked(tmp_path, coding):
    content = encoded(coding, 1, 16000)
    place = content.index(b"fact")
    content[place : place + 4] = b"junk"
    assert "can't be checked: it is ADPCM" in refused(tmp_path / "a.wav", content)


def test_gsm_is_refused_as_before(tmp_path):
    assert "can't be checked, as WAV with GSM610" in refused(
        tmp_path / "a.wav", encoded("GSM610", 1, 16000)
    )
