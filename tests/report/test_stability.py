"""How often what a search chose returns, held against loops and drawn genotypes."""

import csv
from collections import Counter
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from emonas.report.choices import choices_table
from emonas.report.gather import FoundGenotype, gather
from emonas.report.ledger import ledger_table
from emonas.report.stability import (
    OPERATIONS,
    cell_returned,
    connections_returned,
    edges_returned,
    stability_table,
)
from emonas.search.named_cells import NAMED_CELLS, named_cells
from emonas.search.named_recipes import named_recipe
from emonas.storage.genotype import ConnectionsGenotype, Edge, RecurrentGenotype


def drawn(generator: np.random.Generator, nodes: int = 4) -> list[Edge]:
    """Two edges into each node, from different states, with any operation."""
    return [
        Edge(node=node, source=int(source), operation=str(generator.choice(OPERATIONS)))
        for node in range(nodes)
        for source in generator.choice(node + 2, 2, replace=False)
    ]


def test_a_search_that_returns_whole():
    edges = drawn(np.random.default_rng(0))
    same = edges_returned(edges, edges)
    assert (same.edge, same.operation) == (1, 1)


def test_what_returns_by_chance_is_what_drawn_genotypes_share():
    generator = np.random.default_rng(1)
    pairs = [(drawn(generator), drawn(generator)) for _ in range(4000)]
    returned = [edges_returned(first, other) for first, other in pairs]
    by_hand = np.mean(
        [
            sum(any((a.node, a.source) == (b.node, b.source) for b in other) for a in first) / 8
            for first, other in pairs
        ]
    )
    with_operation = np.mean(
        [sum(a in other for a in first) / len(first) for first, other in pairs]
    )
    assert np.mean([one.edge for one in returned]) == pytest.approx(by_hand, abs=1e-12)
    assert np.mean([one.operation for one in returned]) == pytest.approx(with_operation, abs=1e-12)
    # Into node i, 2 of i + 2 states: (1 + 2/3 + 2/4 + 2/5) / 4, and one of seven operations.
    chance = (1 + 2 / 3 + 1 / 2 + 2 / 5) / 4
    assert all(one.edge_chance == pytest.approx(chance) for one in returned)
    assert by_hand == pytest.approx(chance, abs=0.01)
    assert all(one.operation_chance == pytest.approx(chance / 7) for one in returned)
    assert with_operation == pytest.approx(chance / 7, abs=0.01)


def connections(*tables: list[list[int]]) -> ConnectionsGenotype:
    return ConnectionsGenotype(
        method="gates",
        beta=0.5,
        gamma=-0.1,
        delta=1.1,
        features=("mfcc", "ge2e"),
        domains={f"domain{number}": table for number, table in enumerate(tables)},
    )


def test_connections_that_return():
    first = connections([[1, 0], [0, 1]], [[1, 1], [0, 0]])
    other = connections([[1, 1], [0, 0]], [[0, 1], [0, 0]])
    returned = connections_returned(first, other)
    assert (returned.edge, returned.edge_chance) == (2 / 4, 3 / 8)
    assert (returned.operation, returned.operation_chance) == (None, None)
    closed = connections([[0, 0], [0, 0]])
    assert connections_returned(closed, closed).edge == 1


def named(name):
    return RecurrentGenotype(method="cells", name=name, recipe=named_recipe(name))


def test_a_recurrent_cell_returns_by_chance_as_two_draws_are_the_same():
    first, other = Counter(("lstm", "gru", "rnn", "a")), Counter(("gru", "lstm", "b"))
    draws = [a == b for a in first.elements() for b in other.elements()]
    cell = named("lstm")
    returned = cell_returned(cell, named("lstm"), first, other)
    assert (returned.edge, returned.edge_chance) == (1, pytest.approx(np.mean(draws)))
    assert cell_returned(cell, named("gru"), first, first).edge_chance == pytest.approx(1 / 4)
    assert cell_returned(cell, named("gru"), first, first).edge == 0
    assert cell_returned(cell, cell).edge_chance is None
    # Four tries of one and one each of two others: 4 * 4 + 1 + 1 pairs of 6 * 6.
    often = Counter(("rnn", "rnn", "rnn", "rnn", "gru", "lstm"))
    assert cell_returned(cell, cell, often, often).edge_chance == pytest.approx(18 / 36)


def test_a_chance_share_is_told_only_of_cells_that_have_names(plan, results):
    protocol = gather(plan, results)["emodb-loso"]
    rnn = protocol.systems["rnn"]
    tried = {name for history in rnn.search_histories for name in history.table["candidate"]}
    assert len(tried) == 3
    (row,) = [row for row in stability_table(protocol).rows if row["system"] == "rnn"]
    assert row["edge_chance"] == pytest.approx(1 / 3)
    # Of a search by chance, the second candidate is another cell with every seed.
    card = rnn.card.model_copy(update={"search": "random-search"})
    drawn = replace(protocol, systems={"rnn": replace(rnn, card=card)})
    table = stability_table(drawn)
    assert "edge_chance" not in table.rows[0]
    assert any("rnn: the cells were drawn from a space" in note for note in table.notes)
    assert not any("nobody has counted" in note for note in stability_table(protocol).notes)


