"""Networks from checkpoints: the sizes are theirs, and another architecture is refused."""

import json
from pathlib import Path

import pytest
import torch

from emonas.checkpoints.speech_models import random_speech_model
from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.systems.building import build_network
from emonas.systems.shapes import NetworkShape

pytest.importorskip("transformers", reason="transformers is not installed")
SHARED = Path(__file__).parents[2].parent / "shared"
TINY = SHARED / "checkpoints" / "tiny.en.pt"
SIZES = {
    "num_hidden_layers": 3,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8,) * 7,
}


def saved(kind, folder, normalises=True, **changes):
    torch.manual_seed(1)
    random_speech_model(kind, {**SIZES, **changes}).save_pretrained(folder)
    preparation = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16000}
    (folder / "preprocessor_config.json").write_text(
        json.dumps({**preparation, "do_normalize": normalises})
    )
    return folder


def build(network, checkpoint, **changes):
    values = {"network": network, "inputs": ["w"], "checkpoint": "given", **changes}
    options = kind_options("network", values)
    return build_network(options, None, NetworkShape((1,), 4, checkpoint=checkpoint))


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wavlm"])
def test_the_encoder_has_the_weights_and_sizes_of_its_checkpoint(kind, tmp_path):
    folder = saved(kind, tmp_path / "a folder")
    network = build(kind, folder)
    torch.manual_seed(1)
    expected = random_speech_model(kind, SIZES).state_dict()
    found = network.encoder.model.state_dict()
    for name, tensor in expected.items():
        # Saved without the vector that masks frames in pretraining, which is not used here.
        if name != "masked_spec_embed":
            torch.testing.assert_close(found[name], tensor)
    assert network.heads["emotion"].weight.shape == (4, 16)


def test_an_utterance_is_normalised_as_the_folder_says(tmp_path):
    from emonas.networks.streams import Stream

    stream = Stream(torch.randn(1, 4000, 1), torch.tensor([4000]))
    loud = Stream(10 * stream.frames + 1, stream.lengths)
    for normalises in (True, False):
        # Where the first convolution normalises over time, it would not matter.
        changes = {"feat_extract_norm": "layer"}
        folder = saved("wav2vec2", tmp_path / str(normalises), normalises, **changes)
        network = build("wav2vec2", folder)
        with torch.no_grad():
            one, other = (network.eval()(heard).logits for heard in (stream, loud))
        assert torch.allclose(one, other, atol=1e-4) == normalises


@pytest.mark.parametrize(
    ("network", "found", "said"),
    [
        ("wav2vec2", "hubert", r"config\.json: model_type is hubert, not wav2vec2"),
        ("wavlm", "wav2vec2", r"config\.json: model_type is wav2vec2, not wavlm"),
        ("whisper-encoder", "wav2vec2", "this is a folder"),
    ],
)
def test_another_architecture_is_refused(network, found, said, tmp_path):
    with pytest.raises(EmonasError, match=said):
        build(network, saved(found, tmp_path))


def test_a_file_is_no_folder_of_transformers(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"")
    with pytest.raises(EmonasError, match=r"there is no config\.json; give the folder"):
        build("wav2vec2", tmp_path / "weights.pt")


@pytest.mark.parametrize(("key", "number"), [("freeze", 4), ("skip", 7)])
def test_a_block_that_the_checkpoint_has_not_is_named(key, number, tmp_path):
    tasks = {"tasks": {"emotion": {}, "gender": {}}} if key == "skip" else {}
    with pytest.raises(EmonasError, match=f"{key} is {number}, and .* has 3 blocks"):
        build("wav2vec2", saved("wav2vec2", tmp_path), **{key: number}, **tasks)


@pytest.mark.skipif(not TINY.exists(), reason="no checkpoint of Whisper")
def test_whisper_s_released_encoder_is_trained_from_its_weights():
    pytest.importorskip("whisper", reason="openai-whisper is not installed")
    from emonas.checkpoints.whisper import load_whisper

    network = build("whisper-encoder", TINY, freeze=2, longest_seconds=1)
    expected = load_whisper(TINY).encoder.state_dict()
    for name, tensor in network.encoder.encoder.state_dict().items():
        assert torch.equal(tensor, expected[name])
    learning = {n for n, p in network.named_parameters() if p.requires_grad}
    assert any("blocks.2." in name for name in learning)
    assert not any("blocks.1." in name or "conv" in name for name in learning)
