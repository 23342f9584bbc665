from collections import Counter

import numpy as np
import pytest
import torch

from emonas.learning.batches import Batches, Examples


def examples(count):
    """Utterance i has 1 + i % 5 frames of the value i, and the label i % 3; two streams."""
    frames = [np.full((1 + row % 5, 2), row, dtype=np.float32) for row in range(count)]
    vectors = [np.full((1, 3), -row, dtype=np.float32) for row in range(count)]
    return Examples((frames, vectors), np.arange(count, dtype=np.int64) % 3)


def order(batches, number):
    return [int(x) for batch in batches.epoch(number) for x in batch.streams[0].frames[:, 0, 0]]


def test_a_batch_is_padded_with_zeros_to_its_longest():
    batch = examples(12).take([3, 10, 1]).batch()
    first, second = batch.streams
    assert first.frames.shape == (3, 4, 2)
    assert first.lengths.tolist() == [4, 1, 2]
    for row, (value, length) in enumerate([(3, 4), (10, 1), (1, 2)]):
        assert (first.frames[row, :length] == value).all()
        assert (first.frames[row, length:] == 0).all()
    assert second.frames[:, 0, 0].tolist() == [-3, -10, -1]
    assert batch.labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 33])
def test_every_utterance_comes_once_an_epoch_with_its_own_label_and_streams(count):
    batches = Batches(examples(count), 4, seed=1, shuffle=True)
    for number in (1, 2):
        assert Counter(order(batches, number)) == Counter(range(count))
        for batch in batches.epoch(number):
            values = batch.streams[0].frames[:, 0, 0]
            assert torch.equal(batch.streams[1].frames[:, 0, 0], -values)
            assert batch.labels.tolist() == [int(value) % 3 for value in values]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [1]), (4, [4]), (5, [5]), (6, [4, 2]), (8, [4, 4]), (9, [4, 5]), (13, [4, 4, 5])],
)
def test_a_lone_last_utterance_joins_the_batch_before(count, sizes):
    batches = Batches(examples(count), 4)
    assert [len(batch.labels) for batch in batches.epoch()] == sizes


def test_the_order_depends_on_seed_and_epoch_alone():
    batches = Batches(examples(50), 8, seed=3, shuffle=True)
    first, second = order(batches, 1), order(batches, 2)
    assert first != second
    torch.manual_seed(99)
    np.random.seed(99)
    again = Batches(examples(50), 8, seed=3, shuffle=True)
    assert order(again, 2) == second
    assert order(again, 1) == first
    assert order(Batches(examples(50), 16, seed=3, shuffle=True), 1) == first
    assert order(Batches(examples(50), 8, seed=4, shuffle=True), 1) != first
    assert order(Batches(examples(50), 8), 1) == list(range(50))


def test_by_length_mixes_like_lengths_and_every_utterance_comes_once():
    """Of 400 utterances, lengths 1 to 5, only batches where a pool or length ends hold several."""
    batches = Batches(examples(400), 4, seed=1, shuffle=True, by_length=True)
    plain = Batches(examples(400), 4, seed=1, shuffle=True)

    def padding(made):
        return sum(
            int(batch.streams[0].frames.shape[1] * 4 - batch.streams[0].lengths.sum())
            for batch in made.epoch(1)
        )

    assert Counter(order(batches, 1)) == Counter(range(400))
    assert padding(batches) < padding(plain) / 5
    first = [batch.streams[0].lengths.max().item() for batch in batches.epoch(1)]
    assert first != sorted(first)
    assert order(batches, 1) == order(batches, 1) != order(batches, 2)


def test_targets_are_padded_and_go_with_their_utterances():
    numbers = [np.arange(row % 3, dtype=np.int64) + row for row in range(6)]
    made = Examples(examples(6).streams, examples(6).labels, targets={"asr": numbers})
    (found,) = made.take([5, 3, 1]).batch().targets.values()
    assert found.lengths.tolist() == [2, 0, 1]
    assert found.numbers.tolist() == [[5, 6], [-1, -1], [1, -1]]


def test_pieces_are_the_batch_without_the_padding_that_they_do_not_need():
    numbers = [np.full(1, row, dtype=np.int64) for row in range(12)]
    made = Examples(examples(12).streams, examples(12).labels, targets={"asr": numbers})
    batch = made.take([0, 4, 1, 9, 2]).batch()
    pieces = batch.pieces(2)
    assert [len(piece.labels) for piece in pieces] == [3, 2]
    assert [piece.streams[0].frames.shape[1] for piece in pieces] == [5, 5]
    assert batch.pieces(3)[2].streams[0].frames.shape[1] == 3
    assert torch.cat([piece.labels for piece in pieces]).equal(batch.labels)
    found = torch.cat([piece.targets["asr"].numbers for piece in pieces])
    assert found[:, 0].tolist() == [0, 4, 1, 9, 2]
    assert len(batch.pieces(40)) == 5
