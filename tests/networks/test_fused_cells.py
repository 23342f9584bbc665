"""The fused search network against the published one, module by module (benchmarks)."""

from collections import defaultdict

import numpy as np
import plain_search
import pytest
import torch
from torch import nn

from emonas.networks.cell_operations import FactorizedReduce
from emonas.networks.fused_cells import convolutions, layout, maps, pools, products, source
from emonas.networks.fused_cells.convolutions import Kernel
from emonas.networks.fused_cells.layout import BORDER, laid_size
from emonas.networks.fused_cells.preprocessing import preprocess
from emonas.networks.fused_cells.source import mixed_edges
from emonas.networks.fused_cells.statistics import Moments, normalised, standardised
from emonas.networks.search_cells import SearchNetwork, learns_by_batch
from emonas.networks.streams import Stream
from emonas.search.bilevel import statistics_kept


def both(channels, cells, nodes, dtype=torch.float64):
    """Ours, fused, and the published one with the same weights."""
    torch.manual_seed(0)
    ours = SearchNetwork(channels, cells, 3, nodes, fused=True).train()
    for alphas in ours.alphas():
        nn.init.normal_(alphas)
    plain = plain_search.PlainSearchNetwork(channels, cells, 3, nodes).train()
    plain.take_weights(ours)
    return ours.to(dtype), plain.to(dtype)


def images(batch, rows, columns, dtype=torch.float64):
    torch.manual_seed(1)
    frames = torch.randn(batch, rows, columns, dtype=dtype)
    # As a spectrogram has it: a floor of equal values, so that windows have several largest.
    frames[:, : rows // 2, columns // 2 :] = -1.5
    return Stream(frames, torch.full((batch,), rows)), torch.arange(batch) % 3


def gradients(network, stream, labels):
    """Logits, loss, and the gradient of every parameter by the published one's names."""
    with statistics_kept(network):
        logits = network(stream).logits
        loss = nn.functional.cross_entropy(logits, labels)
        names = [plain_search.plain_name(name) for name, _ in network.named_parameters()]
        if isinstance(network, plain_search.PlainSearchNetwork):
            names = [name for name, _ in network.named_parameters()]
        found = torch.autograd.grad(loss, list(network.parameters()), materialize_grads=True)
    return logits, loss, dict(zip(names, found, strict=True))


def distance(found, reference):
    """Relative; of what is zero, such as the alphas of a kind of cell that is not there, none."""
    found, reference = found.detach().double(), reference.detach()
    return float((found - reference).norm() / reference.norm().clamp_min(1e-300))


@pytest.mark.parametrize(
    ("channels", "cells", "nodes", "rows", "columns"),
    [(2, 3, 2, 12, 9), (6, 3, 4, 13, 10), (5, 4, 3, 8, 7), (1, 2, 1, 5, 6), (13, 1, 2, 6, 5)],
)
def test_it_computes_what_the_published_network_computes(channels, cells, nodes, rows, columns):
    ours, plain = both(channels, cells, nodes)
    stream, labels = images(3, rows, columns)
    logits, loss, found = gradients(ours, stream, labels)
    wanted_logits, wanted_loss, wanted = gradients(plain, stream, labels)
    assert distance(logits, wanted_logits) < 1e-9
    assert distance(loss, wanted_loss) < 1e-9
    assert found.keys() == wanted.keys()
    for name, gradient in wanted.items():
        assert distance(found[name], gradient) < 1e-9, name


def test_single_precision_is_no_further_off_than_the_published_networks():
    """Twice its own distance from double precision, over all weights and over the alphas."""
    ours, plain = both(6, 3, 4)
    stream, labels = images(4, 40, 36)
    _, _, exact = gradients(plain, stream, labels)
    single = Stream(stream.frames.float(), stream.lengths)
    _, _, found = gradients(ours.float(), single, labels)
    _, _, published = gradients(plain.float(), single, labels)
    alphas = [name for name in exact if "alphas" in name]
    for names in (alphas, [name for name in exact if name not in alphas]):
        one, other, truth = (
            torch.cat([each[name].double().flatten() for name in names])
            for each in (found, published, exact)
        )
        assert distance(one, truth) <= 2 * distance(other, truth)


def test_weights_that_nobody_asks_for_do_not_change_the_alphas_gradient():
    ours, _ = both(4, 3, 3)
    stream, labels = images(3, 10, 10)
    _, _, whole = gradients(ours, stream, labels)
    for weight in ours.weights():
        weight.requires_grad_(False)
    with statistics_kept(ours):
        loss = nn.functional.cross_entropy(ours(stream).logits, labels)
        alone = torch.autograd.grad(loss, ours.alphas())
    for name, gradient in zip(("alphas_normal", "alphas_reduction"), alone, strict=True):
        torch.testing.assert_close(gradient, whole[name], rtol=1e-12, atol=0)


def test_it_is_used_where_it_says(monkeypatch):
    calls = []
    fused = source.mixed_edges
    monkeypatch.setattr(source, "mixed_edges", lambda *a: calls.append(1) or fused(*a))
    ours, _ = both(2, 3, 2)
    stream, labels = images(3, 8, 8)
    gradients(ours, stream, labels)
    # A call a state that edges leave.
    assert len(calls) == 3 * 3
    calls.clear()
    ours(stream)
    with statistics_kept(ours):
        ours.eval()(stream)
    plain = SearchNetwork(2, 3, 3, 2).double().train()
    gradients(plain, stream, labels)
    assert not calls


@pytest.mark.parametrize("frozen", [".0.weight", ".4.weight", ".1.weight"])
def test_some_frozen_weights_change_no_other_gradient(frozen):
    ours, _ = both(3, 3, 2)
    stream, labels = images(3, 9, 8)
    _, _, whole = gradients(ours, stream, labels)
    names = {name: plain_search.plain_name(name) for name, _ in ours.named_parameters()}
    for name, weight in ours.named_parameters():
        weight.requires_grad_(not ("_conv_" in name and name.endswith(frozen)))
    with statistics_kept(ours):
        loss = nn.functional.cross_entropy(ours(stream).logits, labels)
        learning = {n: w for n, w in ours.named_parameters() if w.requires_grad}
        found = torch.autograd.grad(loss, list(learning.values()))
    assert len(found) < len(whole)
    for name, gradient in zip(learning, found, strict=True):
        torch.testing.assert_close(gradient, whole[names[name]], rtol=1e-9, atol=1e-15)


def test_a_second_way_back_is_refused():
    ours, _ = both(2, 2, 2)
    stream, labels = images(2, 6, 6)
    with statistics_kept(ours):
        loss = nn.functional.cross_entropy(ours(stream).logits, labels)
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="fused cells go back once"):
        loss.backward()


