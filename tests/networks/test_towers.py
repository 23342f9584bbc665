import math

import pytest
import torch
from torch import nn

from emonas.networks.towers import DomainTowers, Tower, UnionTower

ACTIVATIONS = {
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "tanh": math.tanh,
    "relu": lambda x: max(0.0, x),
}
COLUMNS = ((0, 2, 5, 1), (3, 0, 4), (6, 1))


def by_hand(tower, vector, names, code):
    """The layers of one utterance, number by number."""
    linear = [layer for layer in tower.modules() if isinstance(layer, nn.Linear)]
    norms = [layer for layer in tower.modules() if isinstance(layer, nn.BatchNorm1d)]
    state = vector.tolist()
    for number, layer in enumerate(linear):
        state = [
            sum(w * x for w, x in zip(row, state, strict=True)) + b
            for row, b in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        ]
        if number == len(linear) - 1:
            return state
        if code:
            norm = norms[number]
            state = [
                w * (x - mean) / math.sqrt(variance + norm.eps) + b
                for x, mean, variance, w, b in zip(
                    state,
                    norm.running_mean.tolist(),
                    norm.running_var.tolist(),
                    norm.weight.tolist(),
                    norm.bias.tolist(),
                    strict=True,
                )
            ]
        state = [ACTIVATIONS[names[number % 2]](x) for x in state]
    raise AssertionError


@pytest.mark.parametrize("names", [("mish", "gelu"), ("tanh", "relu"), ("relu", "mish")])
@pytest.mark.parametrize("form", ["paper", "code"])
def test_a_tower_is_its_layers(names, form):
    torch.manual_seed(1)
    tower = Tower(5, 6, names, 0.1, 3, form=form)
    for _ in range(3):
        tower(4 * torch.randn(9, 5) + 1)
    tower.eval()
    vectors = 3 * torch.randn(4, 5)
    found = tower(vectors)
    for row in range(4):
        wanted = torch.tensor(by_hand(tower, vectors[row], names, form == "code"))
        torch.testing.assert_close(found[row], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("form", "sizes"),
    [("paper", [(5, 6), (6, 6), (6, 3)]), ("code", [(5, 12), (12, 6), (6, 3), (3, 3)])],
)
def test_layers_have_their_sizes_and_dropout_acts_on_each(form, sizes):
    tower = Tower(5, 6, ("tanh", "relu"), 0.25, 3, form=form)
    linear = [layer for layer in tower.modules() if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == sizes
    dropouts = [layer.p for layer in tower.modules() if isinstance(layer, nn.Dropout)]
    assert dropouts == [0.25] * (len(sizes) - 1)
    norms = [layer for layer in tower.modules() if isinstance(layer, nn.BatchNorm1d)]
    assert [norm.num_features for norm in norms] == ([12, 6, 3] if form == "code" else [])


def make_towers():
    torch.manual_seed(2)
    towers = [Tower(5, 8, ("tanh", "relu"), 0.0, len(own)) for own in COLUMNS]
    return DomainTowers(towers, COLUMNS, 7)


@pytest.mark.parametrize("domain", [0, 1, 2])
def test_cross_entropy_over_the_union_is_that_over_a_domains_own_classes(domain):
    module = make_towers()
    vectors = torch.randn(6, 5, requires_grad=True)
    own = torch.randint(len(COLUMNS[domain]), (6,))
    union = torch.tensor(COLUMNS[domain])[own]
    logits = module(vectors, domain)
    assert logits.shape == (6, 7)
    alone = nn.functional.cross_entropy(module.towers[domain](vectors), own)
    loss = nn.functional.cross_entropy(logits, union)
    torch.testing.assert_close(loss, alone)
    outside = sorted({*range(7)} - {*COLUMNS[domain]})
    assert not logits.softmax(dim=1)[:, outside].any()
    assert set(logits.argmax(dim=1).tolist()) <= set(COLUMNS[domain])
    wanted = torch.autograd.grad(alone, [vectors, *module.towers[domain].parameters()])
    loss.backward()
    found = [vectors.grad, *(p.grad for p in module.towers[domain].parameters())]
    for one, two in zip(found, wanted, strict=True):
        assert one.isfinite().all()
        torch.testing.assert_close(one, two)
    for number, tower in enumerate(module.towers):
        learns = [parameter.grad is not None for parameter in tower.parameters()]
        assert learns == [number == domain] * len(learns)


def test_a_union_tower_is_one_for_all_domains():
    tower = Tower(5, 8, ("mish", "gelu"), 0.0, 7)
    vectors = torch.randn(4, 5)
    module = UnionTower(tower)
    assert all(torch.equal(module(vectors, domain), tower(vectors)) for domain in range(3))


@pytest.mark.parametrize(
    ("columns", "classes"), [([(0, 1)], 5), ([(0, 1, 1)], 5), ([(0, 1, 5)], 5), ([(-1, 1, 2)], 5)]
)
def test_columns_that_do_not_fit_are_refused(columns, classes):
    with pytest.raises(ValueError, match="domain 0"):
        DomainTowers([Tower(5, 8, ("tanh", "relu"), 0.0, 3)], columns, classes)
