import numpy as np
import pytest
import torch
from torch import nn

from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.learning.batches import Examples
from emonas.networks.streams import Output
from emonas.search.named_recipes import named_recipe
from emonas.storage.genotype import CellsGenotype, Edge, RecurrentGenotype
from emonas.systems.building import build_network, build_searched, count_parameters
from emonas.systems.outputs import network_cost
from emonas.systems.shapes import NetworkShape

EDGES = tuple(Edge(node=0, source=s, operation="sep_conv_3x3") for s in (0, 1))
CELLS = CellsGenotype(method="t", channels=2, cells=3, nodes=1, normal=EDGES, reduction=EDGES)
LSTM = RecurrentGenotype(method="t", name="lstm", recipe=named_recipe("lstm"))


class Small(nn.Module):
    """A convolution of 3 x 3 with stride 2, and a linear map of its mean."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 5, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(5)
        self.alphas = nn.Parameter(torch.zeros(7))
        self.fixed = nn.Parameter(torch.zeros(9), requires_grad=False)
        self.classifier = nn.Linear(5, 4)

    def forward(self, stream):
        image = self.norm(self.convolution(stream.frames[:, None]))
        embedding = image.mean(dim=(2, 3))
        return Output(self.classifier(embedding), embedding)


def one(frames, width):
    values = [np.zeros((frames, width), np.float32)] * 2
    return Examples((values,), np.zeros(2, np.int64))


def build(options, genotype=None, width=6, searched=False):
    chosen = kind_options("network", {"inputs": ["f"], **options})
    return (build_searched if searched else build_network)(
        chosen, genotype, NetworkShape((width,), 4)
    )


def test_macs_of_a_convolution_and_a_linear_map():
    network = Small().train()
    cost = network_cost(network, one(20, 10), 99)
    assert cost.macs == (20 // 2) * (10 // 2) * 5 * 9 + 5 * 4
    assert cost.derived == 5 * 9 + 2 * 5 + 5 * 4 + 4
    assert (cost.search, cost.example) == (99, [[20, 10]])
    assert network.classifier.weight.device.type == "cpu"


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
@pytest.mark.parametrize("layers", [1, 2])
def test_macs_of_recurrent_cells(cell, gates, layers):
    steps, width, hidden, classes = 11, 6, 8, 4
    network = build({"network": "recurrent", "cell": cell, "hidden": hidden, "layers": layers})
    per_step = gates * hidden * (width + hidden) + (layers - 1) * gates * hidden * 2 * hidden
    attention = 2 * steps * hidden  # the scores, and the weighted mean
    wanted = steps * per_step + attention + hidden * classes
    assert network_cost(network, one(steps, width), None).macs == wanted


def test_a_recipe_of_an_lstm_costs_what_torchs_does():
    options = {"network": "recurrent", "hidden": 8}
    found = network_cost(build(options, LSTM), one(11, 6), None).macs
    assert found == network_cost(build({**options, "cell": "lstm"}), one(11, 6), None).macs


def test_alphas_and_frozen_weights_are_not_counted():
    searched = build({"network": "cells"}, CELLS, searched=True)
    alphas = [p.numel() for name, p in searched.named_parameters() if "alphas" in name]
    assert alphas
    whole = sum(parameter.numel() for parameter in searched.parameters())
    assert count_parameters(searched) == whole - sum(alphas)


@pytest.mark.parametrize(
    ("options", "genotype"),
    [({"network": "cells"}, LSTM), ({"network": "recurrent"}, CELLS), ({"network": "cells"}, None)],
)
def test_a_genotype_of_another_kind_is_told(options, genotype):
    with pytest.raises(EmonasError, match=r"search: .* needs a genotype of .*choose another"):
        build(options, genotype)


@pytest.mark.parametrize("network", ["cells", "resnet"])
def test_several_streams_are_told_where_one_is_heard(network):
    chosen = kind_options("network", {"network": network, "inputs": ["a", "b"]})
    with pytest.raises(EmonasError, match=rf"inputs: {network} hears one stream, not 2"):
        build_network(chosen, CELLS, NetworkShape((4, 5), 4))
