"""Hundreds of audio files, sound, unusual and malformed: read rightly, or listed with the reason.

The same seed makes the same files. A damaged file may be listed, or be as long as what was written;
an edited header is believed where it tells of fewer samples and contradicts nothing.
"""

import io
import os
import struct
import tracemalloc
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emonas.corpora.audio import inspect_audio
from emonas.corpora.job import write_corpus
from emonas.corpora.readers import folders
from emonas.features.audio import read_audio
from emonas.features.extraction import Resources
from emonas.features.extractors.fbank import Options
from emonas.features.job import FeatureJob, extract_feature
from emonas.learning.options import RuntimeOptions
from emonas.storage.features import FeatureFile
from emonas.storage.manifest import read_manifest, read_problems

SAMPLES = 12011
TYPES = {"WAV": "wav", "WAVEX": "wav", "RF64": "wav", "AIFF": "aiff"}
TYPES |= {"FLAC": "flac", "OGG": "ogg", "MP3": "mp3"}
KINDS = [
    *(
        ("WAV", coding)
        for coding in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
    ),
    *(("WAVEX", coding) for coding in ("PCM_16", "PCM_24", "FLOAT")),
    *(("AIFF", coding) for coding in ("PCM_16", "PCM_24", "FLOAT")),
    *(("FLAC", coding) for coding in ("PCM_S8", "PCM_16", "PCM_24")),
    ("RF64", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]
RATES = (8000, 16000, 44100, 48000, 96000)


@dataclass(frozen=True)
class Case:
    """A file, and the numbers of samples that are right; none where it must be listed.

    `surely` says that it must not be listed.
    """

    name: str
    write: Callable[[Path], object]
    right: frozenset[int] = frozenset()
    surely: bool = False


def speech(samples: int, channels: int, rng: np.random.Generator) -> np.ndarray:
    tone = 0.3 * np.sin(np.arange(samples) / 9 + rng.uniform(0, 6))
    return tone[:, None] + rng.normal(0, 0.01, (samples, channels))


def encoded(container: str, coding: str, rate: int, channels: int, samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    endian = "BIG" if container == "RIFX" else None
    container = "WAV" if container == "RIFX" else container
    soundfile.write(
        file, samples[:, :channels], rate, subtype=coding, endian=endian, format=container
    )
    return file.getvalue()


def sound(
    container: str, coding: str, rate: int = 16000, channels: int = 1, seed: int = 0
) -> bytes:
    rng = np.random.default_rng((seed, rate, channels))
    return encoded(container, coding, rate, channels, speech(SAMPLES, channels, rng))


def case(name: str, content: bytes, *right: int, surely: bool = False) -> Case:
    return Case(name, lambda path: path.write_bytes(content), frozenset(right), surely)


def whole_files() -> list[Case]:
    """Every container and coding, at every rate, with one, two and six channels."""
    cases = []
    for number, (container, coding) in enumerate(KINDS):
        for step in range(3):
            rate, channels = RATES[(number + step) % 5], (1, 2, 6)[step]
            if coding == "OPUS":
                rate = (8000, 16000, 48000)[step]
            if container == "MP3":
                rate, channels = (16000, 44100, 48000)[step], min(channels, 2)
            content = sound(container, coding, rate, channels)
            name = f"{container} {coding} {rate} {channels}.{TYPES[container]}"
            cases.append(case(name, content, SAMPLES, surely=True))
    return cases


def unusual_files() -> list[Case]:
    """Sound files that look odd, which must be read."""
    wav, flac = sound("WAV", "PCM_16"), sound("FLAC", "PCM_16")
    note = b"LIST" + struct.pack("<L", 5) + b"INFOx\0"
    open_end = wav[:40] + b"\xff" * 4 + wav[44:]
    cases = {
        "big-endian.wav": sound("RIFX", "PCM_16"),
        "flac named.wav": flac,
        "wav named.mp3": wav,
        "ogg named.flac": sound("OGG", "VORBIS"),
        "mp3 named.ogg": sound("MP3", "MPEG_LAYER_III"),
        "SHOUTED.WAV": wav,
        "no suffix but one.x.wav": wav,
        "a chunk before.wav": wav[:12] + note + wav[12:],
        "a chunk behind.wav": wav + note,
        "written into a pipe.wav": open_end,
        "sox wrote it into a pipe.wav": wav[:40] + struct.pack("<L", 0x7FFFF000) + wav[44:],
        "arecord wrote it into a pipe.wav": wav[:40] + struct.pack("<L", 0x80000000) + wav[44:],
        "a chunk of AIFF in it.wav": wav[:36] + b"SSND" + struct.pack("<L", 4) + b"abcd" + wav[36:],
        "wrong size of the whole.wav": wav[:4] + b"\1\0\0\0" + wav[8:],
        "tagged.mp3": sound("MP3", "MPEG_LAYER_III") + b"TAG" + bytes(125),
        "tagged before.mp3": b"ID3\4\0\0\0\0\1\0" + bytes(128) + sound("MP3", "MPEG_LAYER_III"),
    }
    rng = np.random.default_rng(1)
    for container in ("WAV", "AIFF", "FLAC", "OGG", "RF64"):
        coding = "VORBIS" if container == "OGG" else "PCM_16"
        cases[f"{container} and garbage.{TYPES[container]}"] = sound(container, coding) + rng.bytes(
            2999
        )
    return [case(name, content, SAMPLES, surely=True) for name, content in cases.items()]


def bad_samples() -> list[Case]:
    """Files whose header is right and whose samples are no speech."""
    rng = np.random.default_rng(2)
    plain = speech(SAMPLES, 1, rng)
    cases = []
    for coding in ("FLOAT", "DOUBLE"):
        for word, value in (("nan", np.nan), ("inf", np.inf), ("-inf", -np.inf), ("huge", 1e30)):
            spoiled = plain.copy()
            spoiled[SAMPLES // 2] = value
            cases.append(case(f"{word} {coding}.wav", encoded("WAV", coding, 16000, 1, spoiled)))
        cases.append(
            case(f"denormal {coding}.wav", encoded("WAV", coding, 16000, 1, plain * 1e-39))
        )
    for container, coding in (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("AIFF", "PCM_24")):
        suffix = TYPES[container]
        none, zeros = plain[:0], np.zeros((SAMPLES, 1))
        cases += [
            case(f"no samples {container}.{suffix}", encoded(container, coding, 16000, 1, none)),
            case(f"silent {container}.{suffix}", encoded(container, coding, 16000, 1, zeros)),
            case(f"short {container}.{suffix}", encoded(container, coding, 16000, 1, plain[:99])),
        ]
    return cases


def no_audio() -> list[Case]:
    """What is not audio at all, is no file, or is audio whose length nobody can check."""
    rng = np.random.default_rng(3)
    contents = {
        "empty.wav": b"",
        "one byte.wav": b"R",
        "RIFF alone.wav": b"RIFF",
        "header alone.wav": sound("WAV", "PCM_16")[:44],
        "no data.wav": sound("WAV", "PCM_16")[:36],
        "noise.wav": rng.bytes(30000),
        "noise.flac": b"fLaC" + rng.bytes(30000),
        "noise.ogg": b"OggS" + rng.bytes(30000),
        "noise.mp3": b"\xff\xfb" + rng.bytes(30000),
        "zeros.wav": bytes(30000),
        "zeros behind RIFF.wav": b"RIFF" + bytes(4) + b"WAVE" + bytes(200000),
        "page.wav": b"<!DOCTYPE html><script>alert(1)</script>" * 99,
        "letter.flac": b"Dear Anna, " * 999,
    }
    for container in ("AU", "CAF", "W64", "NIST", "VOC"):
        contents[f"{container}.wav"] = sound(container, "PCM_16")
    contents["GSM610.wav"] = sound("WAV", "GSM610")
    contents["IMA_ADPCM.aiff"] = sound("AIFF", "IMA_ADPCM")
    cases = [case(name, content) for name, content in contents.items()]
    return [
        *cases,
        Case("folder.wav", lambda path: path.mkdir()),
        Case("dangling.wav", lambda path: path.symlink_to("nowhere.wav")),
        Case("loop.wav", lambda path: path.symlink_to(path.name)),
        Case("pipe.wav", os.mkfifo),
        Case("device.wav", lambda path: path.symlink_to("/dev/zero")),
        *([] if os.geteuid() == 0 else [Case("locked.wav", _locked)]),
    ]


def _locked(path: Path) -> None:
    path.write_bytes(sound("WAV", "PCM_16"))
    path.chmod(0)


def edited_headers() -> list[Case]:
    """A WAV whose header tells something else, field by field."""
    believed = {"bits 12.wav": SAMPLES, "size of the samples 4000.wav": 2000}
    fields = {
        "rate": (24, "<L", (0, 1, 4_000_000_000, 2**31 - 1)),
        "channels": (22, "<H", (0, 2, 6, 1024, 65535)),
        "bits": (34, "<H", (0, 1, 8, 12, 24, 32, 64, 65535)),
        "block": (32, "<H", (0, 1, 4, 65535)),
        "format": (20, "<H", (0, 2, 3, 6, 17, 85, 65534)),
        "size of the samples": (40, "<L", (0, 1, 4000, 2**31 - 1, 2**31 + 1, 2**32 - 2)),
        "size of the format": (16, "<L", (0, 4, 14, 15, 18, 2**31)),
    }
    wav = sound("WAV", "PCM_16")
    cases = []
    for field, (place, form, values) in fields.items():
        for value in values:
            size = struct.calcsize(form)
            content = wav[:place] + struct.pack(form, value) + wav[place + size :]
            name = f"{field} {value}.wav"
            right = {believed[name]} if name in believed else ()
            cases.append(case(name, content, *right, surely=name in believed))
    return cases


def cut_files() -> list[Case]:
    """Truncated files: no shorter recordings, whatever the container."""
    cases = []
    for container, coding in KINDS:
        content = sound(container, coding)
        for share in (0.3, 0.9, 0.999):
            name = f"{container} {coding} cut at {share}.{TYPES[container]}"
            cases.append(case(name, content[: int(share * len(content))]))
    return cases


def damaged_files(count: int) -> list[Case]:
    """Bytes of the header changed, bytes within overwritten, bytes left out."""
    rng = np.random.default_rng(4)
    cases = []
    for number in range(count):
        container, coding = KINDS[rng.integers(len(KINDS))]
        content = bytearray(sound(container, coding))
        how = ("header", "inside", "gap")[number % 3]
        # The encoder's notes in an MP3's first frame are all that is known of its length.
        first = 700 if container == "MP3" else 0 if how == "header" else 60
        last = first + 60 if how == "header" else len(content)
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(first, last))
            if how == "header":
                content[place] = int(rng.choice([0, 1, 127, 128, 255, rng.integers(256)]))
            elif how == "inside":
                content[place : place + 50] = rng.bytes(len(content[place : place + 50]))
            else:
                del content[place : place + int(rng.integers(1, 999))]
        name = f"{number} {container} {coding} {how}.{TYPES[container]}"
        cases.append(case(name, bytes(content), SAMPLES))
    return cases


def all_cases() -> list[Case]:
    cases = [
        *whole_files(),
        *unusual_files(),
        *bad_samples(),
        *no_audio(),
        *edited_headers(),
        *cut_files(),
        *damaged_files(120),
    ]
    assert len({case.name for case in cases}) == len(cases)
    return cases


def write_hour(path: Path, channels: int) -> None:
    """An hour of 8 bits at 8 kHz: a second of noise, over and over."""
    second = np.random.default_rng(5).integers(0, 256, (8000, channels), dtype=np.uint8).tobytes()
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 1, 8000, 0, "NONE", ""))
        for _ in range(60):
            file.writeframes(60 * second)


