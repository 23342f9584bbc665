import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from emonas.networks.pooling import AttentionPooling
from emonas.networks.recipes import RecipeLayer, RecipeLayers
from emonas.report.figures.cells import draw_genotype
from emonas.search.named_recipes import named_recipe
from emonas.search.random_recipe import draw_recipe
from emonas.search.recipe_archive import read_archive
from emonas.storage.genotype import RecipeNode, RecurrentGenotype, recipe_order, recipe_states

ARCHIVE = (
    Path(__file__).parents[2].parent / "shared" / "nas_bench_nlp" / "train_logs_wikitext-2.zip"
)
needs_archive = pytest.mark.skipif(not ARCHIVE.exists(), reason="the archive is not here")


def matrices(layer, node, source):
    """The matrices by which `node` takes `source`; views, so that they can be written."""
    stacked = layer.weights[layer.sources.index(source)]
    rows = stacked.split(layer.hidden)
    return [part for place, part in zip(layer.places[source], rows, strict=True) if place == node]


def matrix(layer, node, source):
    (only,) = matrices(layer, node, source)
    return only


def bias(layer, node):
    return layer.biases[layer.linear_nodes.index(node)]


def layers_of(recipe, *shape, dtype=torch.float32):
    torch.manual_seed(0)
    return RecipeLayers(recipe, *shape).to(dtype)


@torch.no_grad()
def copy_gates(module, network, gates, hidden):
    """Copy torch's weights; `gates` are the linear nodes in torch's order of rows."""
    for number, layer in enumerate(network.cells):
        rows = torch.arange(len(gates) * hidden).split(hidden)
        for node, part in zip(gates, rows, strict=True):
            matrix(layer, node, "x").copy_(getattr(module, f"weight_ih_l{number}")[part])
            matrix(layer, node, "h_prev_0").copy_(getattr(module, f"weight_hh_l{number}")[part])
            both = getattr(module, f"bias_ih_l{number}") + getattr(module, f"bias_hh_l{number}")
            bias(layer, node).copy_(both[part])