def test_the_number_of_threads_changes_nothing():
    """To the bit: what images add up to is added image by image."""
    ours, _ = both(4, 3, 3, torch.float32)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(edges_of(ours))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(*pair) for pair in zip(found[0], other, strict=True))


def edges_of(network):
    """What the edges out of one state give, and the gradient that goes back through them."""
    cell = network.cells[0]
    state = torch.randn(5, 4, 11, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    edges = list(cell.edges[:3])
    given = mixed_edges(state, 1, edges, network.alphas_normal.softmax(dim=1)[:3])
    total = sum(image.square().sum() for image in given)
    weights = [weight for edge in edges for weight in edge.parameters()]
    return [*given, *torch.autograd.grad(total, [state, *weights])]


def test_it_is_left_to_torch_where_statistics_are_kept_or_nothing_is_learnt():
    """Running statistics are what a searched network is applied with: torch's modules keep them."""
    ours, plain = both(2, 3, 2)
    stream, _ = images(3, 8, 8)
    assert not learns_by_batch(ours, stream.frames)
    assert torch.equal(ours(stream).logits, ours(stream).logits)
    torch.testing.assert_close(ours(stream).logits, plain(stream).logits)
    running = [norm for norm in ours.modules() if isinstance(norm, nn.BatchNorm2d)]
    assert any(norm.running_mean.abs().sum() > 0 for norm in running)
    with statistics_kept(ours):
        assert learns_by_batch(ours, stream.frames)
        assert not learns_by_batch(ours.eval(), stream.frames)


def laid(images):
    """Images between borders of zeros, (count, channels, ...)."""
    rows, columns = laid_size(*images.shape[2:])
    room = np.zeros((*images.shape[:2], rows, columns))
    room[:, :, BORDER : BORDER + images.shape[2], BORDER:] = images
    return room


def inside(room, size):
    return room[..., BORDER : BORDER + size[0], BORDER : BORDER + size[1]]


def nothing_between(room, size):
    """Whether all but the pixels is zero."""
    rest = room.copy()
    inside(rest, size)[:] = 0
    return not rest.any()


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("taps", "dilation"), [(3, 1), (5, 1), (3, 2), (5, 2)])
@pytest.mark.parametrize("size", [(1, 1), (5, 4), (8, 11)])
def test_convolutions_there_and_back_are_torchs(taps, dilation, stride, size):
    """Of the last two of three images, as a thread has them."""
    kernel, channels, start = Kernel(taps, dilation, stride), 3, 1
    generator = np.random.default_rng(0)
    image = generator.standard_normal((3, channels, *size))
    weights = generator.standard_normal((channels, taps, taps))
    tensor = torch.tensor(image[start:]).requires_grad_()
    filters = torch.tensor(weights)[:, None].requires_grad_()
    wanted = nn.functional.conv2d(
        tensor.relu(), filters, None, stride, kernel.reach, dilation, groups=channels
    )
    small = tuple(wanted.shape[2:])
    dealt = np.zeros((stride**2, 3, channels, *laid_size(*small)))
    layout.deal(image, dealt, 0, stride)
    result = np.zeros((2, channels, *laid_size(*small)))
    kernel = kernel.simplest
    dealt = dealt[: kernel.stride**2]
    convolutions.make_convolve(kernel)(dealt, start, weights, result)
    np.testing.assert_allclose(inside(result, small), wanted.detach(), rtol=1e-12, atol=1e-12)
    assert nothing_between(result, small)
    given = generator.standard_normal(wanted.shape)
    wanted.backward(torch.tensor(given))
    slopes, to_weights = laid(given), np.zeros((2, *weights.shape))
    convolutions.make_correlate(kernel)(dealt, start, slopes, to_weights)
    np.testing.assert_allclose(to_weights.sum(0), filters.grad[:, 0], rtol=1e-10, atol=1e-10)
    gathered, found = np.zeros((stride**2, *result.shape)), np.zeros_like(image[start:])
    convolutions.make_gather(kernel)(slopes, weights, gathered[: kernel.stride**2])
    layout.add_gathered(gathered, image[start:], found, stride)
    np.testing.assert_allclose(found, tensor.grad, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 6, 8])
