"""Features of Whisper's encoder, held against the package's own way of computing."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.features.extractors.whisper import Options, WhisperFeatures, build
from emonas.features.job import FeatureJob, extract_feature
from emonas.learning.options import RuntimeOptions
from emonas.storage.frames import pooled
from emonas.storage.manifest import Utterance, write_manifest

whisper = pytest.importorskip("whisper", reason="openai-whisper is not installed")

SHARED = Path(__file__).parents[2].parent / "shared"
TINY = SHARED / "checkpoints" / "tiny.en.pt"
BYOL = SHARED / "checkpoints" / "SERAB_BYOL-S_default512_64x96.pth"
EMODB = SHARED / "corpora" / "emodb" / "wav"
WINDOW = 480000

DIMS = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": 16,
    "n_audio_head": 2,
    "n_audio_layer": 3,
    "n_vocab": 51864,
    "n_text_ctx": 32,
    "n_text_state": 16,
    "n_text_head": 2,
    "n_text_layer": 1,
}


def state(**changed: int) -> dict[str, object]:
    """Random weights in the released format."""
    dims = {**DIMS, **changed}
    generator = torch.Generator().manual_seed(3)
    network = whisper.model.Whisper(whisper.model.ModelDimensions(**dims))
    parameters = {
        name: torch.randn(value.shape, generator=generator) * 0.3
        for name, value in network.state_dict().items()
    }
    return {"dims": dims, "model_state_dict": parameters}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("with a space") / "random.pt"
    torch.save(state(), path)
    return path


def extractor(path: Path, *layers: str, **options: object) -> Extractor:
    resources = Resources(RuntimeOptions(device="cpu"), Checkpoint("w", path, "00"), layers)
    return build(Options(checkpoint="w", **options), resources)


def noise(samples: int, loudness: float = 0.1, seed: int = 6) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (loudness * generator.normal(size=samples)).astype(np.float32)


def block_outputs(path: Path, waveform: np.ndarray) -> np.ndarray:
    """All blocks of one window, by the package's own loader and its padding."""
    network = whisper.load_model(str(path), device="cpu")
    outputs: list[torch.Tensor] = []
    for block in network.encoder.blocks:
        block.register_forward_hook(lambda _m, _i, output: outputs.append(output[0]))
    with torch.no_grad():
        network.encoder(whisper.log_mel_spectrogram(whisper.pad_or_trim(waveform))[None])
    frames = max(1, len(waveform) // 320)
    return torch.stack(outputs)[:, :frames].numpy()


def test_features_are_the_blocks_outputs_cut_to_the_utterance(checkpoint: Path) -> None:
    whole = extractor(checkpoint)
    assert whole.layers == ("1", "2", "3")
    assert whole.frame_rate == 50
    for samples in (200, 24000 + 319, WINDOW):
        (features,) = whole.extract([Speech("u", noise(samples))])
        assert features.dtype == np.float32
        assert features.shape == (3, max(1, samples // 320), 16)
        expected = block_outputs(checkpoint, noise(samples))
        np.testing.assert_allclose(features, expected, atol=1e-4)


@pytest.mark.skipif(not TINY.exists(), reason="tiny.en.pt is not beside the repository")
def test_real_weights_on_real_speech_give_what_the_package_gives() -> None:
    waveform = soundfile.read(sorted(EMODB.glob("*.wav"))[0], dtype="float32")[0]
    (features,) = extractor(TINY).extract([Speech("u", waveform)])
    expected = block_outputs(TINY, waveform)
    assert features.shape == expected.shape == (4, len(waveform) // 320, 384)
    np.testing.assert_allclose(features, expected, atol=1e-4, rtol=1e-4)


def test_a_job_encodes_few_windows_at_a_time(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fits the budget is windows of 30 s, so that work is kept after every few of them."""
    rows = []
    for index in range(5):
        audio = tmp_path / f"u{index}.wav"
        soundfile.write(audio, noise(8000, seed=index), 16000)
        rows.append(
            Utterance(f"u{index}", str(audio), "c", "", "s", "", "", "", "", "", 0.5, 16000, "")
        )
    write_manifest(tmp_path / "manifest.csv", rows)
    counts: list[int] = []
    extract = WhisperFeatures.extract

    def counted(self: WhisperFeatures, batch: Sequence[Speech]) -> list[np.ndarray]:
        counts.append(len(batch))
        return extract(self, batch)

    monkeypatch.setattr(WhisperFeatures, "extract", counted)
    job = FeatureJob(
        corpus="c",
        feature="w",
        options=Options(checkpoint="w", budget=64),
        manifest=tmp_path / "manifest.csv",
        resources=Resources(RuntimeOptions(device="cpu"), Checkpoint("w", checkpoint, "00")),
        resume=tmp_path / "resume",
        code="",
    )
    extract_feature(job, tmp_path / "w.h5")
    assert counts == [2, 2, 1]


def test_a_batch_gives_what_single_utterances_give(checkpoint: Path) -> None:
    # Loud beside quiet: levels are relative to the loudest value of a window, never of a batch.
    sounds = [
        noise(16000, 0.9),
        noise(200, 1e-3),
        noise(WINDOW + 50000, 0.01),
        noise(90000, 1e-4),
        np.zeros(5000, np.float32),
    ]
    batch = [Speech(str(index), sound) for index, sound in enumerate(sounds)]
    together = extractor(checkpoint, budget=90.0).extract(batch)
    alone = extractor(checkpoint, budget=1.0)
    for speech, features in zip(batch, together, strict=True):
        (expected,) = alone.extract([speech])
        np.testing.assert_allclose(features, expected, atol=1e-4)


def test_a_long_utterance_is_heard_window_by_window(checkpoint: Path) -> None:
    whole = extractor(checkpoint)
    long = noise(2 * WINDOW + 8000)
    parts = [long[:WINDOW], long[WINDOW : 2 * WINDOW], long[2 * WINDOW :]]
    (features,) = whole.extract([Speech("u", long)])
    pieces = whole.extract([Speech("u", part) for part in parts])
    assert features.shape[1] == len(long) // 320 == 3025
    np.testing.assert_allclose(features, np.concatenate(pieces, axis=1), atol=1e-4)


@pytest.mark.parametrize(("more", "frames"), [(319, 1500), (320, 1501)])
def test_a_remainder_of_no_whole_frame_is_dropped(checkpoint: Path, more: int, frames: int) -> None:
    (features,) = extractor(checkpoint, "1").extract([Speech("u", noise(WINDOW + more))])
    assert features.shape == (1, frames, 16)


def test_only_the_wanted_layers_are_given_in_the_order_asked(checkpoint: Path) -> None:
    speech = [Speech("u", noise(20000))]
    (every,) = extractor(checkpoint).extract(speech)
    some = extractor(checkpoint, "2", "1")
    (features,) = some.extract(speech)
    assert some.layers == ("2", "1")
    np.testing.assert_allclose(features, every[[1, 0]], atol=1e-5)


def test_frames_are_averaged_layer_by_layer_after_windows_are_joined(checkpoint: Path) -> None:
    speech = [Speech("u", noise(WINDOW + 20000))]
    (every,) = extractor(checkpoint).extract(speech)
    pooling = extractor(checkpoint, pool=7)
    (features,) = pooling.extract(speech)
    assert pooling.frame_rate == 50 / 7
    expected = np.stack([pooled(layer, 7) for layer in every])
    assert features.shape == (3, -(-1562 // 7), 16)
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_the_budget_bounds_how_many_windows_are_encoded_at_a_time(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = whisper.model.AudioEncoder
    heard: list[int] = []
    forward = encoder.forward

    def counted(self: torch.nn.Module, mel: torch.Tensor) -> torch.Tensor:
        heard.append(len(mel))
        return forward(self, mel)

    monkeypatch.setattr(encoder, "forward", counted)
    batch = [Speech(str(index), noise(1000)) for index in range(7)]
    extractor(checkpoint, budget=64.0).extract(batch)
    extractor(checkpoint, budget=20.0).extract(batch[:2])
    assert heard == [2, 2, 2, 1, 1, 1]


@pytest.mark.parametrize("layer", ["0", "4", "post", "-1"])
def test_a_layer_that_is_not_there_is_told(checkpoint: Path, layer: str) -> None:
    with pytest.raises(EmonasError, match=rf"random\.pt: there is no layer {layer}; .* 1, 2, 3"):
        extractor(checkpoint, "1", layer)


def refused(path: Path, content: object, reason: str) -> None:
    torch.save(content, path)
    with pytest.raises(EmonasError, match=reason) as caught:
        extractor(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


def test_what_is_no_released_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    whole = state()
    parameters = whole["model_state_dict"]
    refused(path, parameters, "does not hold `dims` and `model_state_dict`")
    refused(path, [1, 2], "does not hold `dims` and `model_state_dict`")
    refused(path, {**whole, "dims": {"n_mels": 80}}, "`dims` are not those of Whisper")
    refused(path, {**whole, "dims": [80, 1500]}, "`dims` are not those of Whisper")
    for name, value in {"n_mels": 64, "n_audio_ctx": 750, "n_vocab": "many"}.items():
        refused(path, {**whole, "dims": {**DIMS, name: value}}, rf"dims\.{name} is '?{value}")
    refused(path, {**whole, "dims": {**DIMS, "n_audio_layer": 2}}, "do not fit its own `dims`")
    refused(path, {**whole, "model_state_dict": [3]}, "do not fit its own `dims`")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(EmonasError, match=r"w\.pt"):
        extractor(path)


@pytest.mark.skipif(not BYOL.exists(), reason="BYOL-S is not beside the repository")
def test_a_real_checkpoint_of_another_architecture_is_refused() -> None:
    with pytest.raises(EmonasError, match="no released checkpoint of Whisper"):
        extractor(BYOL)


def test_options_load_neither_torch_nor_whisper() -> None:
    program = (
        "import sys\n"
        "from emonas.features import transcription\n"
        "from emonas.features.extractors import whisper\n"
        "from emonas.features.recognisers import whisper\n"
        "print([name for name in ('torch', 'whisper', 'numba') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout.strip() == "[]"
