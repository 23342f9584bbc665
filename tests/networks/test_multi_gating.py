import math

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from emonas.networks.multi_gating import (
    ClosedConnections,
    Connections,
    Gated,
    LinearGate,
    PerceptronGate,
    SideBySide,
    Summed,
)
from emonas.systems.building import count_parameters

BATCH, FEATURES, SIZE, WIDTH, DOMAINS = 6, 4, 5, 7, 3


def inputs():
    torch.manual_seed(1)
    return torch.randn(BATCH, FEATURES, SIZE), torch.randn(BATCH, WIDTH)


def make_gates(kind, count):
    torch.manual_seed(2)
    return [kind(WIDTH, FEATURES) for _ in range(count)]


def combine(matrix, selector, vectors):
    """Eq. 7 and the weighted sum for one utterance."""
    scores = [sum(w * x for w, x in zip(row, selector, strict=True)) for row in matrix]
    whole = sum(math.exp(score) for score in scores)
    weights = [math.exp(score) / whole for score in scores]
    mixed = [
        sum(g * v for g, v in zip(weights, column, strict=True))
        for column in zip(*vectors, strict=True)
    ]
    return weights, mixed


@pytest.mark.parametrize("count", [1, DOMAINS])
@pytest.mark.parametrize("domain", range(DOMAINS))
def test_gates_are_equation_7(count, domain):
    vectors, selector = inputs()
    module = Gated(make_gates(LinearGate, count))
    found = module(vectors, selector, domain)
    matrix = module.gates[domain if count > 1 else 0].linear.weight.tolist()
    for row in range(BATCH):
        weights, mixed = combine(matrix, selector[row].tolist(), vectors[row].tolist())
        torch.testing.assert_close(found.weights[row], torch.tensor(weights))
        torch.testing.assert_close(found.vector[row], torch.tensor(mixed), rtol=1e-5, atol=1e-6)


