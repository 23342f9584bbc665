import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from sklearn.utils.class_weight import compute_class_weight

from emonas.errors import EmonasError
from emonas.learning.batches import Batch
from emonas.learning.devices import peak_memory, prepare
from emonas.learning.objectives import CrossEntropy
from emonas.learning.optimisers import learning_rate, make_optimiser, set_learning_rate
from emonas.learning.options import RuntimeOptions, TrainingOptions
from emonas.learning.scores import Scored, Tally
from emonas.learning.seeds import seed_of
from emonas.learning.supervised import class_weights
from emonas.networks.streams import Output


@pytest.mark.parametrize("seed", range(5))
def test_a_tally_of_batches_is_scikit_learns_figure_of_all(seed):
    generator = np.random.default_rng(seed)
    logits = torch.from_numpy(generator.normal(size=(57, 4)))
    labels = torch.from_numpy(generator.choice([0, 1, 3], p=[0.7, 0.2, 0.1], size=57))
    tally = Tally()
    for rows in torch.arange(57).split(10):
        loss = torch.nn.functional.cross_entropy(logits[rows], labels[rows]).item()
        tally.add(Scored(loss, logits[rows], labels[rows]))
    figures = tally.figures("validation")
    predicted = logits.argmax(dim=1)
    wanted = {
        "validation_loss": log_loss(labels, logits.softmax(dim=1), labels=range(4)),
        "validation_ua": balanced_accuracy_score(labels[predicted != 2], predicted[predicted != 2])
        if (predicted != 2).all()
        else np.mean([(predicted == k)[labels == k].double().mean() for k in (0, 1, 3)]),
        "validation_wa": accuracy_score(labels, predicted),
    }
    assert figures == pytest.approx(wanted, rel=1e-9)


def test_ua_is_balanced_accuracy_where_every_class_is_there():
    generator = np.random.default_rng(9)
    labels = np.r_[0, 1, 2, 3, generator.integers(0, 4, 60)]
    logits = torch.from_numpy(generator.normal(size=(64, 4)))
    tally = Tally()
    tally.add(Scored(0.0, logits, torch.from_numpy(labels)))
    wanted = balanced_accuracy_score(labels, logits.argmax(dim=1))
    assert tally.figures("train")["train_ua"] == pytest.approx(wanted, rel=1e-12)


def test_class_weights_are_scikit_learns():
    labels = np.asarray([0] * 13 + [1] * 5 + [2] * 1 + [3] * 30)
    wanted = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    np.testing.assert_allclose(class_weights(labels, 4).numpy(), wanted, rtol=1e-6)
    assert class_weights(np.asarray([0, 0, 2]), 3).tolist() == [0.5, 0.0, 1.0]


def test_the_objective_is_weighted_and_smoothed_cross_entropy():
    torch.manual_seed(0)
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 0, 1])
    weights, smoothing = torch.tensor([1.0, 2.0, 0.5]), 0.1
    objective = CrossEntropy(TrainingOptions(label_smoothing=smoothing), weights)
    total = 0.0
    for row, label in zip(logits.log_softmax(dim=1).tolist(), labels.tolist(), strict=True):
        total -= (1 - smoothing) * weights[label].item() * row[label]
        total -= sum(smoothing / 3 * w * x for w, x in zip(weights.tolist(), row, strict=True))
    wanted = total / weights[labels].sum().item()
    batch = Batch((), labels)
    assert objective(Output(logits, logits), batch).item() == pytest.approx(wanted, rel=1e-5)


def test_cosine_is_the_closed_form():
    options = TrainingOptions(
        schedule="cosine", epochs=50, learning_rate=0.025, final_learning_rate=1e-3
    )
    for epoch in range(1, 51):
        wanted = 1e-3 + 0.5 * (0.025 - 1e-3) * (1 + math.cos(math.pi * (epoch - 1) / 50))
        assert learning_rate(options, epoch) == pytest.approx(wanted, rel=1e-12)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.025)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 50, eta_min=1e-3)
    for epoch in range(1, 51):
        assert learning_rate(options, epoch) == pytest.approx(schedule.get_last_lr()[0], rel=1e-6)
        optimiser.step()
        schedule.step()
    assert {learning_rate(TrainingOptions(), epoch) for epoch in (1, 20, 50)} == {1e-3}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)],
)
def test_the_optimiser_has_the_options(name, kind):
    options = TrainingOptions(optimiser=name, learning_rate=0.3, weight_decay=0.2, momentum=0.7)
    optimiser = make_optimiser([torch.nn.Parameter(torch.zeros(1))], options)
    assert type(optimiser) is kind
    group = optimiser.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.3, 0.2)
    assert group.get("momentum", 0.7) == 0.7
    set_learning_rate(optimiser, 0.1)
    assert group["lr"] == 0.1


def test_seeds_differ_by_name_and_fit_every_library():
    names = [("a",), ("b",), ("a", "batches"), ("a batches",), ("a", "b"), ("ab",)]
    seeds = {seed_of(seed, *name) for seed in (0, 1) for name in names}
    assert len(seeds) == 12
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of(0, "a") == seed_of(0, "a")


def test_preparing_seeds_torch_and_sets_its_threads():
    before = torch.get_num_threads()
    prepare(RuntimeOptions(device="cpu", torch_threads=2), 5)
    assert torch.get_num_threads() == 2
    first = torch.rand(3)
    assert prepare(RuntimeOptions(device="cpu", torch_threads=before), 5) == torch.device("cpu")
    assert torch.equal(first, torch.rand(3))
    assert peak_memory(torch.device("cpu")) > 10


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told():
    assert prepare(RuntimeOptions(), 0) == torch.device("cpu")
    with pytest.raises(EmonasError, match=r"runtime\.device: cuda, .*set it to auto or cpu"):
        prepare(RuntimeOptions(device="cuda"), 0)
