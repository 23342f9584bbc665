import numpy as np
import pytest
import torch

from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.networks.dropout import FrameSharedDropout
from emonas.networks.streams import Stream
from emonas.systems.building import build_network, count_parameters
from emonas.systems.shapes import NetworkShape

LENGTHS = (9, 1, 23, 4)


def network(cell, width=6, hidden=8, layers=1, **options):
    torch.manual_seed(3)
    values = {"network": "recurrent", "inputs": ["f"], "cell": cell, "hidden": hidden}
    options = kind_options("network", {**values, "layers": layers, **options})
    widths = (width,) if isinstance(width, int) else width
    return build_network(options, None, NetworkShape(widths, 4)).eval()


def weights_by_hand(gates, layers, width=512, hidden=512, classes=4):
    """torch's cells have two biases a gate; then the attention's score and the classifier."""
    total = 0
    for layer in range(layers):
        total += gates * hidden * ((hidden if layer else width) + hidden + 2)
    return total + (hidden + 1) + (hidden + 1) * classes


@pytest.mark.parametrize(
    ("cell", "gates", "layers", "exact", "printed"),
    [
        ("rnn", 1, 1, 527_877, "0.53"),
        ("rnn", 1, 2, 1_053_189, "1.05"),
        ("lstm", 4, 1, 2_103_813, "2.10"),
        ("lstm", 4, 2, 4_205_061, "4.21"),
    ],
)
def test_the_published_sizes(cell, gates, layers, exact, printed):
    """EmotionNAS v2, table 3: H512 over wav2vec's 512 features, four classes."""
    found = count_parameters(network(cell, 512, 512, layers))
    assert found == weights_by_hand(gates, layers) == exact
    assert f"{found / 1e6:.2f}" == printed


def test_an_rnn_is_the_recurrence():
    net = network("rnn")
    frames = torch.randn(1, 5, 6)
    cells = net.body.cells
    state = torch.zeros(8)
    states = []
    for frame in frames[0]:
        fresh = cells.weight_ih_l0 @ frame + cells.bias_ih_l0
        state = torch.tanh(fresh + cells.weight_hh_l0 @ state + cells.bias_hh_l0)
        states.append(state)
    scores = torch.stack([net.pooling.score(state)[0] for state in states]).softmax(dim=0)
    embedding = sum(score * state for score, state in zip(scores, states, strict=True))
    output = net(Stream(frames, torch.tensor([5])))
    torch.testing.assert_close(output.embedding[0], embedding, rtol=0, atol=1e-6)
    torch.testing.assert_close(output.logits[0], net.classifier(embedding), rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("padding", [0, 17])
def test_an_utterance_alone_gives_what_it_gives_in_a_batch(cell, layers, padding):
    net = network(cell, layers=layers)
    frames = torch.zeros(len(LENGTHS), max(LENGTHS) + padding, 6)
    for row, length in enumerate(LENGTHS):
        frames[row, :length] = torch.randn(length, 6)
    together = net(Stream(frames, torch.tensor(LENGTHS)))
    for row, length in enumerate(LENGTHS):
        alone = net(Stream(frames[row : row + 1, :length], torch.tensor([length])))
        torch.testing.assert_close(alone.logits[0], together.logits[row], rtol=0, atol=1e-5)
        torch.testing.assert_close(alone.embedding[0], together.embedding[row], rtol=0, atol=1e-5)


def test_dropout_acts_in_training_only():
    net = network("gru", dropout=0.5)
    batch = Stream(torch.randn(2, 5, 6), torch.tensor([5, 5]))
    assert torch.equal(net(batch).logits, net(batch).logits)
    net.train()
    assert not torch.equal(net(batch).logits, net(batch).logits)


def test_several_inputs_stand_side_by_side_in_each_frame():
    net = network("gru", width=(6, 3))
    lengths = torch.tensor(LENGTHS)
    streams = [Stream(torch.randn(4, 23, width), lengths) for width in (6, 3)]
    joined = Stream(torch.cat([stream.frames for stream in streams], dim=2), lengths)
    torch.testing.assert_close(net(*streams).logits, net(joined).logits, rtol=0, atol=0)
    shorter = Stream(torch.randn(4, 22, 3), lengths.clamp_max(22))
    for other in (shorter, Stream(streams[1].frames, torch.tensor([9, 2, 23, 4]))):
        with pytest.raises(EmonasError, match="different frame rates"):
            net(streams[0], other)


def test_statistics_are_mean_and_deviation_of_the_states():
    net = network("gru", pooling="statistics")
    frames = torch.zeros(4, 23, 6)
    for row, length in enumerate(LENGTHS):
        frames[row, :length] = torch.randn(length, 6)
    output = net(Stream(frames, torch.tensor(LENGTHS)))
    for row, length in enumerate(LENGTHS):
        states = net.body(frames[row : row + 1, :length])[0].detach().numpy()
        expected = np.r_[states.mean(axis=0), np.maximum(states.std(axis=0), 1e-3)]
        np.testing.assert_allclose(output.embedding[row].detach(), expected, rtol=0, atol=1e-6)
    output.logits.sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in net.parameters())


def test_input_dropout_drops_the_same_features_at_every_frame():
    torch.manual_seed(5)
    dropout = FrameSharedDropout(0.3)
    frames = torch.rand(50, 7, 200) + 1
    dropped = dropout(frames)
    kept = dropped != 0
    assert (kept == kept[:, :1]).all()
    assert not (kept[0] == kept[1]).all()
    assert kept.float().mean().item() == pytest.approx(0.7, abs=0.02)
    torch.testing.assert_close(dropped[kept], frames[kept] / 0.7)
    assert torch.equal(dropout.eval()(frames), frames)
