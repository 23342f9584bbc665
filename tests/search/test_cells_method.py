import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from emonas.errors import EmonasError
from emonas.learning.batches import Batches, Examples
from emonas.learning.job import LearningJob
from emonas.learning.loop import DivergedError, score
from emonas.learning.objectives import CrossEntropy
from emonas.learning.options import RuntimeOptions
from emonas.learning.resume import ResumePoint
from emonas.learning.supervised import SupervisedLearner, class_weights
from emonas.search import trials
from emonas.search.halving import Trial, halve, round_ends
from emonas.search.methods.cells import Options, gather_pool, search
from emonas.search.outcome import SearchProblem
from emonas.storage.genotype import RecipeNode
from emonas.systems.building import build_searched
from emonas.systems.data import FoldData
from emonas.systems.kinds import recurrent
from emonas.systems.normalising import Normaliser, Standardiser
from emonas.systems.shapes import NetworkShape

CPU = torch.device("cpu")
CLASSES = ("angry", "happy", "sad")


def examples(count, seed):
    """Utterances whose class shows in the direction of a drift."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(count) % 3)
    frames = [
        (0.3 * label + generator.standard_normal((int(generator.integers(4, 9)), 4))).astype("f4")
        for label in labels
    ]
    return Examples((frames,), labels)


def problem(resume=None, **changes):
    training = {"batch": 8, "class_weights": True, **changes.pop("training", {})}
    system = recurrent.Options(inputs=["frames"], hidden=6, dropout=0.2, training=training)
    data = FoldData(
        CLASSES, NetworkShape((4,), len(CLASSES)), examples(24, 1), examples(15, 2), Normaliser()
    )
    found = SearchProblem(system, 3, CPU, resume or ResumePoint(), "fold0", data)
    return replace(found, **changes)


SMALL = Options(random=3, epochs=4, first_epochs=1)


@pytest.fixture(scope="module")
def outcome():
    return search(SMALL, problem())


def test_the_lowest_validation_loss_wins(outcome):
    rows = [row for row in outcome.history if row["status"] == "ok"]
    best = min(rows, key=lambda row: row["validation_loss"])
    assert outcome.genotype.name == best["candidate"]
    assert outcome.genotype == gather_pool(SMALL)[best["candidate"]]


def test_its_weights_are_those_of_its_best_epoch(outcome):
    here = problem()
    network = build_searched(here.system, outcome.genotype, NetworkShape((4,), 3))
    network.load_state_dict(outcome.weights)
    weights = class_weights(here.data.train.labels, 3)
    objective = CrossEntropy(here.system.training, weights)
    learner = SupervisedLearner(network, here.system.training, CPU, objective)
    figures = score(learner, Batches(here.data.validation, 8))
    lowest = min(row["validation_loss"] for row in outcome.history)
    assert figures["validation_loss"] == pytest.approx(lowest, abs=1e-7)


def test_half_of_a_round_goes_on_and_every_curve_is_kept(outcome):
    """Six candidates to epoch 1, three to 2, two to 4; the rounds counted from the rows."""
    names = list(gather_pool(SMALL))
    alive = set(names)
    for number, (first, last, size) in enumerate([(1, 1, 6), (2, 2, 3), (3, 4, 2)], start=1):
        rows = [row for row in outcome.history if row["round"] == number]
        assert {row["candidate"] for row in rows} == alive
        assert len(alive) == size
        for name in alive:
            epochs = [row["epoch"] for row in rows if row["candidate"] == name]
            assert epochs == list(range(first, last + 1))
        lowest = {
            name: min(
                row["validation_loss"]
                for row in outcome.history
                if row["candidate"] == name and row["epoch"] <= last
            )
            for name in alive
        }
        alive = set(sorted(alive, key=lowest.__getitem__)[: math.ceil(size / 2)])
    assert [cost.architectures for cost in outcome.costs] == [6, 3, 2, 2]
    assert [cost.epoch for cost in outcome.costs] == [1, 2, 3, 4]


def test_rounds_do_not_begin_anew():
    """A candidate's curve is the same with pauses and without."""
    whole = search(SMALL.model_copy(update={"halving": 1}), problem())
    assert {row["round"] for row in whole.history} == {1}
    curves = {(row["candidate"], row["epoch"]): row for row in whole.history}
    for row in search(SMALL, problem()).history:
        assert {**row, "round": 1} == curves[row["candidate"], row["epoch"]]