def test_maps_and_products_are_numpys(channels):
    """Three outputs at a time, two, or one; longer than what is taken at once."""
    generator = np.random.default_rng(0)
    size = (37, 41)
    one, two = generator.standard_normal((2, 2, channels, *size))
    matrix, other = generator.standard_normal((2, channels, channels))
    offset, room = generator.standard_normal(channels), laid(one)
    rooms = laid(one), laid(two)
    wanted = offset[:, None, None] + np.einsum("oc,nchw->nohw", matrix, one)
    for how, result in ((maps.POSITIVE, wanted.clip(0)), (maps.FRESH, wanted)):
        maps.make_map(channels)(rooms[0], 0, matrix, offset, room, 0, how)
        np.testing.assert_allclose(inside(room, size), result, rtol=1e-9, atol=1e-9)
        assert nothing_between(room, size)
    wanted += np.einsum("oc,nchw->nohw", other, two)
    pair = maps.make_pair(channels)
    pair(rooms[0], matrix, rooms[1], other, offset, room, True)
    np.testing.assert_allclose(inside(room, size), wanted, rtol=1e-9, atol=1e-9)
    assert nothing_between(room, size)
    pair(rooms[1], matrix, rooms[0], other, offset, room, False)
    wanted += np.einsum("oc,nchw->nohw", matrix, two) + np.einsum("oc,nchw->nohw", other, one)
    np.testing.assert_allclose(inside(room, size), wanted, rtol=1e-9, atol=1e-9)
    # The last channel alone, to the last one.
    last = channels - 1
    maps.make_map(1)(rooms[1], last, matrix[:1, :1], offset, room, last, maps.ADDED)
    wanted[:, -1] += matrix[0, 0] * two[:, -1]
    np.testing.assert_allclose(inside(room, size), wanted, rtol=1e-9, atol=1e-9)
    crossed, squares = np.zeros((2, channels - 1, channels)), np.zeros((2, channels, channels))
    sums = np.zeros((2, channels))
    products.add_products(rooms[0], 1, rooms[1], crossed)
    np.testing.assert_allclose(crossed, np.einsum("nchw,ndhw->ncd", one[:, 1:], two), rtol=1e-9)
    products.add_squares(rooms[0], sums, squares)
    np.testing.assert_allclose(squares, np.einsum("nchw,ndhw->ncd", one, one), rtol=1e-9)
    np.testing.assert_allclose(sums, one.sum(axis=(2, 3)), rtol=1e-9)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (2, 5), (7, 6), (8, 9)])
