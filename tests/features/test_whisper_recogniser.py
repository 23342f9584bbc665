"""Whisper as a recogniser: real weights on real speech, and random weights for the mechanics."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.evaluate.recognition import error_rates
from emonas.features.extraction import Resources, Speech
from emonas.features.recogniser import Recogniser
from emonas.features.recognisers.whisper import Options, build
from emonas.learning.options import RuntimeOptions
from emonas.storage.wording import normalised

whisper = pytest.importorskip("whisper", reason="openai-whisper is not installed")

SHARED = Path(__file__).parents[2].parent / "shared"
TINY = SHARED / "checkpoints" / "tiny.en.pt"
RAVDESS = SHARED / "corpora" / "ravdess"
STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
REAL = pytest.mark.skipif(
    not (TINY.exists() and RAVDESS.is_dir()),
    reason="tiny.en.pt and RAVDESS are not beside the repository",
)
WINDOW = 480000


def write_checkpoint(path: Path, vocabulary: int) -> Path:
    """Random weights in the released format; they hear something else in every sound."""
    dims = {
        "n_mels": 80,
        "n_audio_ctx": 1500,
        "n_audio_state": 16,
        "n_audio_head": 2,
        "n_audio_layer": 2,
        "n_vocab": vocabulary,
        "n_text_ctx": 32,
        "n_text_state": 16,
        "n_text_head": 2,
        "n_text_layer": 2,
    }
    generator = torch.Generator().manual_seed(3)
    network = whisper.model.Whisper(whisper.model.ModelDimensions(**dims))
    parameters = {
        name: torch.randn(value.shape, generator=generator)
        for name, value in network.state_dict().items()
    }
    torch.save({"dims": dims, "model_state_dict": parameters}, path)
    return path


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("english") / "random.en.pt", 51864)


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("many") / "random.pt", 51865)


def recogniser(path: Path, **options: object) -> Recogniser:
    resources = Resources(RuntimeOptions(device="cpu"), Checkpoint("w", path, "00"))
    return build(Options(checkpoint="w", **options), resources)


def sounds() -> list[Speech]:
    """Noise of several lengths and loudnesses, one over 30 s, one of half a frame."""
    generator = np.random.default_rng(2)
    shapes = [(16000, 0.5), (100000, 0.01), (160, 0.1), (WINDOW + 48000, 0.2), (30000, 1e-3)]
    return [
        Speech(str(samples), (loudness * generator.normal(size=samples)).astype(np.float32))
        for samples, loudness in shapes
    ]


def heard_by_the_package(path: Path, speech: Speech, language: str | None) -> str:
    """The words of each window, through the package's own loader and padding."""
    network = whisper.load_model(str(path), device="cpu")
    options = whisper.DecodingOptions(language=language, without_timestamps=True, fp16=False)
    starts = range(0, len(speech.waveform), WINDOW)
    texts = [
        whisper.decode(
            network,
            whisper.log_mel_spectrogram(whisper.pad_or_trim(speech.waveform[start:])),
            options,
        ).text
        for start in starts
    ]
    return " ".join(texts)


def test_a_batch_hears_what_is_heard_alone(english: Path) -> None:
    batch = sounds()
    together = recogniser(english, batch=4).recognise(batch)
    assert together == [recogniser(english, batch=1).recognise([speech])[0] for speech in batch]
    assert together == [heard_by_the_package(english, speech, "en") for speech in batch]
    assert len(set(together)) > 2


def test_a_language_is_found_out_or_given(multilingual: Path) -> None:
    batch = sounds()[:2]
    found = recogniser(multilingual).recognise(batch)
    assert found == [heard_by_the_package(multilingual, speech, None) for speech in batch]
    german = recogniser(multilingual, language="de").recognise(batch)
    assert german == [heard_by_the_package(multilingual, speech, "de") for speech in batch]
    assert german != found


def test_a_language_that_is_not_known_is_told(english: Path, multilingual: Path) -> None:
    with pytest.raises(EmonasError, match=r"random\.en\.pt: this Whisper knows English alone"):
        recogniser(english, language="de")
    with pytest.raises(EmonasError, match=r"random\.pt: Whisper knows no language klingon"):
        recogniser(multilingual, language="klingon")
    # Cantonese came with large-v3.
    with pytest.raises(EmonasError, match=r"random\.pt: Whisper knows no language yue"):
        recogniser(multilingual, language="yue")
    recogniser(english, language="en")


def test_a_vocabulary_that_the_package_has_not_is_told(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "w.pt", 1000)
    with pytest.raises(EmonasError, match=r"w\.pt: a Whisper of 1000 words"):
        recogniser(path)


@REAL
def test_real_speech_is_understood() -> None:
    files = sorted(RAVDESS.rglob("*.flac"))[::301]
    batch = [Speech(file.stem, soundfile.read(file, dtype="float32")[0]) for file in files]
    references = [normalised(STATEMENTS[speech.name[12:14]]) for speech in batch]
    assert len(set(references)) == 2
    heard = [normalised(text) for text in recogniser(TINY).recognise(batch)]
    rates = error_rates(references, heard, without_text=0)
    print(f"WER {rates.wer:.3f}, CER {rates.cer:.3f} on {rates.utterances} utterances")
    assert rates.wer <= 0.1


@REAL
def test_words_on_both_sides_of_a_window_are_joined() -> None:
    files = [sorted(RAVDESS.rglob(f"03-01-01-01-{number}-01-01.flac"))[0] for number in STATEMENTS]
    kids, dogs = (soundfile.read(file, dtype="float32")[0] for file in files)
    silence = np.zeros(WINDOW - len(kids), np.float32)
    long = Speech("u", np.concatenate([kids, silence, dogs]))
    (text,) = recogniser(TINY).recognise([long])
    assert normalised(text) == normalised(" ".join(STATEMENTS.values()))
