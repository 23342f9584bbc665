"""Networks from checkpoints: the sizes are theirs, and another architecture is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from emonas.checkpoints.speech_models import random_speech_model
from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.learning.batches import Batch, Examples, Targets
from emonas.networks.streams import Stream
from emonas.systems.building import build_network
from emonas.systems.data import FoldData
from emonas.systems.normalising import Normaliser
from emonas.systems.objective import make_objective
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


RANDOM = {"layers": 2, "width": 16, "heads": 2, "feed_forward": 24, "channels": 8}


def random_network(**changes):
    """A wav2vec 2.0 of random weights that tells gender, built from options."""
    values = {"network": "wav2vec2", "inputs": ["w"], "random": RANDOM, "dropout": 0.0, **changes}
    options = kind_options("network", values)
    torch.manual_seed(3)
    shape = NetworkShape((1,), 4, tasks={"gender": ("female", "male")})
    return options, build_network(options, None, shape)


def heard():
    torch.manual_seed(4)
    return Stream(torch.randn(2, 4000, 1), torch.tensor([4000, 3000]))


@pytest.mark.parametrize("constant", [1.0, 0.5])
def test_an_adversarial_task_of_the_options_reverses_its_gradient_in_the_encoder(constant):
    found = {}
    for adversarial in (False, True):
        more = {"reversal": constant} if adversarial else {}
        tasks = {"emotion": {}, "gender": {"adversarial": adversarial}}
        _, network = random_network(tasks=tasks, **more)
        answers = network.eval()(heard()).tasks["gender"].frames[:, 0]
        nn.functional.cross_entropy(answers, torch.tensor([0, 1])).backward()
        found[adversarial] = {
            name: p.grad for name, p in network.named_parameters() if p.grad is not None
        }
    assert found[True].keys() == found[False].keys()
    assert any(name.startswith("encoder") for name in found[True])
    for name, gradient in found[True].items():
        factor = -constant if name.startswith("encoder") else 1.0
        torch.testing.assert_close(gradient, factor * found[False][name], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("weighing", "adversarial", "weights"),
    [
        ("shared", False, (0.9, 0.1)),
        ("literal", False, (0.1, 0.3)),
        ("literal", True, (0.1, 0.9)),
    ],
)
def test_the_objective_weighs_as_the_options_say(weighing, adversarial, weights):
    tasks = {"emotion": {}, "gender": {"adversarial": adversarial}}
    options, network = random_network(tasks=tasks, weighing=weighing)
    labels, numbers = torch.tensor([2, 0]), torch.tensor([[1], [0]])
    targets = {"gender": Targets(numbers, torch.tensor([1, 1]))}
    examples = Examples(([np.zeros((9, 1))] * 2,), labels.numpy())
    classes = ("a", "b", "c", "d")
    data = FoldData(classes, NetworkShape((1,), 4), examples, None, Normaliser())
    output = network.eval()(heard())
    loss = make_objective(options, data, network)(output, Batch((), labels, targets=targets))
    emotion = nn.functional.cross_entropy(output.logits, labels)
    gender = nn.functional.cross_entropy(output.tasks["gender"].frames[:, 0], numbers[:, 0])
    torch.testing.assert_close(loss, weights[0] * emotion + weights[1] * gender)


@pytest.mark.parametrize("recompute", [False, True])
def test_recomputing_is_an_option(recompute):
    """Each block that learns is then computed twice."""
    _, network = random_network(recompute=recompute)
    calls = []
    network.encoder.model.encoder.layers[1].attention.register_forward_hook(
        lambda *_: calls.append(1)
    )
    network.train()(heard()).logits.square().sum().backward()
    assert len(calls) == 1 + recompute


def test_dropout_acts_before_every_head_and_in_training_only():
    _, network = random_network(tasks=["emotion", "gender"], dropout=0.5)
    network.encoder.eval()
    seen = {}
    for task, head in network.heads.items():
        head.register_forward_hook(lambda _, inputs, __, task=task: seen.update({task: inputs[0]}))
    network.dropout.train()
    network(heard())
    assert all(0.2 < float((inputs == 0).float().mean()) < 0.8 for inputs in seen.values())
    network.dropout.eval()
    network(heard())
    assert not any((inputs == 0).any() for inputs in seen.values())


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