def test_a_perceptron_has_the_codes_layers_and_is_them():
    _, selector = inputs()
    (gate,) = make_gates(PerceptronGate, 1)
    linear = [layer for layer in gate.modules() if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [256, 128, 64, 32, FEATURES]
    state = selector
    for number, layer in enumerate(linear):
        state = state @ layer.weight.T + layer.bias
        state = state.clamp_min(0) if number < 4 else state
    torch.testing.assert_close(gate(selector), state, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", [LinearGate, PerceptronGate])
def test_a_gate_a_domain_of_equal_weights_is_one_gate(kind):
    vectors, selector = inputs()
    shared = Gated(make_gates(kind, 1))
    several = Gated([kind(WIDTH, FEATURES) for _ in range(DOMAINS)])
    for gate in several.gates:
        gate.load_state_dict(shared.gates[0].state_dict())
    for domain in range(DOMAINS):
        one, other = (module(vectors, selector, domain) for module in (shared, several))
        assert torch.equal(one.vector, other.vector)
        assert torch.equal(one.weights, other.weights)


def test_gates_of_zero_weights_are_the_sum_divided_by_the_features():
    vectors, selector = inputs()
    module = Gated(make_gates(LinearGate, 1))
    nn.init.zeros_(module.gates[0].linear.weight)
    found = module(vectors, selector, 1)
    summed = Summed()(vectors, None, 1)
    torch.testing.assert_close(found.vector, summed.vector / FEATURES)
    torch.testing.assert_close(found.weights, torch.full((BATCH, FEATURES), 1 / FEATURES))
    assert summed.weights is None


def test_only_a_domains_own_gate_learns():
    vectors, selector = inputs()
    module = Gated(make_gates(LinearGate, DOMAINS))
    module(vectors, selector, 1).vector.square().sum().backward()
    assert [gate.linear.weight.grad is not None for gate in module.gates] == [False, True, False]


def test_a_sum_and_side_by_side_are_what_they_say():
    vectors, _ = inputs()
    rows = vectors.tolist()
    summed = Summed()(vectors, None, 0).vector
    for row in range(BATCH):
        wanted = [sum(column) for column in zip(*rows[row], strict=True)]
        torch.testing.assert_close(summed[row], torch.tensor(wanted))
    found = SideBySide()([vectors[:, 0], vectors[:, 1, :2]])
    assert found.vector[3].tolist() == rows[3][0] + rows[3][1][:2]
    assert found.weights is None


def transform(module, gates, vectors):
    """Eq. 8 for a batch, connection by connection."""
    higher = torch.zeros_like(vectors)
    for i in range(FEATURES):
        for j in range(FEATURES):
            for row in range(len(vectors)):
                higher[row, i] += gates[i, j] * (module.weight[i, :, j] @ vectors[row, j])
    return higher


def make_connections():
    torch.manual_seed(3)
    module = Connections(FEATURES, SIZE, DOMAINS)
    for log_kappa in module.log_kappas():
        nn.init.normal_(log_kappa, mean=-1.0, std=2.0)
    return module


@pytest.mark.parametrize("domain", range(DOMAINS))
def test_connections_are_equation_8(domain):
    vectors, _ = inputs()
    module = make_connections()
    torch.manual_seed(4)
    found = module(vectors, domain)
    torch.manual_seed(4)
    drawn = module.gates[domain].sample()
    torch.testing.assert_close(found, transform(module, drawn, vectors), rtol=1e-5, atol=1e-6)
    settled = module.settled()[domain]
    found = module.eval()(vectors, domain)
    torch.testing.assert_close(found, transform(module, settled, vectors), rtol=1e-5, atol=1e-6)
    assert ((settled > 0) & (settled < 1)).any()


def test_a_batch_has_one_draw_and_the_next_another():
    vectors, _ = inputs()
    module = make_connections()
    same = vectors[:1].expand(BATCH, -1, -1)
    one, two = module(same, 0), module(same, 0)
    torch.testing.assert_close(one, one[:1].expand_as(one))
    assert (one - two).abs().max() > 1e-2
    module.eval()
    assert torch.equal(module(same, 0), module(same, 0))


def test_a_domains_gates_learn_from_its_batches_only():
    vectors, _ = inputs()
    module = make_connections()
    module(vectors, 1).square().sum().backward()
    first, learnt, last = (log_kappa.grad for log_kappa in module.log_kappas())
    assert learnt.any()
    assert first is last is None
    assert module.weight.grad.any()


def test_momentum_moves_the_gates_of_the_batchs_domain_only():
    vectors, _ = inputs()
    module = make_connections()
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.1)
    moved = []
    for domain in (0, 1, 1):
        before = module.settled().clone()
        optimiser.zero_grad()
        module(vectors, domain).square().sum().backward()
        optimiser.step()
        moved.append((module.settled() - before).abs().sum(dim=(1, 2)) > 0)
    assert torch.stack(moved).tolist() == [[n == domain for n in range(3)] for domain in (0, 1, 1)]


def test_the_penalty_is_the_expected_number_of_open_connections():
    module = make_connections()
    torch.manual_seed(5)
    with torch.no_grad():
        draws = torch.stack(
            [torch.stack([gates.sample() for gates in module.gates]) > 0 for _ in range(4000)]
        )
    counts = draws.double().sum(dim=(0, 2, 3)) / 4000
    for domain in range(DOMAINS):
        assert module.penalty(domain).item() == pytest.approx(counts[domain].item(), abs=0.15)
    assert module.penalty().item() == pytest.approx(counts.sum().item(), abs=0.25)
    module.penalty(2).backward()
    *others, learnt = (log_kappa.grad for log_kappa in module.log_kappas())
    assert (learnt > 0).all()
    assert others == [None, None]


def test_connections_start_with_the_variance_of_one_linear_map():
    torch.manual_seed(6)
    vectors = torch.randn(50, 5, 64)
    linear = nn.Linear(64, 64, bias=False)
    expected = linear(vectors).var().item()
    search = Connections(5, 64, 2, start=50.0).eval()
    assert search(vectors, 0).var().item() == pytest.approx(expected, rel=0.1)
    opened = torch.zeros(2, 5, 5, dtype=torch.bool)
    opened[:, :, :2] = True
    closed = ClosedConnections(64, opened.numpy())
    assert closed(vectors, 1).var().item() == pytest.approx(expected, rel=0.1)


OPENED = torch.tensor(
    [
        [[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 0, 1], [0, 1, 0, 0]],
        [[0, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]],
        [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    ]
).bool()
PAIRS = ((0, 0), (0, 2), (0, 3), (2, 0), (2, 1), (2, 3), (3, 1))


def make_closed(search):
    """The derived form with the weights of the search."""
    closed = ClosedConnections(SIZE, OPENED.numpy())
    with torch.no_grad():
        for number, (i, j) in enumerate(closed.pairs):
            closed.weight[number] = search.weight[i, :, j]
    return closed


@pytest.mark.parametrize("domain", range(DOMAINS))
def test_closed_connections_are_the_search_with_settled_gates(domain):
    vectors, _ = inputs()
    search = make_connections().eval()
    with torch.no_grad():
        for log_kappa, opened in zip(search.log_kappas(), OPENED, strict=True):
            log_kappa.copy_(torch.where(opened, 50.0, -50.0))
    assert torch.equal(search.settled(), OPENED.float())
    closed = make_closed(search)
    wanted, found = search(vectors, domain), closed(vectors, domain)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)
    assert found.abs().sum() > 1 or domain == 2


def test_a_closed_connection_costs_nothing():
    closed = ClosedConnections(SIZE, OPENED.tolist())
    assert closed.pairs == PAIRS
    assert count_parameters(closed) == len(PAIRS) * SIZE**2
    sketch = closed.to("meta")
    vectors = torch.empty(BATCH, FEATURES, SIZE, device="meta")
    for domain, connections in enumerate((6, 3, 0)):
        with FlopCounterMode(display=False) as counter:
            assert sketch(vectors, domain).shape == vectors.shape
        assert counter.get_total_flops() == 2 * BATCH * connections * SIZE**2
    search = Connections(FEATURES, SIZE, DOMAINS).to("meta").eval()
    with FlopCounterMode(display=False) as counter:
        search(vectors, 0)
    assert counter.get_total_flops() == 2 * BATCH * FEATURES**2 * SIZE**2


def test_a_domain_without_connections_gives_zeros_and_gradients():
    vectors, _ = inputs()
    vectors.requires_grad_()
    for opened in (OPENED, torch.zeros_like(OPENED)):
        module = ClosedConnections(SIZE, opened.numpy())
        higher = module(vectors, 2)
        assert torch.equal(higher, torch.zeros_like(vectors))
        (higher + 1).square().sum().backward()
        assert not vectors.grad.any()
        assert not module.weight.grad.any()


def test_only_what_a_domain_has_open_learns():
    vectors, _ = inputs()
    module = ClosedConnections(SIZE, OPENED.numpy())
    module(vectors, 1).square().sum().backward()
    learnt = module.weight.grad.flatten(1).any(dim=1).tolist()
    assert learnt == [bool(OPENED[1][pair]) for pair in PAIRS]
