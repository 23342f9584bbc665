import pytest
import torch

from emonas.kinds import kind_options
from emonas.networks.streams import Stream
from emonas.search.named_recipes import named_recipe
from emonas.storage.genotype import CellsGenotype, Edge, RecurrentGenotype
from emonas.systems.building import build_network, build_searched
from emonas.systems.shapes import NetworkShape

KEPT = ("sep_conv_3x3", "dil_conv_5x5", "max_pool_3x3", "avg_pool_3x3")
EDGES = tuple(
    Edge(node=number // 2, source=number % 2, operation=name) for number, name in enumerate(KEPT)
)
CELLS = CellsGenotype(method="t", channels=2, cells=3, nodes=2, normal=EDGES, reduction=EDGES)
LSTM = RecurrentGenotype(method="t", name="lstm", recipe=named_recipe("lstm"))
VARIABLE = [
    ({"network": "recurrent", "hidden": 5, "layers": 2}, LSTM),
    ({"network": "recurrent", "hidden": 5, "cell": "lstm"}, None),
    ({"network": "linear"}, None),
]
BASELINES = [
    {"network": "cnn-lstm", "channels": [3, 4], "hidden": 5},
    {"network": "cnn-gru", "channels": [3, 4], "hidden": 5, "dense": 6},
    {"network": "rnn-elm", "hidden": 5},
    {"network": "ctc-rnn", "hidden": 5},
    {"network": "ctc-rnn", "hidden": 5, "labels": 3},
]
SMALL = {"heads": 2, "head_width": 3}
GRUS = {**SMALL, "hidden": 5, "layers": 2}
EQUAL = [
    {"network": "rnn-mhsa", "inputs": ["f"], **GRUS},
    {"network": "wf-rnn", **GRUS},
    {"network": "ef-rnn", **GRUS},
    {"network": "lf-rnn", **GRUS},
    {"network": "lf-rnn", "second": True, **GRUS},
    {"network": "cta", **SMALL},
    {"network": "cta-rnn", **GRUS},
]
FIXED = [
    ({"network": "cells"}, CELLS, build_network),
    ({"network": "cells"}, CELLS, build_searched),
    ({"network": "resnet", "blocks": [1, 1]}, None, build_network),
]


def network(values, genotype, build=build_network):
    torch.manual_seed(2)
    options = kind_options("network", {"inputs": ["f"], **values})
    made = build(options, genotype, NetworkShape((8,), 4))
    for tensor in made.buffers():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)  # so that statistics of batch norms count
    return made.eval()


def compare(made, frames, lengths, padding):
    longest = max(lengths) + padding
    together = torch.zeros(len(lengths), longest, frames.shape[2])
    for row, length in enumerate(lengths):
        together[row, :length] = frames[row, :length]
    with torch.no_grad():
        batch = made(Stream(together, torch.tensor(lengths)))
        for row, length in enumerate(lengths):
            alone = made(Stream(frames[row : row + 1, :length], torch.tensor([length])))
            torch.testing.assert_close(alone.logits[0], batch.logits[row], rtol=0, atol=1e-5)
            torch.testing.assert_close(alone.embedding[0], batch.embedding[row], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("values", "genotype"), VARIABLE)
def test_padding_and_company_change_nothing(values, genotype):
    made = network(values, genotype)
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        lengths = torch.randint(1, 20, (6,), generator=generator).tolist()
        padding = int(torch.randint(0, 40, (1,), generator=generator))
        compare(made, torch.randn(6, 20, 8, generator=generator), lengths, padding)


@pytest.mark.parametrize(("values", "genotype", "build"), FIXED)
def test_company_changes_nothing_where_the_length_is_fixed(values, genotype, build):
    made = network(values, genotype, build)
    compare(made, torch.randn(5, 21, 8), [21] * 5, 0)


def padded(frames, lengths, padding):
    """Streams of whole batch and of each utterance alone; the padding holds what must not count."""
    rows = torch.full((len(lengths), max(lengths) + padding, frames.shape[2]), 9.0)
    for row, length in enumerate(lengths):
        rows[row, :length] = frames[row, :length]
    alone = [
        Stream(frames[row : row + 1, :length], torch.tensor([length]))
        for row, length in enumerate(lengths)
    ]
    return Stream(rows, torch.tensor(lengths)), alone


def compare_streams(made, pairs):
    with torch.no_grad():
        batch = made(*(together for together, _ in pairs))
        for row in range(len(batch.logits)):
            single = made(*(alone[row] for _, alone in pairs))
            torch.testing.assert_close(single.logits[0], batch.logits[row], rtol=0, atol=1e-5)
            torch.testing.assert_close(single.embedding[0], batch.embedding[row], rtol=0, atol=1e-5)


def attentive(values, widths):
    torch.manual_seed(2)
    options = kind_options("network", {"inputs": ["f"] * len(widths), **values})
    return build_network(options, None, NetworkShape(widths, 4)).eval()


@pytest.mark.parametrize("values", EQUAL)
def test_padding_and_company_change_nothing_over_several_streams(values):
    streams = len(values.get("inputs", "abc"))
    made = attentive(values, (8,) * streams)
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        lengths = torch.randint(1, 20, (6,), generator=generator).tolist()
        padding = int(torch.randint(0, 40, (1,), generator=generator))
        frames = torch.randn(streams, 6, 20, 8, generator=generator)
        compare_streams(made, [padded(stream, lengths, padding) for stream in frames])


@pytest.mark.parametrize("values", BASELINES)
def test_padding_and_company_change_nothing_of_the_baselines(values):
    made = network(values, None)
    if values["network"] == "rnn-elm":
        made.solved.fill_(value=True)  # so that the machine answers
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        lengths = torch.randint(1, 20, (6,), generator=generator).tolist()
        padding = int(torch.randint(0, 40, (1,), generator=generator))
        frames = torch.randn(6, 20, 8, generator=generator)
        compare_streams(made, [padded(frames, lengths, padding)])


@pytest.mark.parametrize("second", [False, True])
def test_late_fusion_hears_streams_of_other_lengths_and_widths(second):
    made = attentive({"network": "lf-rnn", "second": second, **GRUS}, (8, 3, 5))
    generator = torch.Generator().manual_seed(1)
    pairs = [
        padded(torch.randn(4, 30, width, generator=generator), lengths, padding)
        for width, lengths, padding in (
            (8, [3, 30, 1, 7], 0),
            (3, [1, 2, 1, 5], 4),
            (5, [9, 9, 9, 9], 17),
        )
    ]
    compare_streams(made, pairs)