def test_neither_order_nor_company_changes_a_curve():
    one = search(Options(named=("lstm", "rnn"), epochs=2, halving=1), problem())
    other = search(Options(named=("rnn", "gru", "lstm"), epochs=2, halving=1), problem())
    rows = [row for row in other.history if row["candidate"] != "gru"]
    assert sorted(map(str, one.history)) == sorted(map(str, rows))


def explosive():
    """A state that is multiplied with 8, and taken to the power of 12, at every step."""
    return {
        "a": RecipeNode(op="linear", input=("x", "h_prev_0")),
        "b": RecipeNode(op="elementwise_sum", input=("a",) * 8),
        "c": RecipeNode(op="elementwise_prod", input=("b",) * 3),
        "h_new_0": RecipeNode(op="elementwise_prod", input=("c",) * 4),
    }


def test_who_diverges_drops_out_and_the_others_go_on(monkeypatch):
    options = Options(named=("rnn", "gru"), epochs=2, halving=1)
    pool = gather_pool(options)
    pool["gru"] = pool["gru"].model_copy(update={"recipe": explosive()})
    monkeypatch.setattr("emonas.search.methods.cells.gather_pool", lambda _: pool)
    outcome = search(options, problem())
    rows = [row for row in outcome.history if row["candidate"] == "gru"]
    assert rows[-1]["status"] == "diverged"
    assert rows[-1]["validation_loss"] is None
    assert outcome.genotype.name == "rnn"
    assert [row["epoch"] for row in outcome.history if row["candidate"] == "rnn"] == [1, 2]

    del pool["rnn"]
    with pytest.raises(DivergedError, match=r"\(gru; every candidate diverged\)"):
        search(options, problem())


def failed_search(options, folder, here):
    """The sentence of a search job that stops; `here` gives its problem."""
    job = LearningJob(
        name="toy/rnn/seed0/fold0",
        seed=0,
        runtime=RuntimeOptions(device="cpu"),
        resume=folder,
        code="1",
    )
    system = problem().system
    with (
        pytest.raises(EmonasError) as told,
        job.resume_point("search", [], system=system, search=options) as point,
    ):
        search(options, here(point))
    return str(told.value)


def test_a_feature_with_numbers_that_are_none_is_told_as_such(tmp_path):
    """It is what is heard, and neither the cells nor the rate."""

    def here(point):
        given = problem(point)
        given.data.train.streams[0][5][0, 0] = np.nan
        normalised = Normaliser((Standardiser.fitted(given.data.train.streams[0]),))
        return replace(given, data=replace(given.data, train=normalised(given.data.train)))

    options = Options(named=("rnn", "gru"), epochs=4, first_epochs=1)
    said = failed_search(options, tmp_path, here)
    assert said == (
        "toy/rnn/seed0/fold0: the search stopped in epoch 1, step 1: the loss is nan (rnn; every "
        "candidate diverged); there is no good state before it; correct or scale the features that "
        "it hears, with which every fold and seed is searched anew"
    )
    # From the record of those that are out it is the same.
    assert failed_search(options, tmp_path, here) == said


def test_who_diverges_later_is_told_by_the_keys_of_the_rate(tmp_path, monkeypatch):
    class Late(SupervisedLearner):
        def train_batch(self, batch):
            if self.seen == 3:
                torch.nn.init.constant_(self.network.classifier.bias, float("nan"))
            return super().train_batch(batch)

        def begin_epoch(self, epoch):
            self.seen = epoch
            super().begin_epoch(epoch)

    monkeypatch.setattr(trials, "SupervisedLearner", Late)
    options = Options(named=("rnn", "gru"), epochs=4, halving=1)
    found = re.fullmatch(
        r"toy/rnn/seed0/fold0: the search stopped in epoch 3, step 1: the loss is nan \(rnn; every "
        r"candidate diverged\); no weights are kept, and what was reached until then is in (.*); "
        r"lower systems\.rnn\.training\.learning_rate or (set|lower) systems\.rnn\.training\.clip, "
        r"with which every fold and seed is searched anew",
        failed_search(options, tmp_path, problem),
    )
    assert found
    assert sorted(p.parent.name for p in Path(found[1]).glob("*/record.pt")) == ["gru", "rnn"]


