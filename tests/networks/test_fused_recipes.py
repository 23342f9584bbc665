"""The compiled loop against a walk of the recipe, module by module (benchmarks)."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import plain_recipes
import pytest
import torch

from emonas.networks import recipes
from emonas.networks.fused_recipes import layer as fused
from emonas.networks.recipes import RecipeLayer, RecipeLayers
from emonas.search.named_recipes import CELL_NAMES, named_recipe
from emonas.search.random_recipe import draw_recipe
from emonas.storage.genotype import RecipeNode


def node(operation, *inputs):
    return RecipeNode(op=operation, input=inputs)


ODD = {
    "frame read by all": {
        "gate": node("linear", "x", "h_prev_0", "h_prev_0"),
        "seen": node("elementwise_prod", "x", "gate", "h_prev_1", "x"),
        "more": node("elementwise_sum", "x", "seen", "gate", "seen"),
        "act": node("activation_sigm", "x"),
        "h_new_1": node("activation_tanh", "more"),
        "h_new_0": node("blend", "act", "h_new_1", "x"),
    },
    "no linear node": {
        "h_new_0": node("elementwise_sum", "a", "h_prev_1"),
        "a": node("activation_leaky_relu", "x"),
        "h_new_1": node("elementwise_prod", "a", "a"),
    },
    "linear states": {
        "h_new_0": node("linear", "x", "h_prev_1"),
        "h_new_1": node("activation_tanh", "h_new_0"),
        "h_new_2": node("linear", "h_new_1", "h_new_1", "h_prev_2", "h_new_0"),
    },
    "linear node read twice": {
        "a": node("linear", "x"),
        "b": node("activation_leaky_relu", "a"),
        "c": node("activation_sigm", "a"),
        "d": node("linear", "b", "c"),
        "h_new_0": node("blend", "c", "c", "d"),
    },
}


def both(recipe, width, hidden, dtype=torch.float64):
    """Ours, fused, and the plain one with the same weights."""
    torch.manual_seed(0)
    ours = RecipeLayer(recipe, width, hidden, fused=True)
    plain = plain_recipes.PlainRecipeLayer(recipe, width, hidden)
    plain.take_weights(ours)
    return ours.to(dtype), plain.to(dtype)


def run(network, frames, slope):
    """Outputs, and the gradients of frames and of every weight by the names of ours."""
    frames = frames.detach().clone().requires_grad_(True)
    outputs = network(frames)
    network.zero_grad()
    outputs.backward(slope)
    return outputs, frames.grad


def gradient(weight):
    return torch.zeros_like(weight) if weight.grad is None else weight.grad


def results(ours, plain, batch, time, width, dtype=torch.float64):
    """Of both sides, by name."""
    torch.manual_seed(1)
    frames = torch.randn(batch, time, width, dtype=torch.float64).to(dtype)
    slope = torch.randn(batch, time, ours.hidden, dtype=torch.float64).to(dtype)
    outputs, to_frames = run(ours, frames, slope)
    found = {name: weight.grad for name, weight in ours.named_parameters()}
    found |= {"outputs": outputs, "frames": to_frames}
    outputs, to_frames = run(plain, frames, slope)
    wanted = plain.stacked(ours, gradient)
    return found, wanted | {"outputs": outputs, "frames": to_frames}


def distance(found, wanted):
    found, wanted = found.detach().double(), wanted.detach().double()
    return float((found - wanted).norm() / wanted.norm().clamp_min(1e-300))


def assert_equal(found, wanted):
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        given = torch.zeros_like(values) if found[name] is None else found[name]
        assert given.shape == values.shape
        assert distance(given, values) < 1e-9, name


@pytest.mark.parametrize("seed", range(50))
def test_random_recipes_compute_what_a_walk_computes(seed):
    recipe = draw_recipe(np.random.default_rng(seed), "drawn").recipe
    sides = both(recipe, 5 + seed % 3, 7 if seed % 2 else 33)
    assert_equal(*results(*sides, 1 + seed % 11, 20, 5 + seed % 3))


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(("width", "hidden"), [(7, 7), (5, 7), (40, 18)])
def test_odd_recipes_compute_what_a_walk_computes(name, width, hidden):
    sides = both(ODD[name], width, hidden)
    assert_equal(*results(*sides, 9, 18, width))


@pytest.mark.parametrize(
    ("batch", "time", "width", "hidden"),
    [(1, 1, 1, 1), (3, 16, 32, 64), (8, 33, 65, 31), (17, 15, 33, 48), (200, 2, 3, 5)],
)
@pytest.mark.parametrize("name", CELL_NAMES)
def test_any_size(name, batch, time, width, hidden):
    assert_equal(*results(*both(named_recipe(name), width, hidden), batch, time, width))


@pytest.mark.parametrize("name", CELL_NAMES)
def test_single_precision_is_no_further_off_than_the_plain_walks(name):
    """Twice its own distance from double precision."""
    size = 40, 64
    exact, _ = results(*both(named_recipe(name), *size), 8, 100, 40)
    found, plain = results(
        *both(named_recipe(name), *size, torch.float32), 8, 100, 40, torch.float32
    )
    for part, truth in exact.items():
        assert distance(found[part], truth) <= 2 * distance(plain[part], truth), part


def test_activations_of_single_precision_are_right_everywhere():
    values = torch.linspace(-100, 100, 400_001)
    values = torch.cat([values, torch.linspace(-1, 1, 100_001), torch.tensor([0.0, 1e-30, -1e-9])])
    for operation, function, size in (
        ("activation_tanh", torch.tanh, lambda truth: truth.abs()),
        ("activation_sigm", torch.sigmoid, lambda truth: truth.abs().clamp_min(1e-31)),
    ):
        network = RecipeLayer({"h_new_0": node(operation, "x")}, 1, 1, fused=True)
        truth = function(values.double())
        wrong = (network(values[None, :, None]).flatten().double() - truth).abs()
        assert (wrong <= 3e-7 * size(truth)).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_no_number_is_told(value, dtype):
    for operation in ("activation_tanh", "activation_sigm", "activation_leaky_relu"):
        recipe = {"a": node("linear", "x", "h_prev_0"), "h_new_0": node(operation, "a")}
        ours, plain = both(recipe, 3, 20, dtype)
        frames = torch.randn(2, 5, 3, dtype=dtype)
        frames[1, 3, 1] = value
        torch.testing.assert_close(ours(frames), plain(frames), equal_nan=True)


def test_the_number_of_threads_changes_nothing():
    """To the bit: parts of a batch are the same for any number."""
    ours, _ = both(named_recipe("lstm"), 12, 16, torch.float32)
    frames, slope = torch.randn(30, 20, 12), torch.randn(30, 20, 16)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            outputs, to_frames = run(ours, frames, slope)
            grads = [weight.grad.clone() for weight in ours.parameters()]
            found.append([outputs.detach(), to_frames, *grads])
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(one, two) for one, two in zip(found[0], other, strict=True))


def test_stacked_layers_and_a_second_way_back():
    torch.manual_seed(0)
    recipe = named_recipe("gru")
    ours = RecipeLayers(recipe, 5, 7, 3, fused=True).double()
    other = RecipeLayers(recipe, 5, 7, 3).double()
    other.load_state_dict(ours.state_dict())
    frames = torch.randn(4, 21, 5, dtype=torch.float64)
    total, wanted = ours(frames).square().sum(), other(frames).square().sum()
    for _ in range(2):
        total.backward(retain_graph=True)
        wanted.backward(retain_graph=True)
    for one, two in zip(ours.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-9, atol=1e-12)


def test_frames_of_any_strides_and_slopes_of_one_step():
    ours, plain = both(named_recipe("gru"), 6, 8)
    frames = torch.randn(10, 6, 4, dtype=torch.float64).permute(2, 0, 1)
    found, wanted = ours(frames), plain(frames)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)
    found[:, -1].sum().backward()
    wanted[:, -1].sum().backward()
    for name, values in plain.stacked(ours, gradient).items():
        torch.testing.assert_close(ours.get_parameter(name).grad, values, rtol=1e-9, atol=1e-12)


def test_it_is_used_where_it_says(monkeypatch):
    calls = []
    inner = fused.run_recipe
    monkeypatch.setattr(fused, "run_recipe", lambda *a: calls.append(1) or inner(*a))
    ours, _ = both(named_recipe("gru"), 6, 8, torch.float32)
    frames = torch.randn(3, 5, 6)
    ours(frames)
    with torch.no_grad():
        ours.eval()(frames)
    assert len(calls) == 2
    calls.clear()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours(frames)
    ours(frames[:0])
    ours.bfloat16()(frames.bfloat16())
    RecipeLayer(named_recipe("gru"), 6, 8)(frames)
    monkeypatch.setattr(recipes, "find_spec", lambda name: None)
    ours.float()(frames)
    assert not calls


def test_weights_that_do_not_learn():
    ours, _ = both(named_recipe("lstm"), 6, 8)
    frames = torch.randn(3, 5, 6, dtype=torch.float64)
    ours(frames).square().sum().backward()
    whole = ours.biases.grad.clone()
    ours.zero_grad()
    for weight in ours.weights:
        weight.requires_grad_(False)
    ours(frames).square().sum().backward()
    assert ours.weights[0].grad is None
    torch.testing.assert_close(ours.biases.grad, whole, rtol=1e-12, atol=0)


def test_a_padded_utterance_is_the_same_alone():
    ours, _ = both(named_recipe("lstm"), 5, 7, torch.float32)
    frames = torch.randn(2, 20, 5)
    alone = ours(frames[:1, :9])
    assert torch.equal(ours(frames)[:1, :9], alone)


def test_an_output_cannot_be_changed_in_place():
    """It stands where the way back reads it."""
    ours, _ = both(named_recipe("gru"), 5, 7, torch.float32)
    with pytest.raises(RuntimeError, match="modified inplace"):
        ours(torch.randn(2, 4, 5)).mul_(2)


def test_the_benchmark_runs(tmp_path):
    script = Path(plain_recipes.__file__).with_name("recipes.py")
    subprocess.run([sys.executable, script, "--small"], cwd=tmp_path, check=True)
    rows = [json.loads(path.read_text()) for path in (tmp_path / "results/bench").iterdir()]
    names = {row["name"] for row in rows}
    assert {"recipe-walk", "recipe-lstm", "recipe-random"} <= names
