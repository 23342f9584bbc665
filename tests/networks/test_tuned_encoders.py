"""Encoders that are trained: what freezes, what padding changes, what the parts give."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from emonas.checkpoints.speech_models import random_speech_model
from emonas.networks.streams import Stream
from emonas.networks.task_network import Head, TaskNetwork
from emonas.networks.transformers_encoder import TransformersEncoder
from emonas.networks.waveform_encoder import Depth

pytest.importorskip("transformers", reason="transformers is not installed")
BLOCKS, WIDTH = 3, 16
SIZES = {
    "num_hidden_layers": BLOCKS,
    "hidden_size": WIDTH,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8,) * 7,
}
LENGTHS = (2000, 5000, 300, 5000)


def model(kind="wav2vec2", **changes):
    torch.manual_seed(3)
    return random_speech_model(kind, {**SIZES, **changes})


def waveforms(lengths=LENGTHS, seed=1):
    generator = torch.Generator().manual_seed(seed)
    frames = torch.zeros(len(lengths), max(lengths), 1)
    for row, length in enumerate(lengths):
        frames[row, :length, 0] = 0.1 * torch.randn(length, generator=generator)
    return Stream(frames, torch.tensor(lengths))


@pytest.fixture(params=["wav2vec2", "hubert", "wavlm", "whisper"])
def make(request):
    """Makes an encoder of each kind at a depth."""
    if request.param != "whisper":
        return lambda depth: TransformersEncoder(model(request.param), depth, normalises=True)
    whisper = pytest.importorskip("whisper.model", reason="openai-whisper is not installed")
    from emonas.networks.whisper_encoder import TunedWhisperEncoder

    def of_whisper(depth):
        torch.manual_seed(3)
        return TunedWhisperEncoder(whisper.AudioEncoder(80, 1500, WIDTH, 2, BLOCKS), depth, 0.4)

    return of_whisper


def test_a_model_of_transformers_gives_what_transformers_gives():
    """Utterance by utterance through the model itself, after its own normaliser."""
    from transformers import Wav2Vec2FeatureExtractor

    whole = model()
    encoder = TransformersEncoder(copy.deepcopy(whole), Depth(lower=2), normalises=True).eval()
    stream = waveforms()
    with torch.no_grad():
        encoded = encoder(stream)
    normaliser = Wav2Vec2FeatureExtractor()
    for row, length in enumerate(LENGTHS):
        samples = normaliser(
            stream.frames[row, :length, 0].numpy(), sampling_rate=16000
        ).input_values[0]
        samples = np.pad(samples, (0, max(0, 400 - length)))
        with torch.no_grad():
            expected = whole.eval()(torch.tensor(samples)[None], output_hidden_states=True)
        frames = int(encoded.lengths[row])
        assert frames == expected.last_hidden_state.shape[1]
        torch.testing.assert_close(
            encoded.last[row, :frames], expected.last_hidden_state[0], atol=1e-4, rtol=1e-3
        )
        torch.testing.assert_close(
            encoded.lower[row, :frames], expected.hidden_states[2][0], atol=1e-4, rtol=1e-3
        )


def test_whisper_gives_what_whisper_gives_over_its_whole_context():
    whisper = pytest.importorskip("whisper.model", reason="openai-whisper is not installed")
    from whisper.audio import log_mel_spectrogram

    from emonas.networks.whisper_encoder import TunedWhisperEncoder

    torch.manual_seed(3)
    whole = whisper.AudioEncoder(80, 1500, WIDTH, 2, BLOCKS).eval()
    stream = waveforms((48000, 16000))
    encoder = TunedWhisperEncoder(copy.deepcopy(whole), Depth(), 30).eval()
    with torch.no_grad():
        encoded = encoder(stream)
        for row, length in enumerate((48000, 16000)):
            samples = nn.functional.pad(stream.frames[row, :length, 0], (0, 480000 - length))
            expected = whole(log_mel_spectrogram(samples)[None])[0]
            assert int(encoded.lengths[row]) == length // 320
            torch.testing.assert_close(encoded.last[row], expected, atol=1e-4, rtol=1e-3)


def test_the_others_of_a_batch_change_nothing(make):
    encoder = make(Depth(lower=1)).eval()
    stream = waveforms()
    with torch.no_grad():
        together = encoder(stream)
        for row, length in enumerate(LENGTHS):
            alone = encoder(Stream(stream.frames[row : row + 1, :length], torch.tensor([length])))
            frames = int(together.lengths[row])
            assert frames == int(alone.lengths[0])
            for both, own in ((together.last, alone.last), (together.lower, alone.lower)):
                torch.testing.assert_close(
                    both[row, :frames], own[0, :frames], atol=2e-5, rtol=1e-3
                )


@pytest.mark.parametrize("frozen", range(BLOCKS + 1))
def test_what_is_frozen_stays_as_it_is_and_takes_no_part_in_the_backward_pass(make, frozen):
    encoder = make(Depth(frozen=frozen))
    network = TaskNetwork(encoder, {"emotion": Head(3)}, 0.0).train()
    blocks = encoder.model.encoder.layers if hasattr(encoder, "model") else encoder.encoder.blocks
    entered = []
    for block in blocks:
        block.register_forward_hook(
            lambda _, __, output: entered.append(output[0] if isinstance(output, tuple) else output)
        )
    before = copy.deepcopy(network.state_dict())
    learning = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(learning, lr=0.1)
    labels = torch.tensor([0, 1, 2, 0])
    nn.functional.cross_entropy(network(waveforms()).logits, labels).backward()
    optimiser.step()
    # Nothing below the highest frozen block has a place in the graph.
    assert [output.requires_grad for output in entered] == [
        number >= frozen for number in range(BLOCKS)
    ]
    moved = {
        name
        for name, tensor in network.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    for number in range(BLOCKS):
        here = [
            name for name in moved if f"layers.{number}." in name or f"blocks.{number}." in name
        ]
        assert bool(here) == (number >= frozen), (number, here)
    convolutions = ("feature_extractor", "conv1", "conv2", "positional_embedding")
    assert not [name for name in moved if any(part in name for part in convolutions)]
    if frozen:
        below = ("feature_projection", "pos_conv_embed")
        assert not [name for name in moved if any(part in name for part in below)]
    if frozen == BLOCKS:
        assert all(name.startswith("heads.") for name in moved)
    assert any(name.startswith("heads.") for name in moved)


def test_a_frozen_part_does_not_drop_anything_in_training(make):
    """Everything frozen, the encoder gives the same in training as in evaluation."""
    encoder = make(Depth(frozen=BLOCKS))
    trained = encoder.train()(waveforms()).last
    torch.testing.assert_close(trained, encoder.eval()(waveforms()).last, rtol=0, atol=0)


def test_recomputing_changes_memory_and_no_gradient(make):
    """The same random numbers in dropout, the same gradients, and fewer tensors kept."""
    found = []
    for recompute in (False, True):
        encoder = make(Depth(frozen=1, recompute=recompute)).train()
        kept = []
        torch.manual_seed(9)
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, kept=kept: kept.append(t.numel()) or t, lambda t: t
        ):
            loss = encoder(waveforms()).last.square().sum()
        loss.backward()
        gradients = [p.grad.clone() for p in encoder.parameters() if p.grad is not None]
        found.append((sum(kept), gradients))
    (much, plain), (little, again) = found
    assert little < much / 2
    assert len(plain) == len(again) > 0
    for one, other in zip(plain, again, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_with_the_skip_connection_upper_blocks_learn_gender_through_the_last_half_alone():
    """The head's gradient is taken apart by hand: with the lower half of its weights at zero the
    upper blocks get the very same gradient, and with the upper half at zero none at all.
    """
    torch.manual_seed(0)
    lower = 1
    encoder = TransformersEncoder(model(hidden_dropout=0.0), Depth(lower=lower), normalises=True)
    network = TaskNetwork(encoder, {"gender": Head(2, joined=True)}, 0.0).eval()
    labels = torch.tensor([0, 1, 1, 0])
    head = network.heads["gender"]
    whole = head.weight.detach().clone()
    assert whole.shape == (2, 2 * WIDTH)
    # Equal logits whatever the weights see, so that only the way back tells the halves apart.
    upper = encoder.model.encoder.layers[lower:].parameters()
    upper = list(upper)

    def gradient(mask):
        network.zero_grad()
        output = network(waveforms()).tasks["gender"].frames[:, 0]
        direction = torch.autograd.grad(
            nn.functional.cross_entropy(output, labels), output, retain_graph=True
        )[0].detach()
        with torch.no_grad():
            head.weight.copy_(whole * mask)
        again = network(waveforms()).tasks["gender"].frames[:, 0]
        (again * direction).sum().backward()
        with torch.no_grad():
            head.weight.copy_(whole)
        return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in upper]

    ones = torch.ones(2, WIDTH)
    both = gradient(torch.cat([ones, ones], dim=1))
    last_half = gradient(torch.cat([0 * ones, ones], dim=1))
    lower_half = gradient(torch.cat([ones, 0 * ones], dim=1))
    assert any(part.abs().max() > 0 for part in both)
    for one, other, none in zip(both, last_half, lower_half, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)
        assert not none.any()


def test_each_task_sees_the_mean_of_its_own_frames():
    encoder = TransformersEncoder(model(), Depth(lower=2), normalises=False).eval()
    heads = {
        "emotion": Head(4),
        "gender": Head(2, joined=True),
        "style": Head(2, reversal=1.0),
        "asr": Head(7, by_frame=True),
    }
    network = TaskNetwork(encoder, heads, 0.0).eval()
    stream = waveforms()
    with torch.no_grad():
        output, encoded = network(stream), encoder(stream)
    for row, frames in enumerate(encoded.lengths.tolist()):
        last = encoded.last[row, :frames].mean(dim=0)
        both = torch.cat([encoded.lower[row, :frames].mean(dim=0), last])
        torch.testing.assert_close(output.embedding[row], last, atol=1e-5, rtol=1e-4)
        for logits, task, seen in (
            (output.logits[row], "emotion", last),
            (output.tasks["gender"].frames[row, 0], "gender", both),
            (output.tasks["style"].frames[row, 0], "style", last),
        ):
            head = network.heads[task]
            torch.testing.assert_close(logits, head.weight @ seen + head.bias, atol=1e-5, rtol=1e-4)
        spelt = output.tasks["asr"]
        assert int(spelt.lengths[row]) == frames
        torch.testing.assert_close(
            spelt.frames[row, :frames],
            encoded.last[row, :frames] @ network.heads["asr"].weight.T + network.heads["asr"].bias,
            atol=1e-5,
            rtol=1e-4,
        )
