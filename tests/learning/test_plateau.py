import numpy as np
import pytest
import torch

from emonas.errors import EmonasError
from emonas.learning.batches import Batches, Examples
from emonas.learning.loop import Plan, fit
from emonas.learning.options import TrainingOptions
from emonas.learning.resume import ResumePoint
from emonas.learning.supervised import SupervisedLearner
from emonas.networks.recurrent import LibraryLayers, RecurrentClassifier

CPU = torch.device("cpu")


def learner(options, seed=0):
    torch.manual_seed(seed)
    network = RecurrentClassifier(LibraryLayers("gru", 4, 6, 1), 6, 3, dropout=0.3)
    return SupervisedLearner(network, options, CPU)


def rates(losses, patience):
    """The rate of every epoch by a plain loop: halved for the next one after so many in a row."""
    rate, best, bad, found = 1.0, float("inf"), 0, []
    for loss in losses:
        found.append(rate)
        bad = 0 if loss < best else bad + 1
        best = min(best, loss)
        if bad == patience:
            rate, bad = rate / 2, 0
    return found


@pytest.mark.parametrize("patience", [1, 2, 3, 10])
def test_the_rate_is_halved_as_a_plain_loop_says(patience):
    options = TrainingOptions(schedule="plateau", plateau_epochs=patience, learning_rate=1.0)
    generator = np.random.default_rng(patience)
    series = [[3.0] * 45, [*np.linspace(2, 1, 15), *([1.0] * 30)], list(range(60))]
    series += [list(generator.integers(1, 9, 80) / 4) for _ in range(20)]
    series += [list(np.linspace(1, 1 - 1e-12, 60))]
    for losses in series:
        one, found = learner(options), []
        for epoch, loss in enumerate(losses, 1):
            one.begin_epoch(epoch)
            found.append(one.facts()["learning_rate"])
            one.end_epoch({"validation_loss": float(loss)})
        assert found == rates(losses, patience)


def test_the_tenth_epoch_without_a_lower_loss_halves_the_rate_of_the_next():
    one = learner(TrainingOptions(schedule="plateau", learning_rate=1e-3))
    for epoch in range(1, 12):
        one.begin_epoch(epoch)
        assert one.facts()["learning_rate"] == 1e-3
        one.end_epoch({"validation_loss": 1.0})
    one.begin_epoch(12)
    assert one.facts()["learning_rate"] == 5e-4


def examples(count, seed):
    generator = np.random.default_rng(seed)
    arrays = [
        generator.normal(size=(generator.integers(2, 9), 4)).astype(np.float32)
        for _ in range(count)
    ]
    return Examples((arrays,), np.arange(count, dtype=np.int64) % 3)


NOISE = TrainingOptions(epochs=9, batch=8, learning_rate=0.2, schedule="plateau", plateau_epochs=2)


def run(resume, pause=None, seed=0, select="validation_loss"):
    one = learner(NOISE, seed)
    train = Batches(examples(24, 1), 8, 7, shuffle=True)
    held = Batches(examples(20, 2), 8)
    return one, fit(one, train, held, Plan(9, select, pause=pause), resume=resume)


@pytest.mark.parametrize("select", ["validation_loss", "last"])
@pytest.mark.parametrize("pauses", [(1,), (4,), (2, 3, 5, 7, 8)])
def test_a_paused_training_halves_as_an_undisturbed_one(tmp_path, pauses, select):
    whole, wanted = run(ResumePoint(), select=select)
    used = {row["learning_rate"] for row in wanted.history}
    assert len(used) > 2  # what is learnt is noise, so the rate is halved more than once
    resume = ResumePoint(tmp_path / "a point")
    for number, pause in enumerate(pauses):
        run(resume, pause, seed=100 * number, select=select)
    one, outcome = run(resume, seed=77, select=select)
    assert outcome.history == wanted.history
    assert outcome.best_epoch == wanted.best_epoch
    state, undisturbed = one.network.state_dict(), whole.network.state_dict()
    assert all(torch.equal(state[name], undisturbed[name]) for name in undisturbed)


def test_without_a_validation_part_it_is_told():
    train = Batches(examples(8, 1), 4)
    with pytest.raises(EmonasError, match=r"training\.schedule: plateau, .*set it to constant"):
        fit(learner(NOISE), train, None, Plan(2), resume=ResumePoint())
