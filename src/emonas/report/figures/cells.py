"""Drawings of what a search found: cells, recurrent recipes, connections."""

from pathlib import Path

from matplotlib.figure import Figure

from emonas.report.figures.connections import draw_connections
from emonas.report.figures.graph import Card, draw_graph
from emonas.report.figures.layered import Wire
from emonas.report.figures.style import FAINT, PALETTE, save, style
from emonas.storage.genotype import (
    NEW_STATE,
    AnyGenotype,
    CellsGenotype,
    ConnectionsGenotype,
    Edge,
    RecurrentGenotype,
    recipe_order,
)

_SCALE = 0.7  # inches a unit of the drawing
_OPERATIONS = {
    "none": ("none", FAINT),
    "max_pool_3x3": ("max pool 3×3", PALETTE[4]),
    "avg_pool_3x3": ("avg pool 3×3", PALETTE[4]),
    "skip_connect": ("skip", PALETTE[3]),
    "sep_conv_3x3": ("sep conv 3×3", PALETTE[0]),
    "sep_conv_5x5": ("sep conv 5×5", PALETTE[0]),
    "dil_conv_3x3": ("dil conv 3×3", PALETTE[2]),
    "dil_conv_5x5": ("dil conv 5×5", PALETTE[2]),
}
_RECIPE_OPERATIONS = {
    "linear": ("linear", PALETTE[0]),
    "blend": ("blend", PALETTE[2]),
    "elementwise_prod": ("product", PALETTE[1]),
    "elementwise_sum": ("sum", PALETTE[1]),
    "activation_tanh": ("tanh", PALETTE[3]),
    "activation_sigm": ("sigmoid", PALETTE[3]),
    "activation_leaky_relu": ("leaky ReLU", PALETTE[3]),
}


def draw_genotype(genotype: AnyGenotype, path: Path) -> None:
    """Draw a genotype as SVG and PNG."""
    if isinstance(genotype, ConnectionsGenotype):
        draw_connections(genotype, path)
        return
    with style():
        if isinstance(genotype, CellsGenotype):
            parts = [
                ("normal cell", *_cell(genotype.normal, genotype.nodes)),
                ("reduction cell", *_cell(genotype.reduction, genotype.nodes)),
            ]
        else:
            parts = [(f"recurrent cell {genotype.name}", *_recipe(genotype))]
        _draw(parts, path)


def _draw(parts: list[tuple[str, list[Card], list[Wire]]], path: Path) -> None:
    sizes = []
    for _, cards, wires in parts:
        sizes.append(draw_graph(Figure().subplots(), cards, wires))
    heights = [height for _, height in sizes]
    width = max(width for width, _ in sizes)
    figure = Figure(figsize=(width * _SCALE, (sum(heights) + len(parts)) * _SCALE))
    grid = figure.subplots(len(parts), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    for axes, (title, cards, wires) in zip(grid[:, 0], parts, strict=True):
        draw_graph(axes, cards, wires)
        # One scale for all parts: the narrower ones are as wide as the widest.
        axes.set_xlim(axes.get_xlim()[0], axes.get_xlim()[0] + width)
        axes.set_anchor("W")
        axes.set_title(title)
    save(figure, path)


def _cell(edges: tuple[Edge, ...], nodes: int) -> tuple[list[Card], list[Wire]]:
    """A convolutional cell: a node's card lists the operations of the edges that lead into it."""
    names = ["c_{k-2}", "c_{k-1}", *(f"node {node}" for node in range(nodes))]
    cards = [
        Card(names[0], "$c_{k-2}$", accent=True),
        Card(names[1], "$c_{k-1}$", accent=True),
    ]
    wires: list[Wire] = []
    for node in range(nodes):
        incoming = [edge for edge in edges if edge.node == node]
        rows = tuple(_OPERATIONS[edge.operation] for edge in incoming)
        cards.append(Card(names[2 + node], f"node {node}", rows))
        wires += [
            Wire(names[edge.source], names[2 + node], port) for port, edge in enumerate(incoming)
        ]
    cards.append(Card("c_k", "concat → $c_k$", (("", FAINT),), accent=True))
    wires += [Wire(name, "c_k", 0) for name in names[2:]]
    return cards, wires


def _recipe(genotype: RecurrentGenotype) -> tuple[list[Card], list[Wire]]:
    """A recurrent cell: a card a node, whose inputs enter from top to bottom in their order."""
    states = range(genotype.states)
    cards = [Card("x", "$x_t$", accent=True)]
    cards += [Card(f"h_prev_{state}", _state(state, "t-1"), accent=True) for state in states]
    wires: list[Wire] = []
    for name in recipe_order(genotype.recipe):
        node = genotype.recipe[name]
        text, colour = _RECIPE_OPERATIONS[node.op]
        state = NEW_STATE.fullmatch(name)
        title = f"{text} → {_state(int(state[1]), 't')}" if state else text
        rows = (("", colour),) * len(node.input)
        cards.append(Card(name, title, rows, accent=state is not None))
        wires += [Wire(source, name, port) for port, source in enumerate(node.input)]
    return cards, wires


def _state(number: int, time: str) -> str:
    """A hidden state as the paper writes it: the recipe counts from 0, the paper from 1."""
    return f"$h^{{{number + 1}}}_{{{time}}}$"
