"""wav2vec 2.0, HuBERT and WavLM against transformers, run plainly on one utterance at a time."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2ForPreTraining,
    Wav2Vec2ForXVector,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, Resources, Speech
from emonas.kinds import kind_module, kind_options
from emonas.learning.options import RuntimeOptions

CLASSES = {
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model),
    "hubert": (HubertConfig, HubertModel),
    "wavlm": (WavLMConfig, WavLMModel),
}
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
NORMS = [("group", False), ("layer", True), ("layer", False)]


def randomised(model: torch.nn.Module) -> torch.nn.Module:
    """Move every weight, so that what leaks is seen: a fresh model's biases are zeros."""
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return model.eval()


def saved(folder: Path, kind: str, norm: str = "group", stable: bool = False, **more) -> Path:
    config, model = CLASSES[kind]
    values = {**SMALL, **more, "feat_extract_norm": norm, "do_stable_layer_norm": stable}
    randomised(model(config(**values))).save_pretrained(folder)
    return folder


def normalising(folder: Path, normalise: bool) -> None:
    Wav2Vec2FeatureExtractor(do_normalize=normalise).save_pretrained(folder)


def built(folder: Path, kind: str, layers: tuple[str, ...] = (), **values) -> Extractor:
    options = kind_options("extractor", {"extractor": kind, "checkpoint": "some", **values})
    resources = Resources(
        RuntimeOptions(device="cpu"), Checkpoint("some", folder, "digest"), layers
    )
    return kind_module("extractor", kind).build(options, resources)


def speeches() -> list[Speech]:
    """Utterances of very different length and level; one is shorter than the window."""
    numbers = np.random.default_rng(5)
    lengths = [16000, 250, 3000, 9000, 3000, 400, 700]
    return [
        Speech(str(row), (0.1 * (row + 1) * numbers.standard_normal(length) + 0.05).astype("f4"))
        for row, length in enumerate(lengths)
    ]


def expected(folder: Path, kind: str, speech: Speech, normalise: bool = True) -> np.ndarray:
    """Give (layers, frames, features) as transformers does for a single utterance."""
    model = CLASSES[kind][1].from_pretrained(folder).eval()
    extractor = Wav2Vec2FeatureExtractor(do_normalize=normalise)
    values = extractor(speech.waveform, sampling_rate=16000).input_values[0]
    values = np.pad(values, (0, max(0, 400 - len(values))))
    with torch.no_grad():
        states = model(torch.from_numpy(values)[None], output_hidden_states=True).hidden_states
    return torch.cat(states).numpy()


@pytest.mark.parametrize(("norm", "stable"), NORMS)
@pytest.mark.parametrize("kind", CLASSES)
def test_batch_gives_what_transformers_gives_for_each_utterance(tmp_path, kind, norm, stable):
    folder = saved(tmp_path / "a model", kind, norm, stable)
    extractor = built(folder, kind)
    assert extractor.layers == ("0", "1", "2", "3")
    assert extractor.frame_rate == 50.0
    batch = speeches()
    for speech, given in zip(batch, extractor.extract(batch), strict=True):
        wanted = expected(folder, kind, speech)
        assert given.dtype == np.float32
        assert given.shape == wanted.shape
        np.testing.assert_allclose(given, wanted, atol=1e-4)


@pytest.mark.parametrize("kind", CLASSES)
def test_what_follows_in_the_batch_changes_nothing(tmp_path, kind):
    extractor = built(saved(tmp_path, kind), kind)
    batch = speeches()
    together = extractor.extract(batch)
    for speech, given in zip(batch, together, strict=True):
        np.testing.assert_allclose(given, extractor.extract([speech])[0], atol=1e-4)


def test_hubert_with_batch_normalised_positions_leaks_no_padding(tmp_path):
    folder = saved(tmp_path, "hubert", conv_pos_batch_norm=True)
    batch = speeches()
    for speech, given in zip(batch, built(folder, "hubert").extract(batch), strict=True):
        np.testing.assert_allclose(given, expected(folder, "hubert", speech), atol=1e-4)