def test_pools_there_and_back_are_torchs(stride, size):
    """Of whole numbers, so that windows have several largest."""
    generator = np.random.default_rng(0)
    image = generator.integers(0, 3, (2, 2, *size)).astype(np.float64)
    for number, pool in enumerate(
        (nn.MaxPool2d(3, stride, 1), nn.AvgPool2d(3, stride, 1, count_include_pad=False))
    ):
        tensor = torch.tensor(image).requires_grad_()
        wanted = pool(tensor)
        result = np.empty(wanted.shape)
        (pools.max_pool, pools.mean_pool)[number](image, result, stride)
        np.testing.assert_allclose(result, wanted.detach(), rtol=1e-12)
        given = generator.standard_normal(result.shape)
        wanted.backward(torch.tensor(given))
        found = np.zeros_like(image)
        if number == 0:
            pools.max_pool_back(image, result, given, found, stride)
        else:
            pools.mean_pool_back(given, found, stride)
        np.testing.assert_allclose(found, tensor.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("outputs", [2, 3, 4])
@pytest.mark.parametrize("size", [(1, 2), (6, 5), (9, 8)])
@pytest.mark.parametrize("halved", [False, True])
def test_a_preprocessed_input_is_torchs(outputs, size, halved):
    """There and back, for both ways in which a cell may take its inputs."""
    torch.manual_seed(0)
    pointwise = nn.Conv2d(5, outputs, 1, bias=False), nn.BatchNorm2d(outputs, affine=False)
    convolution = [FactorizedReduce(5, outputs, affine=False)] if halved else pointwise
    layers = nn.Sequential(nn.ReLU(), *convolution).double()
    image = torch.randn(4, 5, *size, dtype=torch.float64).requires_grad_()
    weights = list(layers.parameters())
    wanted, found = layers(image), preprocess(image, layers)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    given = torch.randn_like(wanted)
    for one, other in zip(
        torch.autograd.grad(found, [image, *weights], given),
        torch.autograd.grad(wanted, [image, *weights], given),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9)


def test_what_a_room_held_changes_nothing():
    """To the bit, with rooms that another network's images have filled."""
    ours, _ = both(3, 3, 2)
    others, _ = both(3, 3, 2)
    stream, labels = images(4, 9, 8)
    first = gradients(ours, stream, labels)
    gradients(others, Stream(100 * stream.frames, stream.lengths), labels)
    again = gradients(ours, stream, labels)
    assert torch.equal(first[0], again[0])
    assert all(torch.equal(first[2][name], again[2][name]) for name in first[2])


@pytest.mark.parametrize("size", [(13, 10), (10, 13), (15, 15)])
def test_rooms_of_odd_sides_held_other_images(size):
    """A dealt image of an odd side is smaller than its room, and so are those of four edges."""
    ours, plain = both(4, 3, 4)
    stream, labels = images(3, *size)
    _, _, wanted = gradients(plain, stream, labels)
    gradients(ours, stream, labels)
    larger = images(3, *(side + side % 2 for side in size))
    gradients(ours, *larger)
    for _ in range(2):
        _, _, found = gradients(ours, stream, labels)
        for name, gradient in wanted.items():
            assert distance(found[name], gradient) < 1e-9, name


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("learns", [False, True])
def test_no_room_keeps_what_is_no_number_between_rows(value, learns, monkeypatch):
    free = defaultdict(list)
    monkeypatch.setattr("emonas.networks.fused_cells.rooms._FREE", free)
    ours, _ = both(3, 3, 2)
    stream, labels = images(3, 10, 10)
    stream.frames[0, 2, 3] = value
    if learns:
        gradients(ours, stream, labels)
    else:
        with torch.no_grad(), statistics_kept(ours):
            ours(stream)
    laid = [(size, room) for (use, size, _), each in free.items() if use == "laid" for room in each]
    assert laid
    for size, room in laid:
        inner = size[-2] - 2 * BORDER - 1, size[-1] - BORDER
        assert nothing_between(room, inner)


def test_a_norm_folded_into_a_map_is_the_norm_behind_it():
    torch.manual_seed(0)
    images_of = torch.randn(4, 3, 6, 5, dtype=torch.float64) + 2
    weights = torch.randn(3, 3, dtype=torch.float64)
    pixels = images_of.permute(0, 2, 3, 1).reshape(-1, 3)
    moments = Moments(pixels.mean(dim=0), pixels.T @ pixels / len(pixels))
    found = normalised(weights, moments)
    norm = nn.BatchNorm1d(3, affine=False).double()
    torch.testing.assert_close(pixels @ found.matrices.T + found.offsets, norm(pixels @ weights.T))
    scale, offset = standardised(Moments(moments.mean, (pixels**2).mean(dim=0)))
    torch.testing.assert_close(pixels * scale + offset, norm(pixels))
