"""Batches of one domain each, and what is counted by domain."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, recall_score
from torch import nn

from emonas.learning.batches import Batches, Examples
from emonas.learning.optimisers import common_rate, make_optimiser, set_learning_rate
from emonas.learning.options import TrainingOptions
from emonas.learning.scores import Scored, Tally
from emonas.learning.supervised import apply_network
from emonas.networks.streams import Output

CPU = torch.device("cpu")


def examples(domains):
    frames = [np.full((2, 1), number, dtype=np.float32) for number in range(len(domains))]
    return Examples((frames,), np.arange(len(domains)) % 3, np.asarray(domains, dtype=np.int64))


DOMAINS = [0, 1, 0, 2, 0, 0, 1, 0, 2, 0, 0, 0, 1, 1]


def test_a_batch_is_of_one_domain_and_every_utterance_comes_once():
    batches = Batches(examples(DOMAINS), 3, seed=4, shuffle=True)
    for epoch in range(5):
        seen = []
        for batch in batches.epoch(epoch):
            numbers = batch.streams[0].frames[:, 0, 0].long().tolist()
            assert {DOMAINS[number] for number in numbers} == {batch.domain}
            assert len(numbers) <= 4
            seen += numbers
        assert sorted(seen) == list(range(len(DOMAINS)))
    assert len(batches) == len(list(batches.epoch(1)))


def test_domains_come_in_shuffled_turn_that_the_seed_and_the_epoch_decide():
    def turns(seed, epoch):
        batches = Batches(examples(DOMAINS * 5), 3, seed=seed, shuffle=True)
        return [batch.domain for batch in batches.epoch(epoch)]

    assert turns(1, 1) == turns(1, 1)
    assert len({tuple(turns(1, epoch)) for epoch in range(4)}) == 4
    assert turns(1, 1) != turns(2, 1)
    assert turns(1, 1) != sorted(turns(1, 1))


class Told(nn.Module):
    """Gives back what it was told: the utterance's own number, and the domain."""

    def forward(self, stream, domain):
        value = stream.frames[:, 0]
        return Output(value, torch.full_like(value, domain), value + 0.5)


def test_predictions_keep_the_order_of_the_examples():
    found = apply_network(Told(), examples(DOMAINS), 3, CPU)
    assert found.logits.flatten().tolist() == list(range(len(DOMAINS)))
    assert found.embedding.flatten().tolist() == DOMAINS
    assert found.gates.flatten().tolist() == [n + 0.5 for n in range(len(DOMAINS))]


def test_ua_and_wa_are_the_means_of_those_of_the_domains():
    generator = torch.Generator().manual_seed(3)
    tally, kept = Tally(), {0: ([], []), 1: ([], [])}
    for domain, count in ((0, 9), (1, 4), (0, 5), (1, 3)):
        logits = torch.randn(count, 3, generator=generator)
        labels = torch.randint(0, 3, (count,), generator=generator)
        tally.add(Scored(float(count), logits, labels, domain))
        kept[domain][0].extend(labels.tolist())
        kept[domain][1].extend(logits.argmax(dim=1).tolist())
    uas = [
        np.mean(recall_score(true, found, labels=sorted(set(true)), average=None))
        for true, found in kept.values()
    ]
    figures = tally.figures("validation")
    assert figures["validation_ua"] == pytest.approx(np.mean(uas))
    wanted = np.mean([accuracy_score(true, found) for true, found in kept.values()])
    assert figures["validation_wa"] == pytest.approx(wanted)
    assert figures["validation_loss"] == pytest.approx((81 + 16 + 25 + 9) / 21)


def test_a_parameter_can_learn_at_a_multiple_of_the_rate():
    slow, fast = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    options = TrainingOptions(optimiser="sgd", learning_rate=0.1, momentum=0.0)
    optimiser = make_optimiser([fast, slow], options, {slow: 0.01})
    (fast + slow).backward()
    optimiser.step()
    assert (fast.item(), slow.item()) == pytest.approx((0.9, 0.999))
    set_learning_rate(optimiser, 0.05)
    optimiser.step()
    assert (fast.item(), slow.item()) == pytest.approx((0.85, 0.9985))
    assert common_rate(optimiser) == pytest.approx(0.05)
    assert common_rate(make_optimiser([slow], options, {slow: 0.01})) == pytest.approx(0.1)
