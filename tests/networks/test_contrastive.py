import math

import pytest
import torch
from torch import nn

from emonas.networks.contrastive import ContrastiveLoss

UNEQUAL = [0] * 6 + [3] * 9 + [1] * 5 + [2] * 7 + [5]


def embeddings_of(labels, width=8, seed=1):
    torch.manual_seed(seed)
    order = torch.randperm(len(labels))
    return torch.randn(len(labels), width).double(), torch.tensor(labels)[order]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


def by_hand(rows, labels, weight, offset, own=True, fewest=6):
    """Eqs. 3 to 5, loops over emotions j, utterances i and emotions k; and who took part."""
    emotions = [e for e in sorted(set(labels)) if labels.count(e) >= fewest]
    x = {
        e: [
            [v / math.hypot(*row) for v in row]
            for row, label in zip(rows, labels, strict=True)
            if label == e
        ]
        for e in emotions
    }
    total, count = 0.0, 0
    for j in emotions:
        for i, vector in enumerate(x[j]):
            scores = {}
            for k in emotions:
                members = [m for n, m in enumerate(x[k]) if own or k != j or n != i]
                centroid = [sum(column) / len(members) for column in zip(*members, strict=True)]
                scores[k] = weight * cosine(vector, centroid) + offset
            total -= math.log(math.exp(scores[j]) / sum(math.exp(s) for s in scores.values()))
            count += 1
    return total, count


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("labels", [UNEQUAL, [0] * 6 + [1] * 6, [4] * 20 + [2] * 6 + [0] * 11])
@pytest.mark.parametrize("weight", [10.0, 2.5])
def test_the_loss_is_equations_3_to_5(own, labels, weight):
    embeddings, labels = embeddings_of(labels)
    module = ContrastiveLoss(own=own, start_weight=weight).double()
    found = module(embeddings, labels)
    wanted, count = by_hand(embeddings.tolist(), labels.tolist(), weight, -5.0, own)
    assert found.loss.item() == pytest.approx(wanted, rel=1e-6)
    assert found.utterances == count
    assert wanted > 1


def test_leaving_oneself_out_is_another_loss():
    embeddings, labels = embeddings_of(UNEQUAL)
    with_own, without = (ContrastiveLoss(own=own)(embeddings, labels).loss for own in (True, False))
    assert without > with_own + 1


def test_emotions_of_five_are_left_out_and_of_six_kept():
    embeddings, labels = embeddings_of([0] * 6 + [1] * 5 + [2] * 7)
    module = ContrastiveLoss()
    kept = labels != 1
    whole, part = module(embeddings, labels), module(embeddings[kept], labels[kept])
    assert (whole.utterances, whole.emotions) == (13, 2)
    torch.testing.assert_close(whole.loss, part.loss)
    embeddings.requires_grad_()
    module(embeddings, labels).loss.backward()
    assert embeddings.grad[kept].abs().sum(dim=1).all()
    assert not embeddings.grad[~kept].any()
    assert ContrastiveLoss(fewest=5)(embeddings, labels).utterances == 18


def gradients(module, embeddings, labels):
    embeddings = embeddings.clone().requires_grad_()
    found = module(embeddings, labels)
    found.loss.backward()
    learnt = [embeddings.grad, *(parameter.grad for parameter in module.parameters())]
    assert all(gradient.isfinite().all() for gradient in learnt)
    return found, learnt


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    ("labels", "count", "emotions"), [([0] * 5 + [1] * 5, 0, 0), ([2] * 9 + [1] * 5, 9, 1)]
)
def test_with_one_emotion_or_none_the_loss_is_zero_and_can_be_differentiated(
    own, labels, count, emotions
):
    found, learnt = gradients(ContrastiveLoss(own=own), *embeddings_of(labels))
    assert found.loss.item() == 0
    assert (found.utterances, found.emotions) == (count, emotions)
    assert not any(gradient.any() for gradient in learnt)


@pytest.mark.parametrize("own", [True, False])
def test_identical_embeddings_are_finite(own):
    labels = torch.tensor([0] * 6 + [1] * 7)
    found, _ = gradients(ContrastiveLoss(own=own), torch.ones(13, 4), labels)
    # Every cosine is 1: no centroid is nearer than another.
    assert found.loss.item() == pytest.approx(13 * math.log(2), rel=1e-5)


@pytest.mark.parametrize("own", [True, False])
def test_zero_embeddings_and_centroids_of_zero_are_finite(own):
    labels = torch.tensor([0] * 6 + [1] * 6)
    gradients(ContrastiveLoss(own=own), torch.zeros(12, 4), labels)
    opposite = torch.randn(3, 4).repeat(4, 1) * torch.tensor([1.0, -1.0]).repeat(6)[:, None]
    gradients(ContrastiveLoss(own=own), opposite, labels)


@pytest.mark.parametrize("own", [True, False])
def test_gradients_are_finite_differences(own):
    embeddings, labels = embeddings_of(UNEQUAL)
    module = ContrastiveLoss(own=own, start_weight=6.0).double()
    _, learnt = gradients(module, embeddings, labels)
    for parameter, gradient in zip(module.parameters(), learnt[1:], strict=True):
        start, losses = parameter.item(), []
        for step in (1e-5, -1e-5, 0.0):
            nn.init.constant_(parameter, start + step)
            losses.append(module(embeddings, labels).loss.item())
        slope = (losses[0] - losses[1]) / 2e-5
        assert gradient.item() == pytest.approx(slope, rel=1e-5, abs=1e-6)
    assert learnt[1].abs().item() > 0.1
    embeddings = embeddings.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: module(x, labels).loss, (embeddings,))


@pytest.mark.parametrize("weight", [1e-3, 1.0, 10.0, 60.0])
def test_w_starts_where_it_is_told_and_stays_positive(weight):
    module = ContrastiveLoss(start_weight=weight)
    assert module.weight.item() == pytest.approx(weight, rel=1e-4)
    with torch.no_grad():
        module.raw_weight -= 80
    assert 0 < module.weight.item() < 1e-5


def test_an_order_of_utterances_does_not_matter():
    embeddings, labels = embeddings_of(UNEQUAL)
    order = torch.randperm(len(labels))
    module = ContrastiveLoss(own=False)
    one, two = module(embeddings, labels), module(embeddings[order], labels[order])
    torch.testing.assert_close(one.loss, two.loss)


@pytest.mark.parametrize(
    "options", [{"fewest": 0}, {"fewest": 1, "own": False}, {"start_weight": 0.0}]
)
def test_a_loss_without_centroids_is_refused(options):
    with pytest.raises(ValueError, match="must be"):
        ContrastiveLoss(**options)
