"""The parts that the page is made of."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from pydantic import ValidationError
from scipy.special import softmax

from emonas.errors import EmonasError
from emonas.report.figures.curves import alpha_operations, leave_diverged_out, operation_weights
from emonas.report.figures.graph import Card, draw_graph
from emonas.report.figures.layered import Wire, lay_out
from emonas.report.gather import History, gather
from emonas.report.options import RowOptions, TableOptions
from emonas.report.overview import overview_table
from emonas.report.own import OwnFigures
from emonas.report.papers import paper_summary
from emonas.report.plan import SystemCard
from emonas.report.tables import Column, Table, escape_latex, escape_markdown, show, write_tables
from emonas.report.verdicts import verdicts
from emonas.report.words import describe, duration, listed, memory
from emonas.storage.comparisons import Comparisons, Difference, Pair
from emonas.storage.degenerate import degenerate
from emonas.storage.genotype import CellsGenotype, Edge
from emonas.storage.metrics import Figure as MetricFigure


def test_latex_is_escaped():
    assert escape_latex("a_b & 5% #1 {x} $y$ ~ ^") == (
        r"a\_b \& 5\% \#1 \{x\} \$y\$ \textasciitilde{} \textasciicircum{}"
    )
    assert escape_latex("\\input{/etc/passwd}") == r"\textbackslash{}input\{/etc/passwd\}"


def test_markdown_is_escaped():
    assert escape_markdown("a|b <script> *c*\nd") == r"a\|b &lt;script> \*c\* d"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("percent", 0.6625, "66.2"),
        ("points", 0.0214, "+2.1"),
        ("points", -0.0214, "−2.1"),
        ("points", -0.0001, "0.0"),
        ("millions", 11_180_000, "11.18M"),
        ("millions", 70_000, "0.07M"),
        ("millions", 132_323, "0.132M"),
        ("millions", 300, "<0.001M"),
        ("count", 5531, "5,531"),
        ("percent", "not in our copy", "not in our copy"),
        ("percent", None, "–"),
    ],
)
def test_numbers_for_people(kind, value, text):
    assert show({"x": value}, Column("x", "X", kind)) == text


def test_whole_numbers_stay_whole_in_csv(tmp_path):
    columns = (Column("name", "Name"), Column("n", "N", "count"))
    table = Table("caption", columns, [{"name": "a, b", "n": 5}, {"name": 'c "d"', "n": None}])
    write_tables(tmp_path / "v1.table", table)
    text = (tmp_path / "v1.table.csv").read_text(encoding="utf-8")
    assert text == 'name,n\n"a, b",5\n"c ""d""",\n'


def test_words():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([]) == ""
    assert [duration(5), duration(600), duration(9000)] == ["5.0 s", "10.0 min", "2.5 h"]
    assert [memory(812), memory(2048)] == ["812 MiB", "2.0 GiB"]


def test_published_figures_have_the_right_units():
    def table(**published):
        return TableOptions(rows={"r": RowOptions(published=published)}, columns=list(published))

    with pytest.raises(ValidationError, match="fraction"):
        table(ua=66.2)
    with pytest.raises(ValidationError, match="number of weights"):
        table(parameters=0.13)
    assert table(wa="not in our copy").rows["r"].published["wa"] == "not in our copy"
    with pytest.raises(ValidationError):
        table(wa="about 70")


def test_a_row_of_two_protocols_must_name_one(plan, results):
    own = OwnFigures(plan, gather(plan, results), {})
    options = TableOptions(rows={"branch": RowOptions(system="linear")})
    with pytest.raises(EmonasError, match=r"tables\.t\.rows\.branch: linear is run under"):
        paper_summary(own, "t", options)
    options = TableOptions(rows={"branch": RowOptions(system="lineer")})
    with pytest.raises(EmonasError, match="no system is named lineer"):
        paper_summary(own, "t", options)


def test_without_a_baseline_nothing_is_claimed(plan, results):
    runs = [run.model_copy(update={"systems": ["rnn"]}) for run in plan.runs]
    gathered = gather(plan.model_copy(update={"runs": runs}), results)
    (verdict,) = verdicts(gathered["emodb-loso"])
    assert verdict.stands is None
    assert "nothing here says what the search is worth" in verdict.text


