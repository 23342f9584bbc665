"""The alphas' gradients against exact ones, differentiated through the inner step."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from emonas.networks.search_cells import SearchNetwork
from emonas.networks.streams import Stream
from emonas.search.bilevel import statistics_kept
from emonas.search.hypergradient import VirtualStep, first_order, second_order


class Smooth(nn.Module):
    """Two operations mixed by a softmax, and a linear map."""

    def __init__(self) -> None:
        super().__init__()
        self.alphas = nn.Parameter(torch.randn(2))
        self.body = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.head = nn.Linear(4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        weights = self.alphas.softmax(dim=0)
        mixed = weights[0] * self.body[0](inputs).tanh() + weights[1] * self.body[1](inputs).sin()
        logits: Tensor = self.head(mixed)
        return logits


def exact(network, alphas, weights, train, held, step):
    """d L_held(w - rate * (dL_train/dw + decay * w + momentum * v), alphas) / d alphas."""
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    arguments = {names[id(p)]: p for p in [*weights, *alphas]}
    slope = torch.autograd.grad(
        train(arguments), weights, create_graph=True, materialize_grads=True
    )
    moved = {
        names[id(weight)]: weight
        - step.rate * (part + step.weight_decay * weight + step.momentum * velocity)
        for weight, part, velocity in zip(weights, slope, step.velocities, strict=True)
    }
    return torch.autograd.grad(held(arguments | moved), alphas, materialize_grads=True)


def relative(gradient, reference) -> float:
    first = torch.cat([part.flatten() for part in gradient])
    second = torch.cat([part.flatten() for part in reference])
    return float((first - second).norm() / second.norm())


def step_of(weights, rate: float) -> VirtualStep:
    return VirtualStep(rate, 0.9, 3e-4, [0.01 * torch.randn_like(weight) for weight in weights])


def test_second_order_is_the_exact_hypergradient_on_a_smooth_problem() -> None:
    torch.manual_seed(0)
    network = Smooth().double()
    alphas = [network.alphas]
    weights = [parameter for parameter in network.parameters() if parameter is not network.alphas]
    parts = [(torch.randn(16, 4).double(), torch.randint(3, (16,))) for _ in range(2)]

    def loss(part: int, arguments: dict[str, Tensor]) -> Tensor:
        inputs, labels = parts[part]
        return nn.functional.cross_entropy(functional_call(network, arguments, inputs), labels)

    step = step_of(weights, rate=0.5)
    reference = exact(network, alphas, weights, lambda a: loss(0, a), lambda a: loss(1, a), step)
    before = [weight.detach().clone() for weight in weights]
    found = second_order(weights, alphas, lambda: loss(0, {}), lambda: loss(1, {}), step)
    assert relative(found, reference) < 0.01
    assert relative(first_order(weights, alphas, lambda: loss(1, {})), reference) > 0.05
    assert all(torch.equal(*pair) for pair in zip(weights, before, strict=True))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_second_order_is_the_exact_hypergradient_of_the_search_network(momentum: float) -> None:
    """A smaller step of the finite difference, because ReLU and max pooling have kinks."""
    torch.manual_seed(1)
    network = SearchNetwork(2, 3, classes=3, nodes=2).double()
    alphas, weights = network.alphas(), network.weights()
    with torch.no_grad():
        for parameter in alphas:
            parameter.normal_()
    lengths = torch.full((4,), 8)
    parts = [
        (Stream(torch.randn(4, 8, 8).double(), lengths), torch.tensor([0, 1, 2, 0]))
        for _ in range(2)
    ]

    def loss(part: int, arguments: dict[str, Tensor]) -> Tensor:
        stream, labels = parts[part]
        logits = functional_call(network, arguments, (stream,)).logits
        return nn.functional.cross_entropy(logits, labels)

    velocities = [0.01 * torch.randn_like(weight) for weight in weights]
    step = VirtualStep(0.1, momentum, 3e-4, velocities)
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    with statistics_kept(network):
        reference = exact(
            network, alphas, weights, lambda a: loss(0, a), lambda a: loss(1, a), step
        )
        found = second_order(
            weights, alphas, lambda: loss(0, {}), lambda: loss(1, {}), step, radius=1e-6
        )
        plain = first_order(weights, alphas, lambda: loss(1, {}))
    assert relative(found, reference) < 0.01
    assert relative(plain, reference) > 0.01
    after = network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in kept.items())
