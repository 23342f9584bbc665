import pytest
import torch
from torch import nn
from torch.nn import functional

from emonas.networks.cell_operations import OPERATIONS, FactorizedReduce, make_operation
from emonas.networks.cell_skeleton import CellShape, cell_edges, stem_image
from emonas.networks.derived_cells import DerivedNetwork
from emonas.networks.search_cells import MixedEdge, SearchCell, SearchNetwork, Source
from emonas.networks.streams import Stream
from emonas.storage.genotype import CellsGenotype, Edge
from emonas.systems.building import count_parameters

ONE_NODE = (
    Edge(node=0, source=0, operation="skip_connect"),
    Edge(node=0, source=1, operation="sep_conv_3x3"),
)


def image_stream(batch: int = 3, time: int = 12, features: int = 10) -> Stream:
    return Stream(torch.randn(batch, time, features), torch.full((batch,), time))


@pytest.mark.parametrize(
    ("channels", "cells", "millions"), [(4, 3, 0.0722), (6, 3, 0.1323), (8, 4, 0.3461)]
)
def test_search_network_has_the_papers_weights(channels: int, cells: int, millions: float) -> None:
    network = SearchNetwork(channels, cells, classes=4)
    assert round(count_parameters(network) / 1e6, 4) == millions
    assert sum(weight.numel() for weight in network.weights()) == count_parameters(network)
    assert {tuple(alphas.shape) for alphas in network.alphas()} == {(14, 8)}


def test_cell_mixes_as_the_equations_say() -> None:
    """A loop over edges and operations, each computed anew from the module's own weights."""
    torch.manual_seed(0)
    for reduction in (False, True):
        cell = SearchCell(CellShape(5, 6, 4, reduction, False), nodes=3).double()
        older, last = torch.randn(2, 5, 9, 8).double(), torch.randn(2, 6, 9, 8).double()
        theta = torch.randn(len(cell_edges(3)), len(OPERATIONS)).double()
        alphas = theta.exp() / theta.exp().sum(dim=1, keepdim=True)
        expected = [cell.older(older), cell.last(last)]
        for node in range(3):
            total = torch.zeros(())
            for row, (into, source) in enumerate(cell_edges(3)):
                if into != node:
                    continue
                stride = 2 if reduction and source < 2 else 1
                for column, name in enumerate(OPERATIONS):
                    result = operate(cell.edges[row], name, expected[source], stride)
                    total = total + alphas[row, column] * result
            expected.append(total)
        actual = cell(older, last, alphas)
        torch.testing.assert_close(actual, torch.cat(expected[2:], dim=1), rtol=1e-9, atol=1e-9)