def close(found, wanted, dtype):
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(found, wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(
    ("name", "kind", "gates"),
    [
        ("rnn", nn.RNN, ["sum"]),
        ("lstm", nn.LSTM, ["input", "forget", "candidate", "output"]),
    ],
)
def test_rnn_and_lstm_are_torchs(name, kind, gates, layers, dtype):
    network = layers_of(named_recipe(name), 6, 8, layers, dtype=dtype)
    module = kind(6, 8, layers, batch_first=True).to(dtype)
    copy_gates(module, network, gates, 8)
    frames = torch.randn(4, 50, 6, dtype=dtype)
    close(network(frames), module(frames)[0], dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layers", [1, 3])
def test_gru_is_torchs(layers, dtype):
    network = layers_of(named_recipe("gru"), 6, 8, layers, dtype=dtype)
    module = nn.GRU(6, 8, layers, batch_first=True).to(dtype)
    with torch.no_grad():
        for number, layer in enumerate(network.cells):
            x = getattr(module, f"weight_ih_l{number}").chunk(3)
            h = getattr(module, f"weight_hh_l{number}").chunk(3)
            x_bias = getattr(module, f"bias_ih_l{number}").chunk(3)
            h_bias = getattr(module, f"bias_hh_l{number}").chunk(3)
            for part, node in enumerate(["reset", "update"]):
                matrix(layer, node, "x").copy_(x[part])
                matrix(layer, node, "h_prev_0").copy_(h[part])
                bias(layer, node).copy_(x_bias[part] + h_bias[part])
            matrix(layer, "candidate_x", "x").copy_(x[2])
            bias(layer, "candidate_x").copy_(x_bias[2])
            matrix(layer, "candidate_h", "h_prev_0").copy_(h[2])
            bias(layer, "candidate_h").copy_(h_bias[2])
    frames = torch.randn(4, 50, 6, dtype=dtype)
    close(network(frames), module(frames)[0], dtype)


@needs_archive
def test_the_archives_gru_is_torchs_where_reset_and_projection_commute():
    """It applies the reset gate before the hidden projection: a diagonal one without bias is the
    same function either way, whatever the gate does.
    """
    recipe = next(
        entry for entry in read_archive(ARCHIVE).recipes if entry.name == "1000002"
    ).recipe
    network = layers_of(recipe, 6, 8, 1)
    (layer,) = network.cells
    module = nn.GRU(6, 8, batch_first=True)
    with torch.no_grad():
        module.weight_hh_l0[16:] = torch.diag(torch.randn(8))
        module.bias_hh_l0[16:] = 0
        both = module.bias_ih_l0 + module.bias_hh_l0
        for part, (node, state) in enumerate(
            [("r", "h_prev_0"), ("z", "h_prev_0"), ("h_tilde", "rh")]
        ):
            rows = slice(8 * part, 8 * part + 8)
            matrix(layer, node, "x").copy_(module.weight_ih_l0[rows])
            matrix(layer, node, state).copy_(module.weight_hh_l0[rows])
            bias(layer, node).copy_(both[rows])
    frames = torch.randn(4, 50, 6)
    close(network(frames), module(frames)[0], torch.float32)


def walk(layer, recipe, frames):
    """The equations, one utterance, step and node at a time, looked up by name."""
    simple = {
        "activation_tanh": lambda a: a.tanh(),
        "activation_sigm": lambda a: 1 / (1 + (-a).exp()),
        "activation_leaky_relu": lambda a: torch.where(a > 0, a, 0.01 * a),
        "blend": lambda a, b, c: a * b + (1 - a) * c,
        "elementwise_sum": lambda *inputs: torch.stack(inputs).sum(0),
        "elementwise_prod": lambda *inputs: torch.stack(inputs).prod(0),
    }
    outputs = []
    for utterance in frames:
        states = [torch.zeros(layer.hidden, dtype=frames.dtype)] * recipe_states(recipe)
        steps = []
        for x in utterance:
            values = {f"h_prev_{number}": state for number, state in enumerate(states)}
            for name in recipe_order(recipe):
                inputs = recipe[name].input
                if recipe[name].op == "linear":
                    values[name] = bias(layer, name) + sum(
                        each @ (x if source == "x" else values[source])
                        for source in set(inputs)
                        for each in matrices(layer, name, source)
                    )
                else:
                    wide = x if layer.widen is None else layer.widen(x)
                    taken = [wide if source == "x" else values[source] for source in inputs]
                    values[name] = simple[recipe[name].op](*taken)
            states = [values[f"h_new_{number}"] for number in range(len(states))]
            steps.append(states[0])
        outputs.append(torch.stack(steps))
    return torch.stack(outputs)


def assert_walks(recipe, width=5, hidden=7):
    network = layers_of(recipe, width, hidden, 2, dtype=torch.float64)
    frames = torch.randn(2, 6, width, dtype=torch.float64)
    with torch.no_grad():
        wanted = frames
        for layer in network.cells:
            wanted = walk(layer, recipe, wanted)
        torch.testing.assert_close(network(frames), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_random_recipes_are_their_equations(seed):
    assert_walks(draw_recipe(np.random.default_rng(seed), "drawn").recipe)


@needs_archive
def test_archived_recipes_are_their_equations():
    for entry in read_archive(ARCHIVE).recipes[::17]:
        assert_walks(entry.recipe)


@needs_archive
def test_archived_recipes_have_the_published_number_of_weights():
    """NAS-Bench-NLP's language model: 33,278 words, tied embeddings of 400 and a bias a word, three
    layers of 400-600-600-400.
    """
    with zipfile.ZipFile(ARCHIVE) as file:
        for entry in file.namelist()[::5]:
            log = json.loads(file.read(entry))
            nodes = {k: RecipeNode(**node) for k, node in json.loads(log["recepie"]).items()}
            count = 33278 * 401
            with torch.device("meta"):
                for width, hidden in [(400, 600), (600, 600), (600, 400)]:
                    layer = RecipeLayer(nodes, width, hidden)
                    count += sum(weight.numel() for weight in layer.parameters())
            assert count == log["num_params"], entry


def node(operation, *inputs):
    return RecipeNode(op=operation, input=inputs)


DIRECT = {
    "gate": node("linear", "x", "h_prev_0", "h_prev_0"),
    "seen": node("elementwise_prod", "x", "gate", "h_prev_1"),
    "more": node("elementwise_sum", "x", "seen", "gate"),
    "h_new_1": node("activation_tanh", "x"),
    "h_new_0": node("blend", "h_new_1", "more", "x"),
}


@pytest.mark.parametrize(("width", "maps"), [(7, False), (5, True)])
def test_nodes_that_are_not_linear_read_the_frame(width, maps):
    network = layers_of(DIRECT, width, 7, 2)
    assert [cell.widen is not None for cell in network.cells] == [maps, False]
    assert_walks(DIRECT, width)


def test_a_recipe_may_name_nodes_as_it_likes():
    assert_walks(
        {
            "keys": node("linear", "x", "h_prev_0"),
            "a.b": node("linear", "keys"),
            "h_new_0": node("activation_tanh", "a.b"),
        }
    )


@pytest.mark.parametrize("seed", range(10))
def test_every_weight_learns(seed):
    """Not through a dead part of the recipe: the sum of squares has a gradient in each."""
    recipe = draw_recipe(np.random.default_rng(seed), "drawn").recipe
    network = layers_of(recipe, 5, 7, 2, dtype=torch.float64)
    network(torch.randn(3, 6, 5, dtype=torch.float64)).square().sum().backward()
    for weight in network.parameters():
        assert weight.grad.abs().max() > 0


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_padding_and_neighbours_change_nothing(name):
    network = layers_of(named_recipe(name), 5, 7, 2)
    short, long = torch.randn(9, 5), torch.randn(20, 5)
    padded = torch.stack([torch.cat([short, torch.zeros(11, 5)]), long])
    alone = network(short[None])
    torch.testing.assert_close(network(padded)[:1, :9], alone)
    pooling = AttentionPooling(7)
    mask = torch.arange(20)[None] < torch.tensor([[9], [20]])
    whole = torch.ones(1, 9, dtype=torch.bool)
    torch.testing.assert_close(pooling(network(padded), mask)[:1], pooling(alone, whole))


def test_a_cell_that_overflows_on_padding_leaves_the_utterance_alone():
    growing = {
        "a": node("linear", "x", "h_prev_0"),
        "h_new_0": node("elementwise_sum", *["h_prev_0"] * 4, "a"),
    }
    network, pooling = layers_of(growing, 5, 7, 1), AttentionPooling(7)
    short = torch.randn(1, 3, 5)
    padded = network(torch.cat([short, torch.zeros(1, 97, 5)], dim=1))
    assert not padded.isfinite().all()
    mask = torch.arange(100)[None] < 3
    found = pooling(padded, mask)
    torch.testing.assert_close(found, pooling(network(short), mask[:, :3]))


def test_initial_weights_fill_the_interval_of_torchs_rnn():
    network = layers_of(named_recipe("lstm"), 40, 64, 1)
    bound = 1 / math.sqrt(64)
    for weight in network.parameters():
        assert weight.abs().max() <= bound
        assert weight.abs().max() > 0.95 * bound
        assert abs(weight.mean()) < 0.1 * bound


@pytest.mark.parametrize("odd", ["h_new_00", "h_new_\u00b2", "h_new_\u0661"])
def test_a_node_that_is_named_like_a_state_is_computed_and_drawn(tmp_path, odd):
    recipe = {
        odd: RecipeNode(op="linear", input=("x", "h_prev_0")),
        "h_new_0": RecipeNode(op="activation_tanh", input=(odd,)),
    }
    plain = {
        "f": recipe[odd],
        "h_new_0": RecipeNode(op="activation_tanh", input=("f",)),
    }
    frames = torch.rand(2, 3, 4)
    outputs = []
    for nodes in (recipe, plain):
        torch.manual_seed(0)
        outputs.append(RecipeLayer(nodes, 4, 5)(frames))
    assert torch.equal(*outputs)
    draw_genotype(RecurrentGenotype(method="a", name="b", recipe=recipe), tmp_path / "cell.svg")
    assert (tmp_path / "cell.svg").stat().st_size