def test_a_late_divergence_keeps_the_curve_before_it(monkeypatch):
    """The gradient steps of one candidate turn to nan in its third epoch."""

    class Late(SupervisedLearner):
        def train_batch(self, batch):
            if self.seen == 3 and type(self.network.body).__name__ == "RecipeLayers":
                torch.nn.init.constant_(self.network.classifier.bias, float("nan"))
            return super().train_batch(batch)

        def begin_epoch(self, epoch):
            self.seen = epoch if self.network.body.cells[0].states == 2 else 0
            super().begin_epoch(epoch)

    monkeypatch.setattr(trials, "SupervisedLearner", Late)
    outcome = search(Options(named=("lstm", "rnn"), epochs=4, halving=1), problem())
    rows = [row for row in outcome.history if row["candidate"] == "lstm"]
    assert [row["status"] for row in rows] == ["ok", "ok", "diverged"]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert outcome.genotype.name == "rnn"


class KilledError(Exception):
    """What ends a job in the middle."""


@pytest.mark.parametrize("after", [1, 2, 6, 7, 9, 10, 13])
def test_a_killed_job_goes_on_to_the_same_bytes(after, tmp_path, monkeypatch, outcome):
    """KilledError in its `after`-th epoch, wherever in the rounds that is."""
    begun = []

    class Fragile(SupervisedLearner):
        def begin_epoch(self, epoch):
            begun.append(epoch)
            if len(begun) == after:
                raise KilledError
            super().begin_epoch(epoch)

    monkeypatch.setattr(trials, "SupervisedLearner", Fragile)
    total = len(outcome.history)
    with pytest.raises(KilledError):
        search(SMALL, problem(ResumePoint(tmp_path / "a job")))
    torch.manual_seed(99)
    again = search(SMALL, problem(ResumePoint(tmp_path / "a job")))
    assert again.history == outcome.history
    assert again.genotype == outcome.genotype
    assert again.weights.keys() == outcome.weights.keys()
    for name, weight in again.weights.items():
        assert weight.numpy().tobytes() == outcome.weights[name].numpy().tobytes()
    assert [c.architectures for c in again.costs] == [c.architectures for c in outcome.costs]
    assert len(begun) == total + 1


def test_losers_leave_no_weights_behind(tmp_path):
    outcome = search(SMALL, problem(ResumePoint(tmp_path)))
    states = [path.parent.name for path in tmp_path.rglob("state.pt")]
    assert states == [outcome.genotype.name]


@pytest.mark.parametrize(
    ("epochs", "first", "factor", "ends"),
    [
        (50, 5, 2, [7, 13, 25, 50]),
        (50, 1, 2, [1, 2, 4, 7, 13, 25, 50]),
        (50, 5, 3, [6, 17, 50]),
        (50, 5, 1, [50]),
        (3, 5, 2, [3]),
        (1, 1, 4, [1]),
    ],
)
def test_round_ends(epochs, first, factor, ends):
    assert round_ends(epochs, first, factor) == ends


def test_halving_against_a_tournament_of_given_curves():
    generator = np.random.default_rng(0)
    curves = {f"c{i}": generator.random(9).tolist() for i in range(11)}
    gone = []

    def train(name, end):
        return Trial(name, [{"validation_loss": loss} for loss in curves[name][:end]])

    contest = halve(list(curves), [1, 3, 9], 3, train, lambda trial: gone.append(trial.name), "")
    alive = list(curves)
    for end, places in [(1, 4), (3, 2), (9, 1)]:
        alive = sorted(alive, key=lambda name: min(curves[name][:end]))[:places]
    assert contest.winner == alive[0]
    assert sorted(gone) == sorted(set(curves) - {contest.winner})
    assert sorted(len(trial.history) for trial in contest.trials) == [1] * 7 + [3] * 2 + [9] * 2


def test_without_validation_there_is_no_choice():
    here = problem()
    blind = replace(here, data=replace(here.data, validation=None))
    with pytest.raises(EmonasError, match="no validation part"):
        search(SMALL, blind)


def test_options_without_candidates_are_refused():
    with pytest.raises(ValidationError, match="the pool is empty"):
        Options(named=())
    assert list(gather_pool(Options(named=(), random=2, pool_seed=7))) == [
        "random-7-0",
        "random-7-1",
    ]
