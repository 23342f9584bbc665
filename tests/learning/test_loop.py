import copy

import numpy as np
import pytest
import torch

from emonas.errors import EmonasError
from emonas.jobs import Progress
from emonas.learning.batches import Batches, Examples
from emonas.learning.loop import DivergedError, Plan, fit, score
from emonas.learning.options import TrainingOptions
from emonas.learning.resume import ResumePoint
from emonas.learning.scores import Scored
from emonas.learning.supervised import SupervisedLearner, apply_network
from emonas.networks.recurrent import LibraryLayers, RecurrentClassifier

CPU = torch.device("cpu")
NOISY = TrainingOptions(
    epochs=6, batch=8, learning_rate=0.01, mask_time=0.5, mask_features=0.5, clip=1.0
)


def examples(count, seed, noise=1.0):
    """Sequences whose mean tells the class, more or less."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % 3
    arrays = [
        (generator.normal(size=(generator.integers(2, 9), 4)) * noise + label).astype(np.float32)
        for label in labels
    ]
    return Examples((arrays,), labels)


def learner(options=NOISY, seed=0):
    torch.manual_seed(seed)
    network = RecurrentClassifier(LibraryLayers("gru", 4, 6, 1), 6, 3, dropout=0.3)
    return SupervisedLearner(network, options, CPU)


def run(options=NOISY, resume=None, progress=None, plan=None, **learning):
    one = learning.pop("learner", None) or learner(options)
    outcome = fit(
        one,
        Batches(examples(30, 1), options.batch, 7, shuffle=True),
        Batches(examples(20, 2), options.batch),
        plan or Plan(options.epochs, options.select, options.patience),
        resume=resume or ResumePoint(),
        progress=progress,
    )
    return one, outcome


def equal(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


class Scripted:
    """A learner whose validation figures are given by epoch; its state is the epoch's number."""

    device = CPU
    needs_validation = False

    def __init__(self, losses, rights=None):
        self.losses, self.rights, self.epoch = losses, rights, 0

    def begin_epoch(self, epoch):
        self.epoch = epoch

    def end_epoch(self, row):
        assert row["fact"] == self.epoch == row["epoch"]
        assert row["validation_loss"] == self.losses[self.epoch - 1]

    def train_batch(self, batch):
        return Scored(1.0, torch.zeros(len(batch.labels), 3), batch.labels)

    def validate_batch(self, batch):
        right = len(batch.labels) if self.rights is None else self.rights[self.epoch - 1]
        predicted = batch.labels.clone()
        predicted[right:] = (predicted[right:] + 1) % 3
        logits = torch.nn.functional.one_hot(predicted, 3).float()
        return Scored(self.losses[self.epoch - 1], logits, batch.labels)

    def facts(self):
        return {"fact": float(self.epoch)}

    def weights(self):
        return {}

    def state(self):
        return {"epoch": self.epoch}

    def restore(self, state):
        self.epoch = state["epoch"]


def scripted(one, plan):
    part = Batches(examples(12, 3), 12)
    return fit(one, part, part, plan, resume=ResumePoint())


def test_it_learns():
    options = TrainingOptions(epochs=30, batch=8, learning_rate=0.02)
    _, outcome = run(options, learner=learner(options))
    assert outcome.history[-1]["train_loss"] < outcome.history[0]["train_loss"] / 2
    assert max(row["validation_ua"] for row in outcome.history) > 0.8


@pytest.mark.parametrize("select", ["validation_loss", "validation_ua", "validation_wa"])
def test_the_kept_epoch_is_the_first_best_and_its_weights_are_left(select):
    one, outcome = run(NOISY.model_copy(update={"select": select, "epochs": 10}))
    figures = [row[select] for row in outcome.history]
    best = min(figures) if select == "validation_loss" else max(figures)
    assert outcome.best_epoch == 1 + figures.index(best)
    again = score(one, Batches(examples(20, 2), 8))
    wanted = outcome.history[outcome.best_epoch - 1]
    assert again == {name: wanted[name] for name in again}


def test_of_equals_the_first_is_kept():
    one = Scripted([3.0, 2.0, 2.0, 2.5], [1, 5, 5, 5])
    for select in ("validation_loss", "validation_ua", "validation_wa"):
        assert scripted(one, Plan(4, select)).best_epoch == 2
        assert one.epoch == 2