def test_random_genotypes_of_another_network_are_no_comparison():
    def system(name, ua, **card):
        figure = MetricFigure(mean=ua, std=0, folds_mean=ua, folds_std=0)
        return SimpleNamespace(
            name=name, card=SystemCard(**card), metrics=SimpleNamespace(figure=lambda _: figure)
        )

    entries = [
        system("linear", 0.5, network="linear"),
        system("lucky", 0.9, network="recurrent", search="random"),
        system("drawn", 0.55, network="cells", search="random"),
        system("cnn", 0.6, network="cells", search="darts"),
    ]

    def against(drawn):
        pairs = [compared("cnn", "linear", 0.1, 0.01), compared("drawn", "cnn", -0.05, drawn)]
        protocol = SimpleNamespace(
            emotional={entry.name: entry for entry in entries},
            comparisons=Comparisons(protocol="p", pairs=pairs),
        )
        (verdict,) = verdicts(protocol)
        return verdict

    verdict = against(0.0004)
    assert verdict.stands == "better"
    assert "drawn (55.0%, 5.0 points apart, p < 0.001)" in verdict.text
    assert "lucky" not in verdict.text
    chance = against(0.05)
    assert chance.stands == "unsure"
    assert "It is better than the linear system linear" in chance.text
    assert "It can't be told from the random-genotype system drawn (55.0%" in chance.text


@pytest.mark.parametrize(
    ("p", "said", "stands"),
    [(0.01, "It is worse than", "worse"), (0.2, "can't be told from", "unsure")],
)
def test_a_searched_system_that_is_below_its_baseline(plan, results, p, said, stands):
    protocol = gather(plan, results)["emodb-loso"]
    pairs = [compared("cnn-c6l3", "linear", -0.028, p)]
    verdict, other = verdicts(
        replace(protocol, comparisons=Comparisons(protocol="emodb-loso", pairs=pairs))
    )
    assert said in verdict.text
    assert verdict.stands == stands
    assert "Nothing was tested against the linear system linear" in other.text
    assert other.stands is None


@pytest.mark.parametrize(
    ("speakers", "said"),
    [(9, "can't be told from"), (3, "too few speakers to tell it from")],
)
def test_the_overview_says_where_no_test_could_have_told(plan, results, speakers, said):
    """Of three speakers no p is below 2 / 2^3."""
    protocol = gather(plan, results)["emodb-loso"]
    pairs = [
        compared("emotionnas", name, 0.1, 0.6, speakers) for name in ("cnn-c6l3", "rnn", "linear")
    ]
    shown = replace(protocol, comparisons=Comparisons(protocol="emodb-loso", pairs=pairs))
    (row,) = overview_table({"emodb-loso": shown}).rows
    assert row["against"] == f"{said} cnn-c6l3, rnn and linear"


def compared(first, second, difference, p, speakers=9):
    figure = Difference(difference=difference, p=p, adjusted=p)
    return Pair(first=first, second=second, ua=figure, wa=figure, speakers=speakers)


def test_only_cells_without_any_convolution_are_degenerate():
    def edges(operation):
        return tuple(
            Edge(node=node, source=source, operation=operation if node else "skip_connect")
            for node in range(2)
            for source in (0, 1)
        )

    genotype = CellsGenotype(
        method="darts",
        channels=4,
        cells=3,
        nodes=2,
        normal=edges("avg_pool_3x3"),
        reduction=edges("sep_conv_3x3"),
    )
    assert degenerate(genotype) == ["no convolution in the normal cell, only skips and pooling"]


def test_a_loss_that_diverged_does_not_press_the_others_flat():
    axes = Figure().subplots()
    axes.plot([1.2, 0.8, 0.6])
    axes.plot([1.4, 1.0, 1e13])
    leave_diverged_out(axes)
    assert axes.get_ylim() == pytest.approx((0.56, 1.44))
    assert axes.get_title(loc="right") == "1 leave the picture"


def test_weights_of_operations_are_softmax_means_over_edges():
    draw = np.random.default_rng(0)
    names = ["skip_connect", "sep_conv_3x3", "none"]
    values = draw.normal(size=(2, 4, 3))  # edges, epochs, operations
    table = pd.DataFrame({"epoch": range(4), "alpha_entropy": 0.5})
    for edge, key in enumerate(("0-2", "1-2")):
        for operation, name in enumerate(names):
            table[f"alpha_normal_{key}_{name}"] = values[edge, :, operation]
    history = History(0, "s01", table)
    assert alpha_operations(history) == {"normal": names}
    expected = softmax(values, axis=2).mean(axis=0)
    np.testing.assert_allclose(operation_weights(history, "normal", names), expected)


