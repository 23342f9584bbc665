"""A recipe's cell as its nodes say: module by module, step by step.

It is the reference of the tests, and the other side of the benchmark.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from emonas.networks.recipes import OPERATIONS, RecipeLayer
from emonas.storage.genotype import Recipe, recipe_order, recipe_states


class LinearNode(nn.Module):
    """A matrix for each input, and one bias."""

    def __init__(self, widths: list[int], hidden: int) -> None:
        super().__init__()
        self.maps = nn.ModuleList(
            nn.Linear(width, hidden, bias=place == 0) for place, width in enumerate(widths)
        )

    def forward(self, *inputs: Tensor) -> Tensor:
        """(batch, ...) each, to (batch, hidden)."""
        first, *others = (each(values) for each, values in zip(self.maps, inputs, strict=True))
        return sum(others, start=first)


class PlainRecipeLayer(nn.Module):
    """The same function as `RecipeLayer`, from a module for each linear node."""

    def __init__(self, recipe: Recipe, width: int, hidden: int) -> None:
        super().__init__()
        self.recipe, self.hidden = recipe, hidden
        self.order = recipe_order(recipe)
        self.states = recipe_states(recipe)
        self.names = [name for name in self.order if recipe[name].op == "linear"]
        self.linear = nn.ModuleList(
            LinearNode([width if each == "x" else hidden for each in recipe[name].input], hidden)
            for name in self.names
        )
        others = (node for node in recipe.values() if node.op != "linear")
        direct = any("x" in node.input for node in others)
        self.widen = nn.Linear(width, hidden) if direct and width != hidden else None

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, time, width) to h_new_0 of every step, (batch, time, hidden)."""
        states = [frames.new_zeros(len(frames), self.hidden) for _ in range(self.states)]
        outputs = []
        for frame in frames.unbind(dim=1):
            states = self.step(frame, states)
            outputs.append(states[0])
        return torch.stack(outputs, dim=1)

    def step(self, frame: Tensor, states: list[Tensor]) -> list[Tensor]:
        """The old states (batch, hidden) to the new ones."""
        values = {f"h_prev_{number}": state for number, state in enumerate(states)}
        wide = frame if self.widen is None else self.widen(frame)
        modules = dict(zip(self.names, self.linear, strict=True))
        for name in self.order:
            sources = self.recipe[name].input
            if name in modules:
                inputs = [frame if each == "x" else values[each] for each in sources]
                values[name] = modules[name](*inputs)
            else:
                inputs = [wide if each == "x" else values[each] for each in sources]
                values[name] = OPERATIONS[self.recipe[name].op](*inputs)
        return [values[f"h_new_{number}"] for number in range(len(states))]

    @torch.no_grad()
    def take_weights(self, layer: RecipeLayer) -> None:
        """Take ours, so that both give the same outputs."""
        taken: dict[str, int] = {}
        for source, stack in zip(layer.sources, layer.weights, strict=True):
            for name, matrix in zip(layer.places[source], stack.split(layer.hidden), strict=True):
                self._maps(name, source)[taken.setdefault(f"{name} {source}", 0)].weight.copy_(
                    matrix
                )
                taken[f"{name} {source}"] += 1
        for name, bias in zip(layer.linear_nodes, layer.biases, strict=True):
            self.linear[self.names.index(name)].maps[0].bias.copy_(bias)
        if self.widen is not None and layer.widen is not None:
            self.widen.load_state_dict(layer.widen.state_dict())

    def stacked(self, layer: RecipeLayer, read: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """What is read of each parameter, a gradient for instance, as `layer` stacks them."""
        found = {}
        for number, source in enumerate(layer.sources):
            matrices: list[Tensor] = []
            for name in dict.fromkeys(layer.places[source]):
                matrices += [read(each.weight) for each in self._maps(name, source)]
            found[f"weights.{number}"] = torch.cat(matrices)
        nodes = [self.linear[self.names.index(name)] for name in layer.linear_nodes]
        biases = [read(node.maps[0].bias) for node in nodes]
        found["biases"] = torch.stack(biases) if biases else read(layer.biases)
        if self.widen is not None:
            found |= {f"widen.{name}": read(each) for name, each in self.widen.named_parameters()}
        return found

    def _maps(self, name: str, source: str) -> list[nn.Module]:
        """The matrices by which a node takes a source, once for each time that it names it."""
        maps = self.linear[self.names.index(name)].maps
        sources = self.recipe[name].input
        return [each for each, named in zip(maps, sources, strict=True) if named == source]
