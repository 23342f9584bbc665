import numpy as np
import pytest

from emonas.learning.batches import Examples
from emonas.systems.normalising import Normaliser, fit_normalisers, normalise


def arrays(seed=0, scale=3.0, shift=100.0):
    generator = np.random.default_rng(seed)
    return [
        (generator.normal(size=(int(length), 4)) * scale + shift).astype(np.float32)
        for length in generator.integers(1, 30, 20)
    ]


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (3.0, 100.0), (0.01, -50.0), (1e6, 0.0)])
def test_it_is_numpys_mean_and_deviation_over_all_frames(scale, shift):
    values = arrays(scale=scale, shift=shift)
    frames = np.concatenate(values).astype(np.float64)
    fitted = Normaliser.fitted(values)
    np.testing.assert_allclose(fitted.mean, frames.mean(axis=0), rtol=1e-6, atol=1e-6 * scale)
    np.testing.assert_allclose(fitted.deviation, frames.std(axis=0), rtol=1e-5)
    done = np.concatenate([fitted(value) for value in values])
    assert done.dtype == np.float32
    np.testing.assert_allclose(done.std(axis=0), 1, rtol=1e-3)


@pytest.mark.parametrize("value", [0.0, -15.9424, 3000.1, 1e6])
def test_a_constant_feature_keeps_deviation_1(value):
    values = arrays()
    for array in values:
        array[:, 2] = value
    fitted = Normaliser.fitted(values)
    assert fitted.deviation[2] == 1
    assert fitted(values[0])[:, 2].tolist() == [0.0] * len(values[0])


def test_every_stream_has_its_own():
    examples = Examples((arrays(1), arrays(2, scale=9.0)), np.zeros(20, dtype=np.int64))
    normalisers = fit_normalisers(examples)
    done = normalise(examples, normalisers)
    for number, stream in enumerate(done.streams):
        np.testing.assert_allclose(np.concatenate(stream).std(axis=0), 1, rtol=1e-4)
        np.testing.assert_array_equal(stream[3], normalisers[number](examples.streams[number][3]))
    assert normalise(examples, ()) is examples


def test_a_stream_can_be_left_as_it_is():
    streams = (arrays(1), arrays(2, scale=9.0))
    examples = Examples(streams, np.zeros(20, dtype=np.int64))
    fitted = fit_normalisers(examples, (True, False))
    found = normalise(examples, fitted)
    for given, kept in zip(streams[0], found.streams[0], strict=True):
        assert np.array_equal(given, kept)
    together = np.concatenate(found.streams[1])
    np.testing.assert_allclose(together.std(axis=0), 1, rtol=1e-4)
