import numpy as np
import pytest
import torch

from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.learning.batches import Examples
from emonas.networks.streams import Stream
from emonas.systems.building import build_network, count_parameters
from emonas.systems.outputs import network_cost
from emonas.systems.shapes import NetworkShape

BLOCKS = (512,) * 12
KINDS = ("rnn-mhsa", "wf-rnn", "ef-rnn", "lf-rnn", "cta", "cta-rnn")


def options(kind, streams, **values):
    inputs = [f"feature{number}" for number in range(streams)]
    return kind_options("network", {"network": kind, "inputs": inputs, **values})


def build(kind, widths, classes=4, **values):
    return build_network(options(kind, len(widths), **values), None, NetworkShape(widths, classes))


def gru(width, hidden=256, layers=2):
    """Three gates, two directions, two biases; a layer above hears both directions."""
    return sum(
        2 * 3 * hidden * ((2 * hidden if layer else width) + hidden + 2) for layer in range(layers)
    )


def attention(width, heads=8, head_width=64, directions=1):
    """A query and a key map a head and direction of attention, and one value map a head."""
    return heads * (directions * (head_width + head_width * width) + head_width * width)


def linear(width, classes=4):
    return (width + 1) * classes


@pytest.mark.parametrize("width", [512, 1024, 80])
def test_weights_of_rnn_mhsa(width):
    wanted = gru(width) + attention(512) + linear(512)
    assert count_parameters(build("rnn-mhsa", (width,))) == wanted


@pytest.mark.parametrize(
    ("kind", "widths", "wanted"),
    [
        ("wf-rnn", BLOCKS, 12 + gru(512) + attention(512) + linear(512)),
        ("ef-rnn", BLOCKS, gru(6144) + attention(512) + linear(512)),
        ("lf-rnn", BLOCKS, 12 * (gru(512) + attention(512)) + linear(12 * 512)),
        ("lf-rnn", (80, 1024), gru(80) + gru(1024) + 2 * attention(512) + linear(1024)),
        ("cta", BLOCKS, attention(512, directions=2) + linear(512)),
        ("cta-rnn", BLOCKS, 12 * gru(512) + attention(512, directions=2) + linear(512)),
    ],
)
def test_weights_of_the_fusions(kind, widths, wanted):
    assert count_parameters(build(kind, widths)) == wanted


def test_weights_of_late_fusion_by_the_word():
    wanted = 12 * (gru(512) + attention(512)) + gru(512) + attention(512) + linear(512)
    assert count_parameters(build("lf-rnn", BLOCKS, second=True)) == wanted


FRAMES, WIDTH, HIDDEN, HEADS, HEAD = 11, 6, 4, 2, 3
SMALL = {"heads": HEADS, "head_width": HEAD}
GRUS = {**SMALL, "hidden": HIDDEN, "layers": 2}


def gru_macs(width, frames=FRAMES):
    return frames * sum(2 * 3 * HIDDEN * (w + HIDDEN) for w in (width, 2 * HIDDEN))


def scores(width, steps):
    """W_Q W_K, and its product with every step."""
    return HEADS * HEAD * width + steps * HEADS * width


def attention_macs(width, frames=FRAMES):
    return scores(width, frames) + HEADS * frames * width + HEADS * HEAD * width


def channel_macs(width, blocks=3):
    """Mean over frames, scores of blocks and of frames, both sums, values."""
    anchor = blocks * FRAMES * width
    sums = blocks * HEADS * FRAMES * width + HEADS * blocks * width
    return anchor + scores(width, blocks) + scores(width, FRAMES) + sums + HEADS * HEAD * width


@pytest.mark.parametrize(
    ("kind", "streams", "macs"),
    [
        ("rnn-mhsa", 1, gru_macs(WIDTH) + attention_macs(2 * HIDDEN)),
        ("wf-rnn", 3, 3 * FRAMES * WIDTH + gru_macs(WIDTH) + attention_macs(2 * HIDDEN)),
        ("ef-rnn", 3, gru_macs(3 * WIDTH) + attention_macs(2 * HIDDEN)),
        ("cta", 3, channel_macs(WIDTH)),
        ("cta-rnn", 3, 3 * gru_macs(WIDTH) + channel_macs(2 * HIDDEN)),
    ],
)
def test_multiply_accumulates(kind, streams, macs):
    network = build(kind, (WIDTH,) * streams, **(SMALL if kind == "cta" else GRUS))
    values = [np.zeros((FRAMES, WIDTH), np.float32)] * 2
    example = Examples((values,) * streams, np.zeros(2, np.int64))
    assert network_cost(network, example, None).macs == macs + HEADS * HEAD * 4


