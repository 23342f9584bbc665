import math

import pytest
import torch

from emonas.networks.hard_concrete import HardConcreteGates

KAPPAS = (-4.0, -2.0, -0.5, 0.0, 1.0, 3.0)
PAPER = (0.9, -0.1, 2.0)
LOUIZOS = (2 / 3, -0.1, 1.1)


def make_gates(constants, log_kappas, draws=1):
    gates = HardConcreteGates((draws, len(log_kappas)), *constants)
    with torch.no_grad():
        gates.log_kappa.copy_(torch.tensor(log_kappas).expand_as(gates.log_kappa))
    return gates


def draw(u, log_kappa, beta, gamma, delta):
    """Eq. 9 as Louizos et al. have it, one gate."""
    s = 1 / (1 + math.exp(-(math.log(u) - math.log(1 - u) + log_kappa) / beta))
    return min(1.0, max(0.0, s * (delta - gamma) + gamma))


@pytest.mark.parametrize("constants", [PAPER, LOUIZOS])
def test_a_draw_is_equation_9(constants):
    gates = make_gates(constants, KAPPAS, 40)
    torch.manual_seed(5)
    found = gates.sample()
    torch.manual_seed(5)
    uniform = torch.rand(40, len(KAPPAS)).double()
    wanted = [
        [draw(u, kappa, *constants) for u, kappa in zip(row, KAPPAS, strict=True)]
        for row in uniform.tolist()
    ]
    torch.testing.assert_close(found.double(), torch.tensor(wanted).double(), rtol=0, atol=1e-5)
    assert ((found > 0) & (found < 1)).any()


@pytest.mark.parametrize("constants", [PAPER, LOUIZOS])
def test_shares_of_exact_zeros_and_ones_are_the_closed_forms(constants):
    draws = 100_000
    torch.manual_seed(6)
    gates = make_gates(constants, KAPPAS, draws)
    found = gates.sample()
    for drawn, probability in (
        (found != 0, gates.open_probability()[0]),
        (found == 1, gates.one_probability()[0]),
    ):
        deviation = (probability * (1 - probability) / draws).sqrt()
        share = drawn.double().mean(dim=0)
        assert ((share - probability).abs() <= 3 * deviation).all(), (share, probability)


def test_closed_forms_at_the_papers_constants():
    gates = HardConcreteGates((), *PAPER)
    opens, whole = 1 - gates.open_probability().item(), 1 - gates.one_probability().item()
    assert opens == pytest.approx(1 / (1 + 20**0.9), abs=1e-6)
    assert whole == pytest.approx(1 / (1 + (10 / 11) ** 0.9), abs=1e-6)
    # These are the uniform numbers at which a gate begins to open, and to be whole.
    assert draw(opens - 1e-5, 0.0, *PAPER) == 0 < draw(opens + 1e-5, 0.0, *PAPER)
    assert draw(whole - 1e-5, 0.0, *PAPER) < 1 == draw(whole + 1e-5, 0.0, *PAPER)


def test_settled_gates_leave_chance_out():
    gates = make_gates(PAPER, (-50.0, -3.5, -1.0, 0.0, 0.5, 50.0))
    wanted = [0.0, 0.0, 2.1 / (1 + math.e) - 0.1, 0.95, 1.0, 1.0]
    assert torch.equal(gates.settled(), gates.settled())
    torch.testing.assert_close(gates.settled()[0], torch.tensor(wanted))


def test_the_seed_decides_and_draws_differ():
    gates = HardConcreteGates((3, 5, 5))
    torch.manual_seed(1)
    one, two = gates.sample(), gates.sample()
    torch.manual_seed(1)
    assert torch.equal(gates.sample(), one)
    assert not torch.equal(one, two)


def test_log_kappa_learns_from_draws_and_from_probabilities():
    torch.manual_seed(2)
    gates = make_gates(PAPER, (0.0, -2.0), 50)
    drawn = gates.sample()
    drawn.sum().backward()
    partly = (drawn > 0) & (drawn < 1)
    assert partly.any()
    assert torch.equal(gates.log_kappa.grad > 0, partly)
    gates.log_kappa.grad = None
    gates.open_probability().sum().backward()
    assert (gates.log_kappa.grad > 0).all()


def test_a_gradient_is_the_slope_of_the_draw():
    gates = make_gates(PAPER, (0.3, -1.0), 20).double()
    torch.manual_seed(4)
    uniform = torch.rand_like(gates.log_kappa)
    torch.manual_seed(4)
    gates.sample().sum().backward()
    for place in range(20):
        u, kappa = uniform[place, 1].item(), gates.log_kappa[place, 1].item()
        slope = (draw(u, kappa + 1e-6, *PAPER) - draw(u, kappa - 1e-6, *PAPER)) / 2e-6
        assert gates.log_kappa.grad[place, 1].item() == pytest.approx(slope, abs=1e-5)


def test_a_uniform_number_of_zero_closes_a_gate(monkeypatch):
    monkeypatch.setattr(torch, "rand_like", torch.zeros_like)
    gates = HardConcreteGates((3,))
    drawn = gates.sample()
    assert not drawn.any()
    drawn.sum().backward()
    assert not gates.log_kappa.grad.any()


@pytest.mark.parametrize(
    "constants", [(0.0, -0.1, 2.0), (-1.0, -0.1, 2.0), (0.9, 0.0, 2.0), (0.9, -0.1, 1.0)]
)
def test_constants_that_give_no_exact_zeros_or_ones_are_refused(constants):
    with pytest.raises(ValueError, match="must be"):
        HardConcreteGates((2,), *constants)


def test_all_gates_start_at_one_value():
    assert (HardConcreteGates((2, 3), start=1.5).log_kappa == 1.5).all()
