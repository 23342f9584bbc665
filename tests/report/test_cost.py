"""Accuracy against cost: real-time factors, and the Pareto front against its definition."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from emonas.report.cost import Placed, cost_key, cost_points, cost_table, pareto_front
from emonas.report.figures.cost import scale_by_cost
from emonas.report.gather import gather
from emonas.report.tables import write_tables
from emonas.storage.speed import Speed, SystemSpeed


def test_the_front_is_what_no_other_point_beats():
    generator = np.random.default_rng(0)
    for _ in range(200):
        # Of few values, so that costs and scores are often equal.
        costs = generator.integers(1, 6, 7).tolist()
        scores = generator.integers(1, 6, 7).tolist()
        pairs = zip(scores, costs, strict=True)
        found = pareto_front([Placed(score, cost, cost, cost) for score, cost in pairs])
        for number, on in enumerate(found):
            better = [
                other
                for other in range(7)
                if (costs[other] < costs[number] and scores[other] >= scores[number])
                or (costs[other] <= costs[number] and scores[other] > scores[number])
            ]
            assert on == (not better)


def test_what_was_not_measured_is_on_no_front_and_beats_nothing():
    assert pareto_front([None, Placed(0.5, 2.0, 2.0, 2.0), None]) == [False, True, False]


def test_costs_that_differ_by_noise_are_the_same_cost():
    best, cheaper, clearly = (
        Placed(0.8, 1.00, 0.95, 1.05),
        Placed(0.6, 0.98, 0.90, 1.02),
        Placed(0.6, 0.90, 0.88, 0.94),
    )
    assert pareto_front([best, cheaper]) == [True, False]
    assert pareto_front([best, clearly]) == [True, True]
    # As high a score is no reason to drop one of two that cost the same.
    assert pareto_front([best, best._replace(cost=0.98)]) == [True, True]


def test_who_is_beaten_beats_nobody():
    # Each costs as much as the one before, by their bounds, and the last not half of the first.
    chain = [Placed(0.9 - 0.1 * n, 1.1 - 0.2 * n, 0.99 - 0.2 * n, 1.2 - 0.2 * n) for n in range(4)]
    assert pareto_front(chain) == [True, False, True, False]
    assert pareto_front(chain[::-1]) == [False, True, False, True]


def test_the_front_takes_the_quartiles(measured):
    speeds = measured.speeds | {"rnn": speed(0.51, 320.0, 310.0)}
    rows = cost_table(replace(measured, speeds=speeds)).rows
    assert [row["system"] for row in rows if row["front"]] == ["rnn"]


def speed(seconds, memory, before, **more):
    timed = Speed(
        seconds=seconds,
        quartiles=(0.9 * seconds, 1.2 * seconds),
        times=30,
        memory=memory,
        before=before,
    )
    facts = {"speech": 10.0, "processor": "A processor", "threads": 1, "card": "", **more}
    return SystemSpeed(on_processor=timed, **facts)


@pytest.fixture
def measured(plan, results):
    """A protocol whose systems were measured but for one."""
    nothing = speed(1, 1, 1).model_copy(
        update={"on_processor": None, "left_out": "its files are gone"}
    )
    speeds = {
        "linear": speed(0.5, 320.0, 310.0),
        "rnn": speed(12.0, 1200.0, 500.0),
        "cnn-c6l3": speed(0.8, 450.0, 400.0),
        "emotionnas": nothing,
    }
    return replace(gather(plan, results)["emodb-loso"], speeds=speeds)


def test_the_real_time_factor_is_by_second_of_speech(measured):
    table = cost_table(measured)
    rows = {row["system"]: row for row in table.rows}
    assert [row["system"] for row in table.rows] == ["linear", "cnn-c6l3", "rnn", "emotionnas"]
    assert rows["rnn"]["processor_factor"] == pytest.approx(1.2)
    assert rows["linear"]["processor_factor"] == pytest.approx(0.05)
    # 60.1 % at 0.05 and 66.2 % at 1.2; 57.3 % at 0.08 is below the first, and dearer.
    assert {name for name, row in rows.items() if row["front"]} == {"linear", "rnn"}
    assert rows["emotionnas"]["why"] == "its files are gone"
    assert any("no GPU was there" in note for note in table.notes)
    assert not any(column.key == "card_factor" for column in table.columns)
    assert {point["system"] for point in cost_points(measured)} == {"linear", "rnn", "cnn-c6l3"}


def test_the_spread_of_times_and_the_memory_of_the_model_are_shown(measured, tmp_path):
    table = cost_table(measured)
    shown = {row[0]: row for row in table.shown()}
    titles = [column.title for column in table.columns]
    assert shown["rnn"][titles.index("Real-time factor")] == "1.2 [1.08, 1.44]"
    assert shown["rnn"][titles.index("Memory")] == "1.2 GiB"
    assert shown["rnn"][titles.index("of it the model")] == "700 MiB"
    assert any("median of 30 times" in note for note in table.notes)
    write_tables(tmp_path / "cost", table)
    with (tmp_path / "cost.csv").open(encoding="utf-8") as file:
        rows = {row["system"]: row for row in csv.DictReader(file)}
    bounds = [float(rows["linear"][f"processor_factor_{name}"]) for name in ("low", "high")]
    assert bounds == pytest.approx([0.045, 0.06])
    drawn = {point["system"]: point for point in cost_points(measured)}
    assert drawn["linear"]["cost_low"] == pytest.approx(0.045)
    assert drawn["linear"]["cost_high"] == pytest.approx(0.06)


def test_factors_of_several_machines_are_not_compared(measured):
    other = speed(0.5, 320.0, 310.0, processor="Another processor")
    mixed = replace(measured, speeds={**measured.speeds, "linear": other})
    assert cost_key(mixed) == "parameters"
    table = cost_table(mixed)
    by_size = [row["parameters"] for row in table.rows]
    assert by_size == sorted(by_size)
    (told,) = [note for note in table.notes if "several machines" in note]
    assert "linear on Another processor with one thread" in told
    # Measured they still are.
    assert {row["system"] for row in table.rows if "processor_factor" in row} == {
        "linear",
        "rnn",
        "cnn-c6l3",
    }


def test_without_measurements_weights_are_the_cost(report_folder):
    with (report_folder / "tables/emodb-loso-cost.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    parameters = [int(row["parameters"]) for row in rows]
    assert parameters == sorted(parameters)
    best = max(rows, key=lambda row: float(row["ua"]))
    assert best["front"]
    assert rows[0]["front"]
    text = (report_folder / "tables/emodb-loso-cost.md").read_text(encoding="utf-8")
    assert "speed: true" in text
    with (report_folder / "figures/emodb-loso-cost.csv").open(encoding="utf-8") as file:
        drawn = {row["system"]: row for row in csv.DictReader(file)}
    assert {name for name, row in drawn.items() if row["front"] == "yes"} == {
        row["system"] for row in rows if row["front"]
    }


@pytest.mark.parametrize("costs", [(0.006, 0.017), (0.05, 12.0), (1300, 2_000_000)])
def test_the_axis_of_costs_has_plain_numbers(costs):
    figure = Figure()
    axes = figure.subplots()
    scale_by_cost(axes)
    axes.plot(costs, (0.5, 0.6))
    figure.draw_without_rendering()
    low, high = axes.get_xlim()
    labels = [
        label.get_text()
        for minor in (False, True)
        for place, label in zip(
            axes.get_xticks(minor=minor), axes.get_xticklabels(minor=minor), strict=True
        )
        if low <= place <= high and label.get_text()
    ]
    assert labels
    assert [low <= float(label) <= high for label in labels] == [True] * len(labels)
