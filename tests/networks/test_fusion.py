import math
import operator

import pytest
import torch
from torch import nn

from emonas.networks.fusion import (
    Concatenation,
    DecisionPerceptron,
    Elementwise,
    FusionClassifier,
    InformationSupplement,
)
from emonas.networks.streams import Stream
from emonas.systems.building import count_parameters

WIDTHS = (5, 3)


def vectors(*widths, count=4):
    torch.manual_seed(2)
    return [torch.randn(count, width) for width in widths]


def as_streams(values):
    return [Stream(value[:, None], torch.ones(len(value), dtype=torch.int64)) for value in values]


def affine(layer, vector):
    """Weights times vector plus bias, as lists."""
    return [
        sum(w * x for w, x in zip(row, vector, strict=True)) + b
        for row, b in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    ]


def supplement_by_hand(module, dominant, others):
    """Eqs. 3 to 5 for one utterance, every other stream an X1."""
    fused = list(dominant)
    for number, other in enumerate(others):
        h = affine(module.supplements[number], other)
        selected = affine(module.selectors[number], dominant)
        for place in range(len(dominant)):
            fused[place] += math.tanh(selected[place] * h[place]) * h[place]
    return fused


@pytest.mark.parametrize(("widths", "dominant"), [((5, 3), 1), ((5, 3), 0), ((4, 6, 3), 1)])
def test_ism_is_the_papers_equations(widths, dominant):
    values = vectors(*widths)
    module = InformationSupplement(widths, dominant)
    found = module(values)
    assert found.shape == (4, widths[dominant])
    for row in range(4):
        rows = [value[row].tolist() for value in values]
        others = [x for index, x in enumerate(rows) if index != dominant]
        wanted = supplement_by_hand(module, rows[dominant], others)
        torch.testing.assert_close(found[row], torch.tensor(wanted), rtol=1e-5, atol=1e-6)


def test_ism_leaves_the_dominant_stream_as_it_is():
    first, dominant = vectors(*WIDTHS)
    module = InformationSupplement(WIDTHS, 1)
    nn.init.zeros_(module.supplements[0].weight)
    nn.init.zeros_(module.supplements[0].bias)
    assert torch.equal(module([first, dominant]), dominant)
    assert torch.equal(module([100 * first, dominant]), dominant)


def test_what_ism_adds_is_chosen_by_the_dominant_stream_and_bounded_by_the_other():
    first, dominant = vectors(*WIDTHS)
    module = InformationSupplement(WIDTHS, 1)
    h = module.supplements[0](first)
    added = module([first, dominant]) - dominant
    assert (added.abs() <= h.abs() + 1e-6).all()
    # With a selector that reads nothing, the supplement depends on the other stream alone.
    nn.init.zeros_(module.selectors[0].weight)
    torch.testing.assert_close(
        module([first, 3 * dominant]) - 3 * dominant, module([first, dominant]) - dominant
    )
    # The gradient reaches the dominant stream untouched: dF/dX2 is then the identity.
    jacobian = torch.autograd.functional.jacobian(
        lambda x: module([first[:1], x])[0], dominant[:1].clone()
    )
    torch.testing.assert_close(jacobian[:, 0], torch.eye(3))


def test_concatenation_is_side_by_side():
    values = vectors(5, 3, 2)
    found = Concatenation((5, 3, 2))(values)
    for row in range(4):
        assert found[row].tolist() == [x for value in values for x in value[row].tolist()]


@pytest.mark.parametrize(("name", "function"), [("sum", operator.add), ("max", max), ("min", min)])
@pytest.mark.parametrize("dominant", [0, 1])
def test_sum_max_and_min_map_the_dominant_stream(name, function, dominant):
    values = vectors(*WIDTHS)
    module = Elementwise(WIDTHS, dominant, name)
    found = module(values)
    assert module.width == WIDTHS[1 - dominant]
    for row in range(4):
        mapped = affine(module.projection, values[dominant][row].tolist())
        other = values[1 - dominant][row].tolist()
        wanted = [function(a, b) for a, b in zip(mapped, other, strict=True)]
        torch.testing.assert_close(found[row], torch.tensor(wanted), rtol=1e-5, atol=1e-6)


def test_a_classifier_reads_the_fused_embedding():
    values = vectors(*WIDTHS)
    module = FusionClassifier(InformationSupplement(WIDTHS, 1), 4)
    output = module(*as_streams(values))
    torch.testing.assert_close(output.embedding, module.fusion(values))
    torch.testing.assert_close(output.logits, module.classifier(output.embedding))
    assert output.logits.shape == (4, 4)
    assert count_parameters(module) == (5 * 3 + 3) + (3 * 3 + 3) + (3 * 4 + 4)


def test_the_perceptron_has_the_papers_three_layers():
    module = DecisionPerceptron(2, 4)
    layers = [m for m in module.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in layers] == [(8, 8), (8, 4), (4, 4)]
    values = [value.softmax(dim=1) for value in vectors(4, 4)]
    output = module(*as_streams(values))
    for row in range(4):
        state = [x for value in values for x in value[row].tolist()]
        for layer in layers[:2]:
            state = [max(0.0, x) for x in affine(layer, state)]
        wanted = torch.tensor(affine(layers[2], state))
        torch.testing.assert_close(output.logits[row], wanted, rtol=1e-5, atol=1e-6)