def test_the_last_epoch_is_kept_where_that_is_asked():
    one = Scripted([1.0, 2.0, 3.0])
    outcome = scripted(one, Plan(3, "last", patience=1))
    assert (outcome.best_epoch, one.epoch, len(outcome.history)) == (3, 3, 3)


def test_validation_does_not_touch_the_weights_of_the_last_epoch():
    """With `last`, training goes as it would without a validation part."""
    options = NOISY.model_copy(update={"select": "last"})
    with_validation, _ = run(options)
    alone = learner(options)
    batches = Batches(examples(30, 1), options.batch, 7, shuffle=True)
    outcome = fit(alone, batches, None, Plan(options.epochs), resume=ResumePoint())
    assert equal(alone.network.state_dict(), with_validation.network.state_dict())
    assert "validation_ua" not in outcome.history[0]


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 6), (3, 7), (None, 8)])
def test_patience_counts_epochs_without_a_better_one(patience, epochs):
    losses = [5.0, 4.0, 4.0, 3.0, 3.5, 3.5, 3.5, 3.5]
    outcome = scripted(Scripted(losses), Plan(8, "validation_loss", patience))
    assert len(outcome.history) == epochs
    assert outcome.best_epoch == (2 if patience == 1 else 4)


def test_choosing_without_a_validation_part_is_told():
    batches = Batches(examples(6, 1), 4)
    with pytest.raises(EmonasError, match=r"training\.select: validation_ua, .*set it to last"):
        fit(learner(), batches, None, Plan(2, "validation_ua"), resume=ResumePoint())


EXPLOSIVE = {"learning_rate": 1000.0, "weight_decay": 500.0}
"""Every step makes the weights 500,000 times as large."""


def test_a_loss_that_is_no_number_stops_the_training():
    with pytest.raises(DivergedError, match=r"epoch 2: validation_loss is nan; lower the learning"):
        scripted(Scripted([1.0, float("nan"), 1.0]), Plan(3, "validation_loss"))
    options = TrainingOptions(optimiser="sgd", epochs=5, batch=8, **EXPLOSIVE)
    with pytest.raises(DivergedError, match="lower the learning rate"):
        run(options)


def test_it_stops_in_the_step_whose_loss_is_no_number():
    options = TrainingOptions(optimiser="sgd", epochs=5, batch=8, **EXPLOSIVE)
    with pytest.raises(DivergedError, match=r"^epoch 2, step 3: the loss is nan") as told:
        run(options)
    assert told.value.epoch == 2


def test_weights_that_the_last_step_made_no_numbers_are_never_kept(tmp_path):
    """Without validation nothing is computed with them any more in that epoch."""
    options = TrainingOptions(
        optimiser="sgd", learning_rate=1000, weight_decay=1e38, batch=64, epochs=3
    )
    resume = ResumePoint(tmp_path)
    one = learner(options)
    with pytest.raises(DivergedError, match=r"epoch 1: [\w.]+ holds numbers that are not finite"):
        fit(one, Batches(examples(20, 1), 64), None, Plan(3), resume=resume)
    assert resume.load() is None


def test_the_state_before_a_divergence_stays_and_ends_there_again(tmp_path):
    # So high a rate that it takes some epochs.
    options = TrainingOptions(
        optimiser="sgd", momentum=0.9, learning_rate=30.0, weight_decay=1.0, epochs=400, batch=8
    )
    resume = ResumePoint(tmp_path)
    with pytest.raises(DivergedError) as told:
        run(options, resume)
    epoch = told.value.epoch
    assert epoch > 1
    kept = resume.load()
    assert [row["epoch"] for row in kept["history"]] == list(range(1, epoch))
    for part in ("learner", "best"):
        for tensor in kept[part]["network"].values():
            assert torch.isfinite(tensor).all()
    with pytest.raises(DivergedError, match=f"^epoch {epoch}[,:]"):
        run(options, resume)


def test_history_and_cost_have_a_row_an_epoch():
    _, outcome = run()
    assert [row["epoch"] for row in outcome.history] == [1, 2, 3, 4, 5, 6]
    assert [cost.epoch for cost in outcome.costs] == [1, 2, 3, 4, 5, 6]
    assert all(row["learning_rate"] == 0.01 for row in outcome.history)
    assert scripted(Scripted([1.0, 1.0]), Plan(2)).history[1]["fact"] == 2.0


