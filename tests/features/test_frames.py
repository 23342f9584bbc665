import numpy as np
import pytest
import torch

from emonas.features.frames import adaptively_pooled, duration_in_samples, padded
from emonas.storage.frames import pooled


@pytest.mark.parametrize(("length", "size"), [(726, 140), (201, 140), (90, 140), (7, 7), (5, 1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_adaptive_pooling_is_that_of_torch(length: int, size: int, axis: int) -> None:
    values = np.random.default_rng(0).normal(size=(length, 3)).astype(np.float32)
    if axis == 1:
        values = values.T
    shape = (size, 3) if axis == 0 else (3, size)
    expected = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(values)[None], shape)[0]
    np.testing.assert_allclose(adaptively_pooled(values, size, axis), expected, atol=1e-6)


@pytest.mark.parametrize(("length", "group"), [(12, 4), (13, 4), (3, 4), (5, 1)])
def test_pooling_averages_groups_and_a_smaller_last_one(length: int, group: int) -> None:
    frames = np.random.default_rng(1).normal(size=(length, 2)).astype(np.float32)
    expected = [frames[start : start + group].mean(axis=0) for start in range(0, length, group)]
    np.testing.assert_allclose(pooled(frames, group), expected, atol=1e-6)


def test_padding_appends_zeros_and_never_cuts() -> None:
    np.testing.assert_array_equal(padded(np.float32([1, 2]), 4), [1, 2, 0, 0])
    np.testing.assert_array_equal(padded(np.float32([1, 2]), 1), [1, 2])
    assert padded(np.ones((2, 3), dtype=np.float32), 5)[2:].sum() == 0


def test_durations_are_whole_samples() -> None:
    assert duration_in_samples(25, 16000) == 400
    assert duration_in_samples(11, 16000) == 176
    assert duration_in_samples(25, 22050) == 551
