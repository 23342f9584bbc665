"""The job behind a transcript, with a recogniser of random weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.features.extraction import Resources, Speech
from emonas.features.kept import KEEP
from emonas.features.recognisers.whisper import Options, WhisperRecogniser
from emonas.features.transcription import TranscriptJob, build_recogniser, transcribe
from emonas.learning.options import RuntimeOptions
from emonas.storage.manifest import Utterance, write_manifest
from emonas.storage.transcripts import read_transcript

whisper = pytest.importorskip("whisper", reason="openai-whisper is not installed")

DIMS = (80, 1500, 16, 2, 1, 51864, 16, 16, 2, 1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    dims = whisper.model.ModelDimensions(*DIMS)
    generator = torch.Generator().manual_seed(3)
    parameters = {
        name: torch.randn(value.shape, generator=generator)
        for name, value in whisper.model.Whisper(dims).state_dict().items()
    }
    path = tmp_path_factory.mktemp("weights") / "random.en.pt"
    torch.save({"dims": vars(dims), "model_state_dict": parameters}, path)
    return Checkpoint("w", path, "00ff")


@pytest.fixture
def job(tmp_path: Path, checkpoint: Checkpoint) -> TranscriptJob:
    """Nine utterances at 8 kHz, the first the longest by the manifest; two windows are a batch."""
    folder = tmp_path / "with a space"
    folder.mkdir()
    generator = np.random.default_rng(7)
    rows = []
    for index in range(9):
        audio = folder / f"u{index}.wav"
        samples = generator.normal(size=400 + 3000 * index) * 0.5 / (index + 1)
        soundfile.write(audio, samples, 8000, subtype="FLOAT")
        seconds = 3.0 - index / 100
        rows.append(
            Utterance(
                f"u{index}", str(audio), "c", "en", "s", "", "", "", "", "", seconds, 8000, ""
            )
        )
    write_manifest(folder / "manifest.csv", rows)
    return TranscriptJob(
        corpus="c",
        transcript="heard",
        options=Options(checkpoint="w", batch=2),
        manifest=folder / "manifest.csv",
        resources=Resources(RuntimeOptions(device="cpu"), checkpoint),
        resume=tmp_path / "resume",
        code="abc",
    )


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all utterances that are recognised, as they are."""
    names: list[str] = []
    recognise = WhisperRecogniser.recognise

    def noted(self: WhisperRecogniser, batch: Sequence[Speech]) -> list[str]:
        assert len(batch) <= self._batch
        names.extend(speech.name for speech in batch)
        return recognise(self, batch)

    monkeypatch.setattr(WhisperRecogniser, "recognise", noted)
    return names


def test_every_utterance_gets_what_was_heard_in_it(job: TranscriptJob, tmp_path: Path) -> None:
    output = tmp_path / "results" / "heard.csv"
    transcribe(job, output)
    texts = read_transcript(output)
    assert list(texts) == [f"u{index}" for index in range(9)]
    assert len(set(texts.values())) > 3
    recogniser = build_recogniser(job.options, job.resources)
    for name, text in texts.items():
        waveform = transcription_audio(job.manifest.with_name(f"{name}.wav"))
        assert [text] == recogniser.recognise([Speech(name, waveform)])
    assert list(job.resume.rglob("*")) == [job.resume / "transcripts"]


def transcription_audio(path: Path) -> np.ndarray:
    """The audio at 16 kHz, by another library than the job's."""
    import librosa

    return librosa.load(path, sr=16000, res_type="soxr_hq")[0]


def test_an_interrupted_job_goes_on(
    job: TranscriptJob, tmp_path: Path, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    transcribe(job, tmp_path / "whole.csv")
    heard.clear()
    monkeypatch.setenv(KEEP, "0")
    broken = job.manifest.with_name("u5.wav")
    audio = broken.read_bytes()
    broken.write_bytes(b"no audio")
    output = tmp_path / "heard.csv"
    with pytest.raises(EmonasError, match=r"u5\.wav"):
        transcribe(job, output)
    assert not output.exists()
    assert heard == ["u0", "u1", "u2", "u3"]
    broken.write_bytes(audio)
    heard.clear()
    transcribe(job, output)
    assert heard == ["u4", "u5", "u6", "u7", "u8"]
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert list(job.resume.rglob("*")) == [job.resume / "transcripts"]


def interrupt(job: TranscriptJob, output: Path) -> None:
    """Stop a job at the last utterance, whose audio is whole again afterwards."""
    broken = job.manifest.with_name("u8.wav")
    audio = broken.read_bytes()
    broken.write_bytes(b"no audio")
    with pytest.raises(EmonasError, match=r"u8\.wav"):
        transcribe(job, output)
    broken.write_bytes(audio)


def test_what_a_job_of_other_options_kept_is_left_alone(
    job: TranscriptJob, tmp_path: Path, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEEP, "0")
    interrupt(job, tmp_path / "heard.csv")
    heard.clear()
    other = TranscriptJob(**{**vars(job), "options": Options(checkpoint="w", batch=3)})
    transcribe(other, tmp_path / "other.csv")
    assert len(heard) == 9


def test_a_damaged_state_is_made_anew(
    job: TranscriptJob, tmp_path: Path, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEEP, "0")
    interrupt(job, tmp_path / "heard.csv")
    (kept,) = job.resume.rglob("transcript.csv")
    kept.write_text("utterance,te")
    heard.clear()
    transcribe(job, tmp_path / "heard.csv")
    assert len(heard) == 9


def test_an_empty_manifest_is_told(job: TranscriptJob, tmp_path: Path) -> None:
    write_manifest(job.manifest, [])
    with pytest.raises(EmonasError, match="there are no utterances"):
        transcribe(job, tmp_path / "heard.csv")
