"""The job behind a feature of words: with a small BERT, on texts that are there and on none."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.features.extraction import Resources, Speech
from emonas.features.extractors import bert, fbank
from emonas.features.job import FeatureJob, extract_feature
from emonas.learning.options import RuntimeOptions
from emonas.storage.features import FeatureFile
from emonas.storage.manifest import Utterance, write_manifest
from emonas.storage.transcripts import write_transcript

transformers = pytest.importorskip("transformers", reason="transformers is not installed")

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "kids", "are", "talking", "by", "door")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("weights") / "small bert"
    config = transformers.BertConfig(
        vocab_size=len(PIECES),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(PIECES))
    return Checkpoint("b", folder, "00ff")


@pytest.fixture
def job_on(tmp_path: Path, checkpoint: Checkpoint) -> Callable[..., FeatureJob]:
    """Makes a job on a corpus of these texts, whose audio is not there."""

    def made(texts: dict[str, str], transcript: dict[str, str] | None = None) -> FeatureJob:
        rows = [
            Utterance(name, "no.wav", "c", "en", "s", "", "", "", text, "", 1.0, 16000, "")
            for name, text in texts.items()
        ]
        write_manifest(tmp_path / "manifest.csv", rows)
        if transcript is not None:
            write_transcript(tmp_path / "heard.csv", transcript)
        return FeatureJob(
            corpus="c",
            feature="words",
            options=bert.Options(checkpoint="b"),
            manifest=tmp_path / "manifest.csv",
            resources=Resources(RuntimeOptions(device="cpu"), checkpoint),
            resume=tmp_path / "resume",
            code="abc",
            transcript=None if transcript is None else tmp_path / "heard.csv",
        )

    return made


def test_words_are_those_of_the_manifest_or_of_the_transcript(job_on, tmp_path):
    said = {"u1": "kids are talking", "u2": "", "u3": "by"}
    heard = {"u1": "door", "u2": "kids by door", "u3": " "}
    for texts, job in ((said, job_on(said)), (heard, job_on(said, heard))):
        extract_feature(job, tmp_path / "words.h5")
        extractor = bert.build(job.options, job.resources)
        with FeatureFile(tmp_path / "words.h5") as file:
            for name, text in texts.items():
                silence = np.zeros(0, np.float32)
                (expected,) = extractor.extract([Speech(name, silence, text)])
                np.testing.assert_allclose(file.read(name), expected, atol=1e-2)
                assert file.read(name).any() == bool(text.strip())


def test_a_corpus_without_texts_is_refused(job_on, tmp_path):
    with pytest.raises(EmonasError, match=r"manifest\.csv: no utterance of c has a text, .*words"):
        extract_feature(job_on({"u1": "", "u2": "  "}), tmp_path / "words.h5")
    assert not (tmp_path / "words.h5").exists()


def test_a_transcript_in_which_nothing_was_heard_is_refused(job_on, tmp_path):
    job = job_on({"u1": "kids", "u2": "door"}, {"u1": "", "u2": ""})
    with pytest.raises(EmonasError, match=r"heard\.csv: no utterance of c has a text"):
        extract_feature(job, tmp_path / "words.h5")


def test_utterances_that_a_transcript_lacks_are_named(job_on, tmp_path, caplog):
    names = [f"u{number:02}" for number in range(14)]
    job = job_on(dict.fromkeys(names, "kids"), {"u03": "kids", "u05": "door"})
    with caplog.at_level(logging.INFO, "emonas"), pytest.raises(EmonasError) as raised:
        extract_feature(job, tmp_path / "words.h5")
    sentence = str(raised.value)
    assert "heard.csv: 12 of 14 utterances of c are missing (u00, u01, u02, u04," in sentence
    assert "u13" not in sentence
    assert f"--force {tmp_path / 'heard.csv'}" in sentence
    told = [line.rsplit(" ", 1)[1] for line in caplog.messages if line.startswith("missing in")]
    assert told == [name for name in names if name not in ("u03", "u05")]


def test_how_many_utterances_have_no_words_is_told(job_on, tmp_path, caplog):
    with caplog.at_level(logging.INFO, "emonas"):
        extract_feature(job_on({"u1": "kids", "u2": "", "u3": ""}), tmp_path / "words.h5")
    assert any("2 of 3 utterances have no words" in line for line in caplog.messages)


def test_who_does_not_read_needs_no_text(job_on, tmp_path):
    job = replace(job_on({"u1": ""}), options=fbank.Options())
    with pytest.raises(EmonasError, match=r"no\.wav: this cannot be read as audio"):
        extract_feature(job, tmp_path / "fbank.h5")
