import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from emonas.networks.multi_gating import (
    ClosedConnections,
    Connections,
    Gated,
    LinearGate,
    SideBySide,
    Summed,
)
from emonas.networks.multilingual import MultilingualNetwork
from emonas.networks.sequence_encoder import SequenceEncoder, VectorEncoder
from emonas.networks.streams import Stream
from emonas.networks.towers import DomainTowers, Tower, UnionTower

SIZE, CLASSES = 6, 5
WIDTHS = (3, 6, 9)
COLUMNS = ((0, 2, 1), (3, 0, 4))
"""Frames, a vector that stays as it is, a vector that is mapped."""


def streams(batch=4):
    torch.manual_seed(1)
    lengths = torch.tensor([7, 2, 5, 1])[:batch]
    frames = torch.randn(batch, 7, WIDTHS[0])
    frames = frames.masked_fill((torch.arange(7) >= lengths[:, None])[..., None], 0.0)
    one = torch.ones(batch, dtype=torch.long)
    vectors = [Stream(torch.randn(batch, 1, width), one) for width in WIDTHS[1:]]
    return [Stream(frames, lengths), *vectors]


def make_encoders():
    return [
        SequenceEncoder(WIDTHS[0], 4, 4, 1, SIZE),
        VectorEncoder(WIDTHS[1], SIZE),
        VectorEncoder(WIDTHS[2], SIZE),
    ]


def make_towers(width):
    towers = [Tower(width, 8, ("tanh", "relu"), 0.1, len(own)) for own in COLUMNS]
    return DomainTowers(towers, COLUMNS, CLASSES)


def make_network(selector=1, gated=(0, 1, 2), beside=False, connections=None):
    torch.manual_seed(2)
    return MultilingualNetwork(
        make_encoders(),
        selector,
        Gated([LinearGate(WIDTHS[selector], len(gated)) for _ in range(2)]),
        [make_towers(2 * SIZE if beside else SIZE)],
        domains=2,
        gated=gated,
        beside=beside,
        connections=connections,
    )


@pytest.mark.parametrize("domain", [0, 1])
@pytest.mark.parametrize("gated", [(0, 1, 2), (0, 2)])
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("selector", [0, 1, 2])
def test_a_network_is_its_parts(domain, gated, beside, selector):
    batch = streams()
    network = make_network(selector, gated, beside).eval()
    found = network(*batch, domain=domain)
    frames, lengths = batch[selector]
    gate = network.combination.gates[domain].linear.weight
    encoders = {int(name): encoder for name, encoder in network.encoders.items()}
    for row in range(4):
        x = torch.stack(list(frames[row, : lengths[row]])).mean(dim=0)
        weights = (gate @ x).softmax(dim=0)
        alone = [Stream(s.frames[row : row + 1], s.lengths[row : row + 1]) for s in batch]
        vectors = {index: encoder(alone[index])[0] for index, encoder in encoders.items()}
        mixed = sum(w * vectors[index] for w, index in zip(weights, gated, strict=True))
        seen = torch.cat([mixed, vectors[selector]]) if beside else mixed
        torch.testing.assert_close(found.gates[row], weights)
        torch.testing.assert_close(found.embedding[row], seen, rtol=1e-5, atol=1e-6)
        logits = network.towers[0].towers[domain](seen[None])[0]
        own = found.logits[row, list(COLUMNS[domain])]
        torch.testing.assert_close(own, logits, rtol=1e-5, atol=1e-6)
    assert found.logits.isfinite().sum() == 4 * 3
    assert set(encoders) == {*gated, *([selector] if beside else [])}


@pytest.mark.parametrize("domain", [0, 1])
def test_connections_transform_before_the_gates_weigh(domain):
    batch = streams()
    network = make_network(connections=Connections(3, SIZE, 2)).eval()
    for log_kappa in network.connections.log_kappas():
        nn.init.normal_(log_kappa, std=2.0)
    found = network(*batch, domain=domain)
    vectors = [network.encoders[str(index)](stream) for index, stream in enumerate(batch)]
    xi, weight = network.connections.settled()[domain], network.connections.weight
    higher = [sum(xi[i, j] * vectors[j] @ weight[i, :, j].T for j in range(3)) for i in range(3)]
    mixed = sum(found.gates[:, [i]] * higher[i] for i in range(3))
    torch.testing.assert_close(found.embedding, mixed, rtol=1e-5, atol=1e-6)
    assert network.penalty().item() == pytest.approx(
        sum(gates.open_probability().sum().item() for gates in network.connections.gates)
    )


def test_only_a_search_has_a_penalty():
    assert make_network().penalty() is None
    closed = ClosedConnections(SIZE, [[[True] * 3] * 3] * 2)
    assert make_network(connections=closed).penalty() is None


def test_a_shared_bottom_adds_and_needs_no_selector():
    batch = streams()
    network = MultilingualNetwork(
        make_encoders(), None, Summed(), [make_towers(SIZE)], domains=2
    ).eval()
    found = network(*batch, domain=1)
    encoded = [network.encoders[str(index)](stream) for index, stream in enumerate(batch)]
    torch.testing.assert_close(found.embedding, encoded[0] + encoded[1] + encoded[2])
    assert found.gates is None