@pytest.mark.fault
def test_each_is_read_rightly_or_listed(tmp_path, tally):
    root = tmp_path / "data" / "happy"
    root.mkdir(parents=True)
    cases = {case.name: case for case in all_cases()}
    for name, case_ in cases.items():
        case_.write(root / name)
    write_hour(root / "an hour.wav", 1)
    cases["an hour.wav"] = Case("an hour.wav", write_hour, frozenset({3600 * 8000}), True)
    assert len(cases) >= 200

    manifest, problems = tmp_path / "results/manifest.csv", tmp_path / "results/problems.csv"
    write_corpus("mine", folders.Options(root=root.parent, speaker="."), manifest, problems)
    rows, told = read_manifest(manifest), read_problems(problems)
    lengths = {
        Path(row.audio).name: round(row.seconds * row.sampling_rate) for row in rows.itertuples()
    }
    left_out = {
        Path(row.file).name: row.problem
        for row in told.itertuples()
        if row.consequence == "left out"
    }
    assert set(lengths) | set(left_out) == set(cases)
    assert not set(lengths) & set(left_out)
    wrong = {name: length for name, length in lengths.items() if length not in cases[name].right}
    assert not wrong
    assert not {name: left_out[name] for name in left_out if cases[name].surely}
    assert all(reason.strip() and "\n" not in reason for reason in left_out.values())

    for row in rows.itertuples():
        wanted = lengths[Path(row.audio).name] * 16000 / row.sampling_rate
        decoded = read_audio(Path(row.audio), 16000)
        assert abs(len(decoded) - wanted) <= (0 if row.sampling_rate == 16000 else 1), row.audio
        assert np.isfinite(decoded).all()
    job = FeatureJob(
        corpus="mine",
        manifest=manifest,
        resources=Resources(RuntimeOptions(device="cpu")),
        resume=tmp_path / "resume",
        code="",
        feature="fbank",
        options=Options(bands=8, pool=4),
    )
    extract_feature(job, tmp_path / "fbank.h5")
    with FeatureFile(tmp_path / "fbank.h5") as file:
        assert list(file.utterances) == list(rows["utterance"])
    tally("audio file that is unusual or malformed, read rightly", len(lengths))
    tally("audio file that is malformed, listed with the reason", len(left_out))


@pytest.mark.fault
def test_an_hour_of_six_channels_is_inspected_in_little_memory(tmp_path, tally):
    write_hour(tmp_path / "hour.wav", 6)
    tracemalloc.start()
    facts = inspect_audio(tmp_path / "hour.wav")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (facts.seconds, facts.sampling_rate) == (3600, 8000)
    assert peak < 2**25
    tally("audio file of an hour and six channels, inspected within 32 MiB")