@pytest.mark.parametrize("normalise", [True, False])
def test_waveform_is_normalised_as_the_folder_says(tmp_path, normalise):
    folder = saved(tmp_path, "wav2vec2", "layer", True)
    normalising(folder, normalise)
    speech = speeches()[2]
    given = built(folder, "wav2vec2").extract([speech])[0]
    np.testing.assert_allclose(given, expected(folder, "wav2vec2", speech, normalise), atol=1e-4)
    other = expected(folder, "wav2vec2", speech, not normalise)
    assert np.abs(given - other).max() > 1e-2


def test_silence_and_nothing_at_all_are_finite(tmp_path):
    extractor = built(saved(tmp_path, "wav2vec2"), "wav2vec2")
    silent = extractor.extract([Speech("a", np.zeros(800, "f4")), Speech("b", np.zeros(0, "f4"))])
    assert [frames.shape for frames in silent] == [(4, 2, 32), (4, 1, 32)]
    assert all(np.isfinite(frames).all() for frames in silent)


@pytest.mark.parametrize("kind", CLASSES)
def test_asked_layers_are_the_same_layers_of_all(tmp_path, kind):
    folder = saved(tmp_path, kind, "layer", True)
    everything = built(folder, kind).extract(speeches())
    for layers in [("2", "0"), ("0",), ("3",)]:
        extractor = built(folder, kind, layers)
        assert extractor.layers == layers
        for some, every in zip(extractor.extract(speeches()), everything, strict=True):
            np.testing.assert_allclose(some, every[[int(layer) for layer in layers]], atol=1e-5)


def test_pool_averages_consecutive_frames(tmp_path):
    folder = saved(tmp_path, "wavlm")
    frames = built(folder, "wavlm").extract(speeches()[:1])[0]
    extractor = built(folder, "wavlm", pool=4)
    assert extractor.frame_rate == 12.5
    pooled = extractor.extract(speeches()[:1])[0]
    assert frames.shape[1] == 49
    assert pooled.shape == (4, 13, 32)
    np.testing.assert_allclose(pooled[:, 1], frames[:, 4:8].mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(pooled[:, 12], frames[:, 48], atol=1e-5)


@pytest.mark.parametrize("head", [Wav2Vec2ForCTC, Wav2Vec2ForPreTraining, Wav2Vec2ForXVector])
def test_checkpoints_with_a_head_load(tmp_path, head):
    config = Wav2Vec2Config(**SMALL, tdnn_dim=(8,) * 5, xvector_output_dim=8)
    randomised(head(config)).save_pretrained(tmp_path)
    speech = speeches()[2]
    given = built(tmp_path, "wav2vec2").extract([speech])[0]
    np.testing.assert_allclose(given, expected(tmp_path, "wav2vec2", speech), atol=1e-4)


def test_older_checkpoints_load(tmp_path):
    """They have pytorch_model.bin, weight_g and weight_v, and perhaps no embedding of masks."""
    folder = saved(tmp_path, "wav2vec2")
    speech = speeches()[0]
    wanted = expected(folder, "wav2vec2", speech)
    state = {
        f"wav2vec2.{name}".replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): weight
        for name, weight in Wav2Vec2Model.from_pretrained(folder).state_dict().items()
        if name != "masked_spec_embed"
    }
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    given = built(folder, "wav2vec2").extract([speech])[0]
    np.testing.assert_allclose(given, wanted, atol=1e-4)


def test_loading_is_quiet(tmp_path, capfd, caplog):
    config = Wav2Vec2Config(**SMALL)
    Wav2Vec2ForCTC(config).save_pretrained(tmp_path)
    capfd.readouterr()
    with caplog.at_level(logging.WARNING):
        built(tmp_path, "wav2vec2")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_base_gives_thirteen_layers_of_768(tmp_path):
    torch.manual_seed(0)
    Wav2Vec2Model(Wav2Vec2Config()).save_pretrained(tmp_path)
    extractor = built(tmp_path, "wav2vec2")
    assert extractor.layers == tuple(str(number) for number in range(13))
    frames = extractor.extract([Speech("a", np.zeros(16000, dtype="f4"))])[0]
    assert frames.shape == (13, 49, 768)