class StoppedError(Exception):
    pass


class Stopping(Progress):
    """Raises after an epoch, as if the job had been killed."""

    def __init__(self, after):
        super().__init__("test", 6)
        self._after = after

    def step(self, done, text):
        if done == self._after:
            raise StoppedError


@pytest.mark.parametrize("select", ["validation_ua", "last"])
@pytest.mark.parametrize("stops", [(1,), (4,), (2, 3, 5)])
def test_an_interrupted_training_ends_as_an_undisturbed_one(tmp_path, stops, select):
    options = NOISY.model_copy(
        update={"select": select, "schedule": "cosine", "optimiser": "sgd", "momentum": 0.9}
    )
    whole, wanted = run(options)
    resume = ResumePoint(tmp_path / "a point")
    for number, stop in enumerate(stops):
        with pytest.raises(StoppedError):
            run(options, resume, Stopping(stop), learner=learner(options, seed=number))
    one, outcome = run(options, resume, learner=learner(options, seed=77))
    assert outcome.history == wanted.history
    assert outcome.best_epoch == wanted.best_epoch
    assert len(outcome.costs) == len(wanted.costs)
    assert equal(one.network.state_dict(), whole.network.state_dict())


class StoppedInside(SupervisedLearner):
    """Raises in the middle of an epoch."""

    def begin_epoch(self, epoch):
        super().begin_epoch(epoch)
        self.left = 2 if epoch == 4 else 1000

    def train_batch(self, batch):
        self.left -= 1
        if not self.left:
            raise StoppedError
        return super().train_batch(batch)


def test_a_training_killed_inside_an_epoch_begins_that_epoch_anew(tmp_path):
    whole, wanted = run()
    resume = ResumePoint(tmp_path)
    with pytest.raises(StoppedError):
        run(resume=resume, learner=StoppedInside(learner().network, NOISY, CPU))
    one, outcome = run(resume=resume, learner=learner(seed=5))
    assert outcome.history == wanted.history
    assert equal(one.network.state_dict(), whole.network.state_dict())


def test_the_noise_of_training_matters_here():
    """Without it, the tests of interrupted trainings would not see a lost random state."""
    first = learner()
    batch = examples(8, 1).batch()
    torch.manual_seed(1)
    one = first.train_batch(batch).loss
    second = learner()
    torch.manual_seed(2)
    assert second.train_batch(batch).loss != one


def test_a_damaged_state_begins_anew(tmp_path):
    whole, wanted = run()
    resume = ResumePoint(tmp_path)
    with pytest.raises(StoppedError):
        run(resume=resume, progress=Stopping(3))
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[:-1000])
    one, outcome = run(resume=resume)
    assert outcome.history == wanted.history
    assert equal(one.network.state_dict(), whole.network.state_dict())


def test_a_pause_goes_on_as_if_there_were_none(tmp_path):
    whole, wanted = run(plan=Plan(6, "validation_ua"))
    resume = ResumePoint(tmp_path)
    _, first = run(resume=resume, plan=Plan(6, "validation_ua", pause=2))
    assert first.history == wanted.history[:2]
    one, outcome = run(resume=resume, plan=Plan(6, "validation_ua"))
    assert outcome.history == wanted.history
    assert equal(one.network.state_dict(), whole.network.state_dict())


def test_the_gradient_is_clipped():
    options = TrainingOptions(optimiser="sgd", momentum=0, learning_rate=1.0, clip=0.01, batch=8)
    one = learner(options)
    before = copy.deepcopy(one.network.state_dict())
    one.begin_epoch(1)
    one.train_batch(examples(8, 1).batch())
    steps = [after - before[name] for name, after in one.network.state_dict().items()]
    norm = torch.cat([step.flatten() for step in steps]).norm().item()
    assert norm == pytest.approx(0.01, rel=1e-3)


def test_applying_gives_every_utterance_its_own_output_whatever_the_batch():
    network = learner().network
    part = examples(11, 4)
    output = apply_network(network, part, 5, CPU)
    for row in range(11):
        alone = apply_network(network, part.take([row]), 1, CPU)
        torch.testing.assert_close(alone.logits[0], output.logits[row], rtol=0, atol=1e-5)
        torch.testing.assert_close(alone.embedding[0], output.embedding[row], rtol=0, atol=1e-5)