@pytest.mark.parametrize("second", [False, True])
def test_multiply_accumulates_of_late_fusion(second):
    network = build("lf-rnn", (6, 3), **GRUS, second=second)
    streams = [[np.zeros((frames, width), np.float32)] for frames, width in ((11, 6), (5, 3))]
    example = Examples(tuple(streams), np.zeros(1, np.int64))
    vector = HEADS * HEAD
    wanted = gru_macs(6, 11) + gru_macs(3, 5) + attention_macs(8, 11) + attention_macs(8, 5)
    wanted += 4 * vector if second else 4 * 2 * vector
    if second:
        wanted += gru_macs(vector, 2) + attention_macs(8, 2)
    assert network_cost(network, example, None).macs == wanted


@pytest.mark.parametrize("kind", ["wf-rnn", "cta", "cta-rnn"])
@pytest.mark.parametrize("widths", [(8,), (8, 4), (8, 8, 4)])
def test_blocks_of_other_widths_or_one_alone_are_told(kind, widths):
    with pytest.raises(EmonasError, match=rf"inputs: {kind} hears two or more streams of one"):
        build(kind, widths)


def test_several_streams_are_told_where_one_is_heard():
    with pytest.raises(EmonasError, match=r"inputs: rnn-mhsa hears one stream, not 2"):
        build("rnn-mhsa", (8, 8))


@pytest.mark.parametrize("kind", ["wf-rnn", "ef-rnn", "cta", "cta-rnn"])
@pytest.mark.parametrize("lengths", [(5, 4), (5, 5)])
def test_blocks_of_other_lengths_are_told(kind, lengths):
    network = build(kind, (8, 8))
    first = Stream(torch.zeros(2, 5, 8), torch.tensor([5, 4]))
    other = Stream(torch.zeros(2, 5 if lengths == (5, 5) else 6, 8), torch.tensor(lengths))
    with pytest.raises(EmonasError, match="different frame rates"):
        network(first, other)


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_the_papers(kind):
    found = options(kind, 2)
    assert (found.heads, found.head_width) == (8, 64)
    training = found.training
    assert (training.epochs, training.batch, training.optimiser) == (50, 32, "adam")
    assert (training.learning_rate, training.schedule) == (1e-3, "plateau")
    assert (training.plateau_epochs, training.select) == (10, "validation_loss")
    if kind == "cta":
        assert not {"hidden", "layers", "dropout"} & set(type(found).model_fields)
    else:
        assert (found.hidden, found.layers, found.dropout) == (256, 2, 0.3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("option", ["dropout", "input_dropout", "output_dropout"])
def test_each_dropout_acts_in_training_only(kind, option):
    if kind == "cta" and option == "dropout":
        return
    torch.manual_seed(3)
    none = {} if kind == "cta" else {**GRUS, "dropout": 0.0}
    widths = (8,) if kind == "rnn-mhsa" else (8, 8)
    network = build(kind, widths, **{**SMALL, **none, option: 0.5})
    streams = [Stream(torch.randn(4, 5, 8), torch.tensor([5, 5, 3, 1])) for _ in widths]
    with torch.no_grad():
        assert not torch.equal(network(*streams).logits, network(*streams).logits)
        network.eval()
        assert torch.equal(network(*streams).logits, network(*streams).logits)


def test_weighted_fusion_is_the_mean_by_the_softmax_of_its_scores():
    torch.manual_seed(4)
    network = build("wf-rnn", (8, 8, 8), **GRUS).eval()
    with torch.no_grad():
        network.body.scores.copy_(torch.tensor([0.3, -1.0, 2.0]))
    streams = [Stream(torch.randn(2, 5, 8), torch.tensor([5, 2])) for _ in range(3)]
    shares = np.exp([0.3, -1.0, 2.0]) / np.exp([0.3, -1.0, 2.0]).sum()
    mean = sum(float(w) * stream.frames for w, stream in zip(shares, streams, strict=True))
    wanted = network.body.body(Stream(mean, streams[0].lengths))
    torch.testing.assert_close(network(*streams).embedding, wanted, rtol=0, atol=1e-6)
