"""From a recipe to what a step does, in its order, with numbers in the place of names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from emonas.storage.genotype import Recipe, recipe_order, recipe_states

OPERATIONS = {
    "activation_tanh": 0,
    "activation_sigm": 1,
    "activation_leaky_relu": 2,
    "elementwise_sum": 3,
    "elementwise_prod": 4,
    "blend": 5,
    "product": 6,
}
"""Numbers of the interpreter's operations; `product` adds to linear nodes."""

_PAIRWISE = ("elementwise_sum", "elementwise_prod")


class Product(NamedTuple):
    """A source times its stacked matrices, added to the linear nodes that read it.

    `weights` is its number in `RecipeLayer.sources`; `source` is a value, None for the frame.
    """

    weights: int
    source: int | None
    nodes: tuple[int, ...]


class Program(NamedTuple):
    """A step of one recipe. Every value has a number, and linear nodes have the first.

    Args:
        values: how many there are.
        linear: how many linear nodes.
        old: the states of the step before.
        new: the states.
        direct: what nodes that are not linear read as `x`, if any do.
        within: activations that take the place of the linear node that nobody else reads.
        kept: other values that the way back reads.
        frames: what frames add to linear nodes, if anything.
        products: what other values add to them.
        code: operations in their order: number, result, inputs; of a product its own number.
    """

    values: int
    linear: int
    old: tuple[int, ...]
    new: tuple[int, ...]
    direct: int | None
    within: dict[int, int]
    kept: tuple[int, ...]
    frames: Product | None
    products: tuple[Product, ...]
    code: tuple[tuple[int, ...], ...]


def make_program(
    recipe: Recipe, linear_nodes: Sequence[str], places: dict[str, list[str]]
) -> Program:
    """The program of a recipe whose matrices are stacked by source as `places` says."""
    return _Writer(recipe, linear_nodes, places).program()


class _Writer:
    def __init__(
        self, recipe: Recipe, linear_nodes: Sequence[str], places: dict[str, list[str]]
    ) -> None:
        self._recipe, self._places = recipe, places
        self._order = recipe_order(recipe)
        states = range(recipe_states(recipe))
        self._old = [f"h_prev_{number}" for number in states]
        self._new = [f"h_new_{number}" for number in states]
        others = [name for name in self._order if name not in linear_nodes]
        names = [*linear_nodes, *others, *self._old, "x"]
        self._numbers = {name: number for number, name in enumerate(names)}
        self._values, self._linear = len(names), len(linear_nodes)
        self._products: list[Product] = []
        self._code: list[tuple[int, ...]] = []

    def program(self) -> Program:
        """Write every node of the recipe."""
        for name in self._old:
            self._learn(name)
        for name in self._order:
            if self._recipe[name].op != "linear":
                self._operate(name)
            self._learn(name)
        frames = self._product("x") if "x" in self._places else None
        read = {source for operation in self._code for source in operation[2:]}
        within = self._within()
        return Program(
            values=self._values,
            linear=self._linear,
            old=tuple(self._numbers[name] for name in self._old),
            new=tuple(self._numbers[name] for name in self._new),
            direct=self._numbers["x"] if self._numbers["x"] in read else None,
            within=within,
            kept=tuple(sorted(self._needed() - set(within))),
            frames=frames,
            products=tuple(self._products),
            code=tuple(self._code),
        )

    def _learn(self, name: str) -> None:
        """The linear nodes that read a value, once it is there."""
        if name in self._places:
            self._code.append((OPERATIONS["product"], len(self._products)))
            self._products.append(self._product(name))

    def _product(self, name: str) -> Product:
        nodes = tuple(self._numbers[node] for node in self._places[name])
        source = None if name == "x" else self._numbers[name]
        return Product(list(self._places).index(name), source, nodes)

    def _operate(self, name: str) -> None:
        node = self._recipe[name]
        operation, result = OPERATIONS[node.op], self._numbers[name]
        inputs = [self._numbers[source] for source in node.input]
        if node.op in _PAIRWISE:
            # Two at a time, each result a value of its own, so that there is a way back.
            for other in inputs[1:-1]:
                self._code.append((operation, self._values, inputs[0], other))
                inputs[0] = self._values
                self._values += 1
            inputs = [inputs[0], inputs[-1]]
        self._code.append((operation, result, *inputs))

    def _within(self) -> dict[int, int]:
        """Activations whose linear node nobody else reads, as a state or another node."""
        readers = [source for node in self._recipe.values() for source in node.input]
        return {
            self._numbers[name]: self._numbers[node.input[0]]
            for name, node in self._recipe.items()
            if node.op.startswith("activation")
            and self._recipe_operation(node.input[0]) == "linear"
            and node.input[0] not in self._new
            and readers.count(node.input[0]) == 1
        }

    def _recipe_operation(self, name: str) -> str | None:
        return self._recipe[name].op if name in self._recipe else None

    def _needed(self) -> set[int]:
        """Values that gradients are made from, states and `x`; not linear nodes and old states."""
        needed = {self._numbers[name] for name in self._new}
        needed |= {product.source for product in self._products if product.source is not None}
        for operation, *results in self._code:
            if operation < OPERATIONS["elementwise_sum"]:
                needed.add(results[0])
            elif operation in (OPERATIONS["elementwise_prod"], OPERATIONS["blend"]):
                needed |= set(results[1:])
            if operation != OPERATIONS["product"] and self._numbers["x"] in results:
                needed.add(self._numbers["x"])
        old = {self._numbers[name] for name in self._old}
        return {number for number in needed - old if number >= self._linear}
