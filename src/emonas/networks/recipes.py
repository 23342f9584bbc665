"""Recurrent cells from recipes in NAS-Bench-NLP's form (Klyuchnikov et al. 2020)."""

from collections.abc import Callable, Sequence
from functools import reduce
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear

from emonas.networks.fused_recipes.program import make_program
from emonas.storage.genotype import Recipe, recipe_order, recipe_states

OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "blend": lambda gate, first, second: gate * first + (1 - gate) * second,
    "elementwise_prod": lambda *inputs: reduce(torch.mul, inputs),
    "elementwise_sum": lambda *inputs: reduce(torch.add, inputs),
    "activation_tanh": torch.tanh,
    "activation_sigm": torch.sigmoid,
    "activation_leaky_relu": leaky_relu,
}
"""Every operation but `linear`, by its name in a recipe; leaky ReLU has slope 0.01."""


class RecipeLayer(nn.Module):
    """One layer of a recipe's cell, over frames from zero states.

    A linear node is a matrix for each of its inputs and one bias. The matrices that multiply the
    same source are stacked in `weights`, one entry a source in the order of `sources`, so that a
    step has one product a source; `places` says which linear node each block of rows belongs to.
    `biases` has a row for each of `linear_nodes`.
    A node that is not linear takes `x` as it is where `width` equals `hidden`; elsewhere a linear
    map of its own, `widen`, brings `x` to the hidden width first (our reading: NAS-Bench-NLP's
    recipes read `x` in linear nodes only).

    On a processor, `fused` computes all steps in one compiled loop; see `fused_recipes`.
    """

    def __init__(self, recipe: Recipe, width: int, hidden: int, *, fused: bool = False) -> None:
        super().__init__()
        self.hidden = hidden
        self.states = recipe_states(recipe)
        self._nodes = [(name, recipe[name].op, recipe[name].input) for name in recipe_order(recipe)]
        self.linear_nodes = [name for name, operation, _ in self._nodes if operation == "linear"]
        self.places = _places(recipe, self.linear_nodes)
        self.sources = tuple(self.places)
        self.weights = nn.ParameterList(
            torch.empty(len(nodes) * hidden, width if source == "x" else hidden)
            for source, nodes in self.places.items()
        )
        self.biases = nn.Parameter(torch.empty(len(self.linear_nodes), hidden))
        direct = any("x" in inputs for _, operation, inputs in self._nodes if operation != "linear")
        self.widen = nn.Linear(width, hidden) if direct and width != hidden else None
        self._takes_frames = direct
        self._program = make_program(recipe, self.linear_nodes, self.places) if fused else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every weight and bias uniformly within 1 / sqrt(hidden), as torch's RNN does."""
        bound = self.hidden**-0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, time, width) to h_new_0 of every step, (batch, time, hidden)."""
        if self._program is not None and can_fuse(frames, self.biases):
            from emonas.networks.fused_recipes.layer import run_recipe

            wide = None
            if self._takes_frames:
                wide = frames if self.widen is None else self.widen(frames)
            return run_recipe(self._program, frames, wide, self.biases, *self.weights)
        states = [frames.new_zeros(len(frames), self.hidden) for _ in range(self.states)]
        outputs = []
        for direct, sums in zip(self._direct(frames), self._sums(frames), strict=True):
            states = self.step(direct, dict(zip(self.linear_nodes, sums, strict=True)), states)
            outputs.append(states[0])
        return torch.stack(outputs, dim=1)

    def step(
        self, direct: Tensor | None, sums: dict[str, Tensor], states: Sequence[Tensor]
    ) -> list[Tensor]:
        """One step: the old states (batch, hidden) to the new ones.

        `direct` (batch, hidden) is what nodes that are not linear read as `x`; `sums` has, for each
        linear node, its bias and what the frame adds to it.
        """
        values: dict[str, Tensor] = {}
        if direct is not None:
            values["x"] = direct
        for number, state in enumerate(states):
            self._learn(f"h_prev_{number}", state, values, sums)
        for name, operation, inputs in self._nodes:
            if operation == "linear":
                value = sums[name]
            else:
                value = OPERATIONS[operation](*(values[source] for source in inputs))
            self._learn(name, value, values, sums)
        return [values[f"h_new_{number}"] for number in range(self.states)]

    def _learn(
        self, name: str, value: Tensor, values: dict[str, Tensor], sums: dict[str, Tensor]
    ) -> None:
        """Keep a value, and add what it gives to the linear nodes that read it."""
        values[name] = value
        if name in self.places:
            weight = self.weights[self.sources.index(name)]
            blocks = linear(value, weight).chunk(len(self.places[name]), dim=-1)
            for node, block in zip(self.places[name], blocks, strict=True):
                sums[node] = sums[node] + block

    def _direct(self, frames: Tensor) -> Sequence[Tensor | None]:
        """What nodes that are not linear read of each step, (batch, hidden)."""
        if not self._takes_frames:
            return [None] * frames.shape[1]
        return (frames if self.widen is None else self.widen(frames)).unbind(dim=1)

    def _sums(self, frames: Tensor) -> list[list[Tensor]]:
        """Bias and projected frame of each linear node, (batch or 1, hidden), a list a step."""
        totals = [bias.expand(1, frames.shape[1], -1) for bias in self.biases]
        if "x" in self.places:
            weight = self.weights[self.sources.index("x")]
            blocks = linear(frames, weight).chunk(len(self.places["x"]), dim=-1)
            for node, block in zip(self.places["x"], blocks, strict=True):
                number = self.linear_nodes.index(node)
                totals[number] = totals[number] + block
        steps = zip(*(total.unbind(dim=1) for total in totals), strict=True)
        return [list(step) for step in steps] if totals else [[]] * frames.shape[1]


class RecipeLayers(nn.Module):
    """Stacked layers of one recipe over (batch, time, width), giving (batch, time, hidden).

    A layer hands h_new_0 of every step to the one above; states begin at zero, as in
    NAS-Bench-NLP. Nothing looks ahead, so padding behind an utterance changes none of its frames.
    """

    def __init__(
        self, recipe: Recipe, width: int, hidden: int, layers: int, *, fused: bool = False
    ) -> None:
        super().__init__()
        widths = [width, *[hidden] * (layers - 1)]
        self.cells = nn.ModuleList(
            RecipeLayer(recipe, each, hidden, fused=fused) for each in widths
        )

    def forward(self, frames: Tensor) -> Tensor:
        """h_new_0 of the last layer."""
        for cell in self.cells:
            frames = cell(frames)
        return frames


def can_fuse(frames: Tensor, biases: Tensor) -> bool:
    """Whether the compiled loop takes these frames: on a processor, in one precision."""
    return (
        frames.device.type == "cpu"
        and frames.dtype == biases.dtype
        and frames.dtype in (torch.float32, torch.float64)
        and frames.numel() > 0
        and not torch.is_autocast_enabled("cpu")
        and find_spec("numba") is not None
    )


def _places(recipe: Recipe, nodes: Sequence[str]) -> dict[str, list[str]]:
    """The linear nodes that read each source, once for each time that they name it."""
    places: dict[str, list[str]] = {}
    for node in nodes:
        for source in recipe[node].input:
            places.setdefault(source, []).append(node)
    return places
