import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from emonas.systems.discriminant import ShrunkDiscriminant, ledoit_wolf_share


def data(counts, features, seed=0):
    """Correlated features of very different scale, one of them constant."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    hidden = generator.normal(size=(len(labels), 8)) + labels[:, None] * generator.normal(size=8)
    inputs = hidden @ generator.normal(size=(8, features))
    inputs = (inputs + generator.normal(size=inputs.shape)) * generator.uniform(0.1, 9, features)
    inputs[:, 2] = 0.0
    return inputs, labels


@pytest.mark.filterwarnings("ignore:Only one sample")
@pytest.mark.parametrize("shape", [(40, 9), (40, 40), (30, 400), (2, 5), (3, 1), (1, 4)])
def test_the_share_is_scikit_learns(shape):
    inputs = np.random.default_rng(1).normal(size=shape) @ np.diag(np.linspace(0.2, 3, shape[1]))
    inputs -= inputs.mean(axis=0)
    wanted = 0.0 if shape[1] == 1 else ledoit_wolf_shrinkage(inputs)
    assert ledoit_wolf_share(inputs) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@pytest.mark.filterwarnings("ignore:Only one sample")
@pytest.mark.parametrize("counts", [(50, 20), (40, 9, 30, 3), (4, 30, 1)])
@pytest.mark.parametrize("features", [5, 70, 600])
@pytest.mark.parametrize("shrinkage", [None, 0.05, 1.0])
@pytest.mark.parametrize("balanced", [True, False])
def test_it_is_scikit_learns(counts, features, shrinkage, balanced):
    inputs, labels = data(counts, features)
    priors = [1 / len(counts)] * len(counts) if balanced else None
    judge = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto" if shrinkage is None else shrinkage, priors=priors
    ).fit(inputs, labels)
    own = ShrunkDiscriminant(shrinkage, balanced=balanced).fit(inputs, labels)
    coefficients, intercept = own.coef_, own.intercept_
    if len(counts) == 2:
        coefficients, intercept = np.diff(coefficients, axis=0), np.diff(intercept)
    scale = np.abs(judge.coef_).max()
    np.testing.assert_allclose(coefficients, judge.coef_, rtol=1e-6, atol=1e-8 * scale)
    np.testing.assert_allclose(intercept, judge.intercept_, rtol=1e-6, atol=1e-8)
    others, _ = data(counts, features, seed=5)
    np.testing.assert_allclose(
        own.predict_proba(others), judge.predict_proba(others), rtol=1e-5, atol=1e-9
    )
    assert own.predict(others).tolist() == judge.predict(others).tolist()


@pytest.mark.parametrize("features", [4, 30])
def test_without_shrinkage_it_is_the_shortest_solution_as_scikit_learns(features):
    inputs, labels = data((9, 7, 5), features)
    judge = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.0).fit(inputs, labels)
    own = ShrunkDiscriminant(0.0).fit(inputs, labels)
    np.testing.assert_allclose(own.coef_, judge.coef_, rtol=1e-5, atol=1e-7)


def test_labels_may_be_any_numbers():
    inputs, labels = data((20, 20, 20), 80)
    own = ShrunkDiscriminant().fit(inputs, labels * 10 + 3)
    assert set(own.predict(inputs)) == {3, 13, 23}