def changed(folder: Path, **values) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_another_model_is_refused(tmp_path):
    folder = saved(tmp_path, "hubert")
    with pytest.raises(
        EmonasError, match=r"config\.json: model_type is hubert, not wav2vec2; give"
    ):
        built(folder, "wav2vec2")


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(EmonasError, match=r"there is no config\.json; give the folder"):
        built(tmp_path, "wavlm")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(EmonasError, match=r"config\.json: it cannot be read"):
        built(tmp_path, "wavlm")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    with pytest.raises(EmonasError, match="give the folder of a model of transformers"):
        built(tmp_path / "model.pt", "hubert")


def test_damaged_weights_are_refused(tmp_path):
    folder = saved(tmp_path, "wav2vec2")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(EmonasError, match=r"the model cannot be read .*; fetch the folder again"):
        built(folder, "wav2vec2")
    weights.unlink()
    with pytest.raises(EmonasError, match=r"the model cannot be read .*; fetch the folder again"):
        built(folder, "wav2vec2")


class Harmful:
    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self):
        return Path.touch, (self.victim,)


def test_weights_with_code_are_refused_and_run_nothing(tmp_path):
    folder = saved(tmp_path, "wav2vec2")
    state = Wav2Vec2Model.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    victim = tmp_path / "victim"
    torch.save({**state, "more": Harmful(victim)}, folder / "pytorch_model.bin")
    with pytest.raises(EmonasError, match="its weights hold something else too, which is not"):
        built(folder, "wav2vec2")
    assert not victim.exists()


def test_weights_of_another_depth_or_width_are_refused(tmp_path):
    folder = saved(tmp_path, "wav2vec2")
    changed(folder, num_hidden_layers=4)
    with pytest.raises(EmonasError, match=r"encoder\.layers\.3.* and 13 more are missing"):
        built(folder, "wav2vec2")
    changed(folder, num_hidden_layers=2)
    with pytest.raises(EmonasError, match=r"encoder\.layers\.2.* and 13 more are not expected"):
        built(folder, "wav2vec2")
    changed(folder, num_hidden_layers=3, intermediate_size=40)
    with pytest.raises(EmonasError, match="are of another shape"):
        built(folder, "wav2vec2")


def test_an_unknown_layer_is_refused(tmp_path):
    with pytest.raises(EmonasError, match="there is no layer 4; ask for some of 0, 1, 2, 3"):
        built(saved(tmp_path, "wavlm"), "wavlm", ("1", "4"))


def test_a_model_of_another_rate_is_refused(tmp_path):
    folder = saved(tmp_path, "wav2vec2")
    Wav2Vec2FeatureExtractor(sampling_rate=8000).save_pretrained(folder)
    with pytest.raises(EmonasError, match="trained at 8000 Hz; give one of 16000 Hz"):
        built(folder, "wav2vec2")


@pytest.mark.parametrize(("norm", "stable"), NORMS[:2])
def test_torchaudio_gives_the_same_numbers(tmp_path, norm, stable):
    folder = saved(tmp_path, "wav2vec2", norm, stable)
    try:
        import torchaudio.models.wav2vec2.utils  # noqa: F401
    except (ImportError, OSError):
        with pytest.raises(EmonasError, match="torchaudio is asked for and does not import here"):
            built(folder, "wav2vec2", backend="torchaudio")
        pytest.skip("torchaudio does not import here; its refusal was tested")
    batch = speeches()
    given = built(folder, "wav2vec2", backend="torchaudio").extract(batch)
    for speech, frames in zip(batch, given, strict=True):
        np.testing.assert_allclose(frames, expected(folder, "wav2vec2", speech), atol=1e-5)