def _random_graph(seed: int) -> tuple[dict[str, float], list[Wire]]:
    draw = np.random.default_rng(seed)
    heights = {f"n{node}": float(draw.uniform(0.4, 1.6)) for node in range(14)}
    wires = [
        Wire(f"n{source}", f"n{node}", port)
        for node in range(3, 14)
        for port, source in enumerate(draw.choice(node, size=2, replace=False))
    ]
    return heights, wires


@pytest.mark.parametrize("seed", range(5))
def test_no_cards_overlap_and_no_wire_runs_behind_a_card(seed):
    heights, wires = _random_graph(seed)
    layout = lay_out(heights, wires)
    boxes = [(layout.column[name], layout.y[name], height) for name, height in heights.items()]
    boxes += [(column, y, 0.0) for lanes in layout.lanes.values() for column, y in lanes]
    for number, (column, y, height) in enumerate(boxes):
        for other_column, other_y, other_height in boxes[:number]:
            if column == other_column:
                assert abs(y - other_y) >= (height + other_height) / 2
    for wire in wires:
        passed = range(layout.column[wire.source] + 1, layout.column[wire.target])
        assert [column for column, _ in layout.lanes[wire]] == list(passed)


def test_a_drawing_holds_all_its_cards():
    heights, wires = _random_graph(7)
    ports = {name: sum(wire.target == name for wire in wires) for name in heights}
    cards = [Card(name, name, (("operation", "#000000"),) * ports[name]) for name in heights]
    axes = Figure().subplots()
    draw_graph(axes, cards, wires)
    assert sorted(text.get_text() for text in axes.texts if text.get_text() in heights) == sorted(
        heights
    )
    bottom, top = axes.get_ylim()
    assert all(top < text.get_position()[1] < bottom for text in axes.texts)


def test_folders_of_former_settings_are_not_read(plan, results, tmp_path):
    copy = tmp_path / "results"
    shutil.copytree(results, copy)
    for stage in ("search", "train"):
        seed = copy / stage / "toy" / "cnn-c6l3" / "seed0"
        shutil.copytree(next(seed.iterdir()), seed / "a former fold")
    before, after = (gather(plan, folder)["toy"].systems["cnn-c6l3"] for folder in (results, copy))
    assert after.search_costs == before.search_costs
    assert after.costs == before.costs
    assert [found.fold for found in after.genotypes] == [found.fold for found in before.genotypes]


def test_what_is_unlearnt_is_not_said_to_be_learnt():
    card = SystemCard(
        network="wav2vec2",
        inputs=["waveform"],
        checkpoint="base",
        start="first",
        tasks=["emotion", "style"],
        unlearnt=["style"],
    )
    told = describe("second", card)
    assert told == (
        "wav2vec2 on waveform, learns emotion and unlearns style, from first (of base) on"
    )


@pytest.mark.parametrize(
    ("interval", "said"),
    [((0.60, 0.6619), "outside"), ((0.60, 0.662), "inside"), ((0.67, 0.7), "outside"), (None, "")],
)
def test_a_published_figure_is_inside_our_interval_or_outside(plan, results, interval, said):
    gathered = gather(plan, results)
    found = gathered["emodb-loso"].systems["rnn"]
    ua = found.metrics.ua.model_copy(update={"interval": interval})
    metrics = found.metrics.model_copy(update={"ua": ua})
    gathered["emodb-loso"].systems["rnn"] = replace(found, metrics=metrics)
    # On synthetic speech another thing is measured, whatever its interval.
    toy = gathered["toy"].systems["cnn-c6l3"]
    wide = toy.metrics.ua.model_copy(update={"interval": (0.0, 1.0)})
    metrics = toy.metrics.model_copy(update={"ua": wide})
    gathered["toy"].systems["cnn-c6l3"] = replace(toy, metrics=metrics)
    table = paper_summary(OwnFigures(plan, gathered, {}), "table4", plan.tables["table4"])
    rows = {row["row"]: row for row in table.rows}
    assert (rows["wav2vec branch"]["ua_within"] or "") == said
    assert rows["100% & more_"]["ua_within"] is None
    assert rows["IEMOCAP"].get("ua_within") is None
    assert any(column.key == "ua_within" for column in table.columns) == bool(said)