def operate(edge: nn.Module, name: str, state: torch.Tensor, stride: int) -> torch.Tensor:
    """One operation of an edge, by torch's functions."""
    if name == "none":
        return torch.zeros_like(state[:, :, ::stride, ::stride])
    if name == "max_pool_3x3":
        return standardise(functional.max_pool2d(state, 3, stride, 1))
    if name == "avg_pool_3x3":
        ones = functional.avg_pool2d(torch.ones_like(state), 3, stride, 1)
        return standardise(functional.avg_pool2d(state, 3, stride, 1) / ones)
    if name == "skip_connect" and stride == 1:
        return state
    rectified = state.clamp_min(0)
    weights = [weight.detach() for weight in edge.operations[name].parameters()]
    if name == "skip_connect":
        time, features = state.shape[2:]
        further = functional.pad(rectified, (0, 1, 0, 1))[:, :, 1:, 1:]
        assert further.shape[2:] == (time, features)
        halves = [
            functional.conv2d(i, w, stride=2)
            for i, w in zip([rectified, further], weights, strict=True)
        ]
        return standardise(torch.cat(halves, dim=1))
    kernel, dilation = int(name[-1]), 2 if name.startswith("dil") else 1
    result = rectified
    for number, depthwise in enumerate(weights[::2]):
        result = functional.conv2d(
            result.clamp_min(0),
            depthwise,
            stride=stride if number == 0 else 1,
            padding=dilation * (kernel // 2),
            dilation=dilation,
            groups=state.shape[1],
        )
        result = standardise(functional.conv2d(result, weights[2 * number + 1]))
    return result


def standardise(image: torch.Tensor) -> torch.Tensor:
    mean = image.mean(dim=(0, 2, 3), keepdim=True)
    variance = image.var(dim=(0, 2, 3), unbiased=False, keepdim=True)
    return (image - mean) / (variance + 1e-5).sqrt()


def test_channels_last_changes_the_layout_only() -> None:
    torch.manual_seed(0)
    network = SearchNetwork(2, 3, classes=3, nodes=2).double()
    frames = torch.randn(2, 12, 12).double()
    image = stem_image(network.stem, Stream(frames, torch.tensor([12, 12])))
    assert image.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(image, network.stem(frames[:, None]))
    mixed = []
    for layout in (torch.channels_last, torch.contiguous_format):
        older = image.detach().contiguous(memory_format=layout).requires_grad_()
        last = network.cells[0](older, older, network.alphas_normal.softmax(dim=1))
        last = network.cells[1](older, last, network.alphas_reduction.softmax(dim=1))
        mixed.append((last, *torch.autograd.grad(last.square().sum(), older)))
    torch.testing.assert_close(mixed[0], mixed[1])


def test_factorized_reduce_takes_odd_and_even_sides() -> None:
    torch.manual_seed(0)
    for inputs, outputs in ((6, 3), (12, 6), (8, 5)):
        halve = FactorizedReduce(inputs, outputs, affine=False)
        for side in (7, 8):
            image = torch.randn(4, inputs, side, side).to(memory_format=torch.channels_last)
            image.requires_grad_()
            result = halve(image)
            assert result.shape == (4, outputs, 4, 4)
            result.square().sum().backward()
            strided = functional.conv2d(image, halve.even.weight, stride=2)
            torch.testing.assert_close(
                result[:, : outputs // 2], standardise(strided), rtol=1e-4, atol=1e-4
            )


def test_no_pointwise_convolution_is_strided() -> None:
    """With channels last its backward pass corrupts memory; see FactorizedReduce."""
    genotype = CellsGenotype(
        method="hand", channels=4, cells=3, nodes=1, normal=ONE_NODE, reduction=ONE_NODE
    )
    for network in (SearchNetwork(4, 3, classes=2), DerivedNetwork(genotype, classes=2)):
        kinds = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
        assert not [m for m in kinds if m.kernel_size == (1, 1) and m.stride != (1, 1)]


def test_derived_cells_compute_the_kept_operations_only() -> None:
    """Against the search cell whose weights are 1 on the kept operations and 0 elsewhere."""
    torch.manual_seed(0)
    shape = CellShape(4, 4, 4, True, False)
    cell = SearchCell(shape, nodes=1).double()
    kept = DerivedNetwork(
        CellsGenotype(
            method="hand", channels=2, cells=1, nodes=1, normal=ONE_NODE, reduction=ONE_NODE
        ),
        classes=2,
    ).double()
    derived = kept.cells[0]
    derived.older, derived.last = cell.older, cell.last
    for number, name in enumerate(["skip_connect", "sep_conv_3x3"]):
        target = derived.operations[number][1]
        target.load_state_dict(cell.edges[number].operations[name].state_dict(), strict=False)
    one_hot = torch.zeros(2, len(OPERATIONS)).double()
    one_hot[0, OPERATIONS.index("skip_connect")] = 1
    one_hot[1, OPERATIONS.index("sep_conv_3x3")] = 1
    older, last = torch.randn(2, 4, 8, 6).double(), torch.randn(2, 4, 8, 6).double()
    torch.testing.assert_close(derived(older, last), cell(older, last, one_hot))


def test_derived_network_counts_by_hand_and_takes_any_length() -> None:
    """C = 4, L = 1: a reduction cell with 8 channels."""
    network = DerivedNetwork(
        CellsGenotype(
            method="hand", channels=4, cells=1, nodes=1, normal=ONE_NODE, reduction=ONE_NODE
        ),
        classes=3,
    )
    stem, preprocess = 9 * 12 + 24, 2 * (12 * 8 + 16)
    skip, separable = 8 * 8 + 16, 2 * (9 * 8 + 64 + 16)
    expected = stem + preprocess + skip + separable + 8 * 3 + 3
    assert count_parameters(network) == expected
    network.eval()
    for time in (9, 12):
        output = network(image_stream(time=time))
        assert output.logits.shape == (3, 3)
        assert output.embedding.shape == (3, 8)


def test_none_is_zero_and_every_operation_can_be_kept() -> None:
    image = torch.randn(2, 4, 9, 9)
    for stride in (1, 2):
        for name in OPERATIONS:
            result = make_operation(name, 4, stride)(image)
            assert result.shape == image[:, :, ::stride, ::stride].shape
            assert (name == "none") == bool((result == 0).all())


def test_sources_and_edges_share_nothing_that_has_weights() -> None:
    assert sum(p.numel() for p in Source(4, 2).parameters()) == 0
    assert set(MixedEdge(4, 1).operations) == set(OPERATIONS[4:])
    assert set(MixedEdge(4, 2).operations) == set(OPERATIONS[3:])
