import numpy as np
import pytest
import torch
from sklearn.covariance import ledoit_wolf

from emonas.errors import EmonasError
from emonas.learning.batches import Examples
from emonas.systems.normalising import Normaliser, Standardiser, fit_normaliser, statistics
from emonas.systems.trained import load_normaliser, system_weights


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
    fitted = Standardiser.fitted(values)
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
    fitted = Standardiser.fitted(values)
    assert fitted.deviation[2] == 1
    assert fitted(values[0])[:, 2].tolist() == [0.0] * len(values[0])


def test_every_stream_has_its_own():
    examples = Examples((arrays(1), arrays(2, scale=9.0)), np.zeros(20, dtype=np.int64))
    fitted = fit_normaliser(examples)
    done = fitted(examples)
    for number, stream in enumerate(done.streams):
        np.testing.assert_allclose(np.concatenate(stream).std(axis=0), 1, rtol=1e-4)
        wanted = fitted.standardisers[number](examples.streams[number][3])
        np.testing.assert_array_equal(stream[3], wanted)
    assert Normaliser()(examples) is examples


def test_a_stream_can_be_left_as_it_is():
    streams = (arrays(1), arrays(2, scale=9.0))
    examples = Examples(streams, np.zeros(20, dtype=np.int64))
    found = fit_normaliser(examples, ("none", None))(examples)
    for given, kept in zip(streams[0], found.streams[0], strict=True):
        assert np.array_equal(given, kept)
    together = np.concatenate(found.streams[1])
    np.testing.assert_allclose(together.std(axis=0), 1, rtol=1e-4)


def vectors_of(matrix, columns):
    """A stream of one vector an utterance."""
    return [row[None, columns] for row in matrix]


def test_whitening_is_the_inverse_root_of_the_shrunk_covariance_within_classes():
    """Against the whole matrix, with more features than utterances, over two of three streams."""
    generator = np.random.default_rng(4)
    mixing = generator.standard_normal((30, 30))
    labels = np.arange(24) % 3
    vectors = (generator.standard_normal((24, 30)) @ mixing + 5 * labels[:, None]).astype("f4")
    first, second, between = slice(0, 12), slice(12, 30), arrays(3)[:1] * 24

    def examples(matrix):
        streams = vectors_of(matrix, first), between[: len(matrix)], vectors_of(matrix, second)
        return Examples(streams, labels[: len(matrix)])

    fitted = fit_normaliser(examples(vectors), ("whiten", None, "whiten"))
    standard = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    within = standard.astype(np.float64)
    for label in range(3):
        within[labels == label] -= within[labels == label].mean(axis=0)
    covariance, _ = ledoit_wolf(within, assume_centered=True)
    values, directions = np.linalg.eigh(covariance)
    root = (directions * values**-0.5) @ directions.T
    scale = 1 / np.sqrt(((standard @ root) ** 2).mean())
    unheard = generator.standard_normal((5, 30)).astype("f4")
    for matrix, loosely in ((vectors, 2e-3), (unheard, 2e-2)):
        wanted = (matrix - vectors.mean(axis=0)) / vectors.std(axis=0) @ root * scale
        found = fitted(examples(matrix)).streams
        both = np.concatenate([np.concatenate(found[0]), np.concatenate(found[2])], axis=1)
        np.testing.assert_allclose(both, wanted, rtol=loosely, atol=loosely)
        np.testing.assert_array_equal(found[1][0], fitted.standardisers[1](between[0]))


def test_whitening_takes_the_domains_apart_and_survives_its_file():
    generator = np.random.default_rng(6)
    labels, domains = np.arange(40) % 2, (np.arange(40) // 2) % 2
    vectors = (generator.standard_normal((40, 6)) + 9 * domains[:, None]).astype("f4")
    stream = vectors_of(vectors, slice(None))
    apart, together = Examples((stream,), labels, domains), Examples((stream,), labels)
    fitted = fit_normaliser(apart, ("whiten",))

    def heard(normaliser):
        return np.concatenate(normaliser(apart).streams[0])

    assert not np.allclose(heard(fitted), heard(fit_normaliser(together, ("whiten",))), atol=0.1)
    again = load_normaliser(system_weights(torch.nn.Linear(1, 1), fitted))
    assert np.array_equal(heard(again), heard(fitted))


def test_nobody_to_normalise_is_no_error():
    stream = vectors_of(np.random.default_rng(1).standard_normal((9, 4)).astype("f4"), slice(None))
    examples = Examples((stream,), np.arange(9) % 2)
    nobody = Examples(([],), np.zeros(0, dtype=np.int64))
    assert len(fit_normaliser(examples, ("whiten",))(nobody)) == 0


def test_frames_are_not_whitened():
    examples = Examples((arrays(1),), np.zeros(20, dtype=np.int64))
    with pytest.raises(EmonasError, match="give the input `statistics: true`"):
        fit_normaliser(examples, ("whiten",))


def test_statistics_are_mean_and_deviation_of_the_frames():
    frames = np.random.default_rng(1).standard_normal((7, 3)).astype(np.float16)
    wanted = np.concatenate([frames.astype("f8").mean(axis=0), frames.astype("f8").std(axis=0)])
    np.testing.assert_allclose(statistics(frames), wanted[None], rtol=1e-6)
    assert statistics(frames[:1])[0, 3:].tolist() == [0, 0, 0]
