import torch
from torch import nn

from emonas.networks.gradient_reversal import reverse_gradient


def test_the_gradient_below_is_exactly_minus_the_constant_times_and_above_it_untouched():
    torch.manual_seed(0)
    below, above = nn.Linear(5, 4), nn.Linear(4, 3)
    values, labels = torch.randn(6, 5), torch.tensor([0, 1, 2, 0, 1, 2])

    def gradients(constant):
        below.zero_grad()
        above.zero_grad()
        hidden = below(values)
        hidden = hidden if constant is None else reverse_gradient(hidden, constant)
        nn.functional.cross_entropy(above(hidden), labels).backward()
        return [p.grad.clone() for p in (*below.parameters(), *above.parameters())]

    plain = gradients(None)
    # A power of two, so that the product is exact to the bit.
    for constant in (1.0, 0.5, 4.0):
        found = gradients(constant)
        for parameter, (gradient, expected) in enumerate(zip(found, plain, strict=True)):
            torch.testing.assert_close(
                gradient, -constant * expected if parameter < 2 else expected, rtol=0, atol=0
            )


def test_the_values_are_the_same():
    values = torch.randn(3, 2)
    assert torch.equal(reverse_gradient(values, 7.0), values)