def test_the_table_compares_seeds_of_a_fold_and_folds_of_a_seed(plan, results):
    protocol = gather(plan, results)["emodb-loso"]
    table = stability_table(protocol)
    rows = {(row["system"], row["part"], row["over"]): row for row in table.rows}
    genotypes = {(one.seed, one.fold): one for one in protocol.systems["cnn-c6l3"].genotypes}
    assert len(genotypes) == 6
    assert rows["cnn-c6l3", "normal cell", "seeds"]["pairs"] == 3
    assert rows["cnn-c6l3", "normal cell", "folds"]["pairs"] == 2 * 3
    # Seeds of a fold found the same; the third fold's reduction cell has other operations.
    assert rows["cnn-c6l3", "reduction cell", "seeds"]["operation"] == 1
    over_folds = [
        sum(edge in b.genotype.reduction for edge in a.genotype.reduction) / 8
        for (seed, _), a in genotypes.items()
        for (other, _), b in genotypes.items()
        if seed == other and a is not b
    ]
    row = rows["cnn-c6l3", "reduction cell", "folds"]
    assert row["operation"] == pytest.approx(np.mean(over_folds))
    assert row["edge"] == 1
    # Its one search serves all folds, so that only seeds can be compared.
    assert [over for system, _, over in rows if system == "rnn"] == ["seeds"]
    assert rows["rnn", "cell", "seeds"]["edge"] == 1


def test_the_choices_are_counted(report_folder):
    with (report_folder / "tables/emodb-loso-cnn-c6l3-choices.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_choice = {(row["part"], row["choice"], row["operation"]): row for row in rows}
    common = by_choice["reduction cell", "node 0 to node 2", "sep_conv_3x3"]
    assert (int(common["searches"]), float(common["share"])) == (4, pytest.approx(4 / 6))
    rare = by_choice["reduction cell", "node 0 to node 2", "skip_connect"]
    assert int(rare["searches"]) == 2
    assert len(by_choice) == 8 + 16
    for first, other in combinations(rows, 2):
        assert (first["part"], first["choice"], first["operation"]) != (
            other["part"],
            other["choice"],
            other["operation"],
        )


def test_the_ledger_sums_what_was_spent(report_folder):
    with (report_folder / "tables/emodb-loso-ledger.csv").open(encoding="utf-8") as file:
        rows = {(row["system"], row["fold"], row["seed"]): row for row in csv.DictReader(file)}
    # Two seeds of 20 epochs of 2.5 s in each of three folds; and of 30 epochs of 0.8 s.
    every, one = rows["cnn-c6l3", "all", "all"], rows["cnn-c6l3", "s02", "1"]
    assert float(every["search_seconds"]) == pytest.approx(2 * 3 * 20 * 2.5)
    assert float(one["search_seconds"]) == pytest.approx(20 * 2.5)
    assert float(one["train_seconds"]) == pytest.approx(30 * 0.8)
    # A bi-level search trains one network in all of its epochs, a selection each of its candidates.
    assert (float(one["architectures"]), float(one["search_memory"])) == (1, 812)
    assert float(rows["rnn", "all", "all"]["architectures"]) == 2 * 3
    assert (every["how"], float(every["train_memory"])) == ("searched by darts", 640)
    # Searched in the first fold for all.
    assert float(rows["rnn", "s01", "1"]["search_seconds"]) == pytest.approx(20 * 2.5)
    assert rows["rnn", "s02", "1"]["search_seconds"] == ""
    assert not any(system in ("linear", "emotionnas") for system, *_ in rows)


def test_the_ledger_has_the_interval_of_every_fold_and_seed(plan, results):
    protocol = gather(plan, results)["emodb-loso"]
    rnn = protocol.systems["rnn"]
    folds = [
        own.model_copy(update={"ua_interval": (0.1 + own.seed / 8, 0.9)})
        for own in rnn.metrics.folds
    ]
    metrics = rnn.metrics.model_copy(update={"folds": folds})
    rows = ledger_table(replace(protocol, systems={"rnn": replace(rnn, metrics=metrics)})).rows
    whole, *single = [(row["fold"], row["seed"]) for row in rows]
    assert whole == ("all", "all")
    assert single == [(own.fold, own.seed) for own in folds]
    assert {own.seed for own in folds} == {0, 1}
    for own, row in zip(folds, rows[1:], strict=True):
        assert (row["ua"], row["ua_low"], row["ua_high"]) == (own.ua, *own.ua_interval)


def test_cells_made_by_hand_return_whole():
    """Of four, two winners drawn alike are the same once in four times."""
    made = {name: named_cells(name, "hand-made", 4, 3, 4) for name in NAMED_CELLS}
    pool = Counter(list(made))
    draws = [made[a] == made[b] for a in sorted(pool) for b in sorted(pool)]
    for name, other in product(made, made):
        returned = cell_returned(made[name], made[other], pool, pool)
        assert returned.edge == (name == other)
        assert returned.edge_chance == pytest.approx(np.mean(draws))


def test_cells_that_every_search_draws_for_itself_are_told_apart(plan, results):
    """Two cells of one name are two choices, one cell found twice is one, found by two searches."""
    rnn = gather(plan, results)["emodb-loso"].systems["rnn"]
    recipes = [named_recipe("gru"), named_recipe("lstm"), named_recipe("gru")]
    found = [
        FoundGenotype(0, f"s0{number}", RecurrentGenotype(method="x", name=name, recipe=recipe))
        for number, (name, recipe) in enumerate(zip(("a", "a", "b"), recipes, strict=True))
    ]
    rows = choices_table(replace(rnn, genotypes=found)).rows
    assert [(row["choice"], row["searches"]) for row in rows] == [
        ("a of seed 0, s00", 2),
        ("a of seed 0, s01", 1),
    ]
    named = choices_table(replace(rnn, genotypes=found[1:])).rows
    assert sorted((row["choice"], row["searches"]) for row in named) == [("a", 1), ("b", 1)]
