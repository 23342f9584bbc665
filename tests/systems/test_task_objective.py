"""The tasks' losses against loops written from the equations."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from emonas.learning.batches import Batch, Examples, Targets
from emonas.learning.objectives import CrossEntropy
from emonas.learning.options import TrainingOptions
from emonas.networks.streams import Output, Stream
from emonas.systems.task_objective import TaskObjective, answer_loss, ctc_loss, gradient_cosines

FRAMES, CHARACTERS = 5, 3


def target(*answers):
    examples = Examples(
        ([np.zeros((1, 1), np.float32)] * len(answers),),
        np.zeros(len(answers), np.int64),
        targets={"asr": [np.asarray(answer, np.int64) for answer in answers]},
    )
    return examples.batch().targets["asr"]


def spelling(path):
    """What a path of CTC spells: repeats are one, blanks (0) none."""
    return tuple(b for a, b in zip((0, *path), path, strict=False) if b not in (a, 0))


def brute_force(logits, text):
    """Minus the log of the summed probability of every path that spells the text."""
    probabilities = logits.softmax(dim=1)
    total = sum(
        np.prod([float(probabilities[step, answer]) for step, answer in enumerate(path)])
        for path in product(range(logits.shape[1]), repeat=len(logits))
        if spelling(path) == tuple(text)
    )
    return -np.log(total)


def test_ctc_is_the_sum_over_all_paths_by_character():
    torch.manual_seed(0)
    logits, lengths = torch.randn(4, FRAMES, CHARACTERS + 1), torch.tensor([5, 3, 4, 5])
    texts = [(1, 2), (3,), (2, 2), ()]
    found = ctc_loss(Stream(logits, lengths), target(*texts))
    # The last has no text: nobody wrote it down.
    expected = np.mean(
        [brute_force(logits[row, : lengths[row]], texts[row]) / len(texts[row]) for row in range(3)]
    )
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_a_text_too_long_for_its_frames_weighs_nothing_and_breaks_nothing():
    logits = torch.randn(2, 3, CHARACTERS + 1, requires_grad=True)
    stream = Stream(logits, torch.tensor([3, 3]))
    loss = ctc_loss(stream, target((1, 1, 1), (2,)))
    loss.backward()
    alone = brute_force(logits[1].detach(), (2,))
    assert float(loss) == pytest.approx(alone / 2, rel=1e-5)
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[0].any()


def test_unknown_answers_have_no_part_and_none_known_costs_nothing():
    logits = torch.randn(4, 1, 2, requires_grad=True)
    stream = Stream(logits, torch.ones(4, dtype=torch.long))
    found = answer_loss(stream, target((1,), (), (0,), ()))
    expected = nn.functional.cross_entropy(logits[[0, 2], 0], torch.tensor([1, 0]))
    assert torch.equal(found, expected)
    for loss in (answer_loss, ctc_loss):
        nothing = loss(stream, target((), (), (), ()))
        assert nothing.item() == 0
        nothing.backward(retain_graph=True)


def test_a_batch_of_one_gender_is_learnt_from():
    logits = torch.randn(3, 1, 2, requires_grad=True)
    stream = Stream(logits, torch.ones(3, dtype=torch.long))
    loss = answer_loss(stream, target((1,), (1,), (1,)))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.fixture
def several():
    """An objective of three tasks over a shared map of two weights."""
    shared = nn.Parameter(torch.tensor([0.3, -0.2]))
    objective = TaskObjective(
        CrossEntropy(TrainingOptions()), {"emotion": 0.8, "gender": 0.15, "asr": 0.05}, [shared]
    )
    values = torch.tensor([[1.0, 2.0], [0.5, -1.0]])

    def output():
        seen = values * shared
        frames = seen[:, None, :].repeat(1, 4, 1) * torch.arange(1, 5)[:, None]
        return Output(
            seen,
            seen,
            tasks={
                "gender": Stream(-2 * seen[:, None], torch.tensor([1, 1])),
                "asr": Stream(frames, torch.tensor([4, 3])),
            },
        )

    batch = Batch(
        (),
        torch.tensor([0, 1]),
        targets={
            "gender": Targets(torch.tensor([[0], [1]]), torch.tensor([1, 1])),
            "asr": Targets(torch.tensor([[1], [1]]), torch.tensor([1, 1])),
        },
    )
    return objective, output, batch, shared


def test_the_whole_is_the_weighed_sum_and_validation_goes_by_emotion(several):
    objective, output, batch, _ = several
    made = output()
    emotion = nn.functional.cross_entropy(made.logits, batch.labels)
    gender = nn.functional.cross_entropy(made.tasks["gender"].frames[:, 0], torch.tensor([0, 1]))
    asr = np.mean(
        [
            brute_force(made.tasks["asr"].frames[row, :length].detach(), (1,))
            for row, length in enumerate((4, 3))
        ]
    )
    whole = 0.8 * float(emotion) + 0.15 * float(gender) + 0.05 * asr
    assert float(objective(made, batch)) == pytest.approx(whole, rel=1e-5)
    assert float(objective.classification(made, batch)) == pytest.approx(float(emotion))
    facts = objective.facts()
    assert facts["train_emotion_loss"] == pytest.approx(float(emotion), rel=1e-5)
    assert facts["train_asr_loss"] == pytest.approx(asr, rel=1e-5)
    # Counting began anew: nothing is known of anything.
    again = objective.facts()
    assert list(again) == ["train_emotion_loss", "train_gender_loss", "train_asr_loss"]
    assert all(math.isnan(value) for value in again.values())


def test_a_task_s_mean_is_over_the_utterances_whose_answer_is_known(several):
    objective, output, batch, _ = several
    losses = []
    for lengths in ([1, 0], [0, 0], [1, 1]):
        gender = Targets(torch.tensor([[0], [1]]), torch.tensor(lengths))
        part = batch._replace(targets={**batch.targets, "gender": gender})
        losses.append(float(objective.losses(output(), part)["gender"]))
        objective(output(), part)
    facts = objective.facts()
    assert facts["train_gender_loss"] == pytest.approx((losses[0] + 2 * losses[2]) / 3)


def test_a_first_stage_is_not_chosen_by_what_it_unlearns(several):
    _, output, batch, shared = several
    weights = {"asr": 0.5, "gender": 2.0}
    objective = TaskObjective(CrossEntropy(TrainingOptions()), weights, [shared], ["gender"])
    losses = objective.losses(output(), batch)
    assert float(objective.classification(output(), batch)) == pytest.approx(
        0.5 * float(losses["asr"])
    )
    whole = 0.5 * float(losses["asr"]) + 2 * float(losses["gender"])
    assert float(objective(output(), batch)) == pytest.approx(whole)


def test_conflicts_are_the_cosines_of_the_gradients_on_an_epoch_s_first_batch(several):
    objective, output, batch, shared = several
    losses = objective.losses(output(), batch)
    by_hand = {}
    for task, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss, shared, retain_graph=True)
        by_hand[task] = gradient
    objective(output(), batch)
    with torch.no_grad():
        shared.add_(1.0)
    objective(output(), batch)
    facts = objective.facts()
    for one, other in (("emotion", "gender"), ("emotion", "asr"), ("gender", "asr")):
        expected = torch.cosine_similarity(by_hand[one], by_hand[other], dim=0)
        assert facts[f"cosine_{one}_{other}"] == pytest.approx(float(expected), abs=1e-5)
    # Gender's logits are turned round, so the two tasks pull in opposite directions.
    assert facts["cosine_emotion_gender"] < 0


def test_nothing_shared_is_no_conflict(several):
    objective, output, batch, _ = several
    assert gradient_cosines(objective.losses(output(), batch), []) == {}