def test_one_language_has_its_features_side_by_side_as_they_are():
    batch = streams()
    encoders = [make_encoders()[0], *(VectorEncoder(width, width) for width in WIDTHS[1:])]
    tower = Tower(SIZE + WIDTHS[1] + WIDTHS[2], 8, ("tanh", "relu"), 0.1, CLASSES)
    network = MultilingualNetwork(encoders, None, SideBySide(), [UnionTower(tower)]).eval()
    found = network(*batch)
    vectors = [network.encoders["0"](batch[0]), *(s.frames[:, 0] for s in batch[1:])]
    assert torch.equal(found.embedding, torch.cat(vectors, dim=1))
    assert torch.equal(found.logits, tower(found.embedding))


def test_several_towers_give_the_mean_of_their_probabilities():
    batch = streams()
    width = SIZE + WIDTHS[1] + WIDTHS[2]
    encoders = [make_encoders()[0], *(VectorEncoder(each, each) for each in WIDTHS[1:])]
    network = MultilingualNetwork(
        encoders, None, SideBySide(), [make_towers(width) for _ in range(3)], domains=2
    ).eval()
    found = network(*batch, domain=1)
    probabilities = [tower(found.embedding, 1).softmax(dim=1) for tower in network.towers]
    torch.testing.assert_close(found.logits.exp(), sum(probabilities) / 3)
    assert len({tuple(each.flatten().tolist()) for each in probabilities}) == 3


def test_several_towers_each_see_other_dropout():
    tower = UnionTower(Tower(WIDTHS[1], 8, ("tanh", "relu"), 0.0, CLASSES))
    encoder = VectorEncoder(WIDTHS[1], WIDTHS[1])
    network = MultilingualNetwork(
        [encoder], None, SideBySide(), [tower, tower], dropout=0.5
    ).train()
    one, two = network(streams()[1]).members
    assert not torch.equal(one, two)
    alike = network.eval()(streams()[1])
    assert alike.members is None
    torch.testing.assert_close(alike.logits, network.towers[0](alike.embedding, 0).log_softmax(1))


def test_a_base_has_one_tower_over_all_classes_whatever_the_domain():
    batch = streams()
    tower = UnionTower(Tower(SIZE, 8, ("tanh", "relu"), 0.1, CLASSES))
    network = MultilingualNetwork(make_encoders(), None, Summed(), [tower], domains=2).eval()
    one, two = (network(*batch, domain=domain).logits for domain in (0, 1))
    assert torch.equal(one, two)
    assert one.isfinite().all()


@pytest.mark.parametrize("domain", [-1, 2])
def test_a_domain_that_is_not_there_is_an_error(domain):
    with pytest.raises(ValueError, match=f"domain {domain}"):
        make_network()(*streams(), domain=domain)


def test_parts_that_do_not_fit_are_refused():
    towers = [make_towers(SIZE)]
    gates = Gated([LinearGate(3, 3)])
    for selector, combination, options, message in (
        (None, gates, {}, "selector"),
        (None, Summed(), {"beside": True}, "selector"),
        (3, gates, {}, "3 encoders"),
        (0, gates, {"gated": (0, 4)}, "3 encoders"),
        (None, SideBySide(), {"connections": Connections(3, SIZE, 1)}, "one size"),
    ):
        with pytest.raises(ValueError, match=message):
            MultilingualNetwork(make_encoders(), selector, combination, towers, **options)


@pytest.mark.parametrize("connections", [None, Connections(3, SIZE, 2)])
def test_what_is_shared_and_what_is_a_domains_own_learns(connections):
    network = make_network(beside=True, connections=connections)
    output = network(*streams(), domain=1)
    labels = torch.tensor([3, 0, 4, 4])
    nn.functional.cross_entropy(output.logits, labels).backward()
    for name, parameter in network.named_parameters():
        others = name.startswith(
            ("towers.0.towers.0", "combination.gates.0", "connections.gates.0")
        )
        assert (parameter.grad is None) == others, name
        assert others or parameter.grad.isfinite().all(), name
        assert others or parameter.grad.any(), name


def test_the_domains_can_be_learnt_together():
    torch.manual_seed(7)
    network = make_network(beside=True, connections=Connections(3, SIZE, 2))
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.01)
    batch = streams()
    labels = (torch.tensor([0, 2, 1, 2]), torch.tensor([3, 0, 4, 4]))
    for step in range(240):
        domain = step % 2
        loss = nn.functional.cross_entropy(network(*batch, domain=domain).logits, labels[domain])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.eval()
    for domain in (0, 1):
        assert torch.equal(network(*batch, domain=domain).logits.argmax(dim=1), labels[domain])


def test_costs_are_counted_on_shapes_alone():
    closed = ClosedConnections(SIZE, [[[True, False, False]] * 3, [[False] * 3] * 3])
    networks = [make_network(connections=part) for part in (None, closed)]
    batch = [Stream(s.frames[:1], s.lengths[:1]) for s in streams()]
    costs = []
    for network in networks:
        sketch = copy.deepcopy(network).to("meta").eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            output = sketch(*(Stream(s.frames.to("meta"), s.lengths.to("meta")) for s in batch))
        assert output.logits.shape == (1, CLASSES)
        costs.append(counter.get_total_flops())
    assert costs[1] - costs[0] == 2 * 3 * SIZE**2


def test_weights_go_and_come_back():
    one = make_network(connections=Connections(3, SIZE, 2)).eval()
    two = make_network(connections=Connections(3, SIZE, 2)).eval()
    for log_kappa in one.connections.log_kappas():
        nn.init.normal_(log_kappa)
    two.load_state_dict(one.state_dict())
    batch = streams()
    assert torch.equal(one(*batch, domain=1).logits, two(*batch, domain=1).logits)
