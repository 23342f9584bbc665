import numpy as np
import pytest
import torch
from torch import nn

from emonas.networks.convolutional_recurrent import (
    ConvolutionalRecurrent,
    FrameBatchNorm,
    MaskedConvolutions,
)
from emonas.networks.streams import Stream

FEATURES, CHANNELS, HIDDEN = 7, (3, 4), 5


def ragged(lengths, padding, fill=9.0):
    """Utterances, each alone and in a batch whose padding holds what must not count."""
    own = [torch.randn(length, FEATURES) for length in lengths]
    frames = torch.full((len(lengths), max(lengths) + padding, FEATURES), fill)
    for row, utterance in enumerate(own):
        frames[row, : len(utterance)] = utterance
    return own, Stream(frames, torch.tensor(lengths))


def make(cell="lstm", dense=None, kernel=3, pool=2, layers=1):
    torch.manual_seed(3)
    convolutions = MaskedConvolutions(CHANNELS, kernel, pool)
    for norm in convolutions.norms:
        # A mean below 0, so that nothing becomes something behind an utterance's end.
        norm.norm.running_mean.uniform_(-1.5, 0.5)
        norm.norm.running_var.uniform_(0.5, 1.5)
    return ConvolutionalRecurrent(FEATURES, convolutions, cell, HIDDEN, layers, dense, 4)


def convolve(weight, image):
    """(inputs, time, features) to (outputs, time, features), number by number, zeros around."""
    outputs, inputs, size, _ = weight.shape
    before = (size - 1) // 2
    _, steps, width = image.shape
    result = np.zeros((outputs, steps, width))
    for o, t, f in np.ndindex(*result.shape):
        for i, dt, df in np.ndindex(inputs, size, size):
            time, feature = t + dt - before, f + df - before
            if 0 <= time < steps and 0 <= feature < width:
                result[o, t, f] += weight[o, i, dt, df] * image[i, time, feature]
    return result


def largest(image, pool):
    """The largest of each pool of frames and features; the last may be smaller."""
    channels, steps, width = image.shape
    times, features = -(-steps // pool), -(-width // pool)
    result = np.zeros((channels, times, features))
    for c, t, f in np.ndindex(*result.shape):
        result[c, t, f] = image[c, t * pool : (t + 1) * pool, f * pool : (f + 1) * pool].max()
    return result


def layers_of(convolutions, utterance, pool):
    """What is left of one utterance, by loops."""
    image = utterance.numpy().astype(np.float64)[None]
    for convolution, norm in zip(convolutions.convolutions, convolutions.norms, strict=True):
        image = convolve(convolution.weight.detach().double().numpy(), image)
        facts = [norm.norm.running_mean, norm.norm.running_var, norm.norm.weight, norm.norm.bias]
        mean, variance, weight, bias = (f.detach().numpy()[:, None, None] for f in facts)
        image = (image - mean) / np.sqrt(variance + norm.norm.eps) * weight + bias
        image = largest(np.maximum(image, 0), pool)
    return image.transpose(1, 0, 2).reshape(image.shape[1], -1)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(("kernel", "pool"), [(3, 2), (1, 1), (5, 3), (4, 2)])
def test_convolutions_are_their_loops_utterance_by_utterance(kernel, pool):
    convolutions = make(kernel=kernel, pool=pool).convolutions.eval()
    lengths = (11, 1, 6, 4)
    own, stream = ragged(lengths, 5)
    found = convolutions(stream)
    for row, utterance in enumerate(own):
        wanted = layers_of(convolutions, utterance, pool)
        assert int(found.lengths[row]) == len(wanted) == -(-lengths[row] // pool ** len(CHANNELS))
        assert convolutions.width(FEATURES) == wanted.shape[1]
        kept = found.frames[row].detach().numpy()
        np.testing.assert_allclose(kept[: len(wanted)], wanted, rtol=1e-4, atol=1e-5)
        assert not kept[len(wanted) :].any()


@pytest.mark.parametrize(("cell", "dense"), [("lstm", None), ("gru", 6)])
@pytest.mark.parametrize("layers", [1, 2])
def test_the_classifier_sees_the_last_states_of_both_directions(cell, dense, layers):
    network = make(cell, dense, layers=layers).eval()
    own, stream = ragged((9, 3, 1, 12), 4)
    output = network(stream)
    for row, utterance in enumerate(own):
        frames = torch.from_numpy(layers_of(network.convolutions, utterance, 2)).float()
        states, _ = network.cells(frames)
        wanted = torch.cat([states[-1, :HIDDEN], states[0, HIDDEN:]])
        if dense is not None:
            wanted = torch.relu(network.dense[0].weight @ wanted + network.dense[0].bias)
        torch.testing.assert_close(output.embedding[row], wanted, rtol=1e-4, atol=1e-5)
        logits = network.classifier.weight @ wanted + network.classifier.bias
        torch.testing.assert_close(output.logits[row], logits, rtol=1e-4, atol=1e-5)


def test_batch_normalisation_is_by_the_own_frames_and_padding_learns_nothing():
    torch.manual_seed(1)
    norm, whole = FrameBatchNorm(3), nn.BatchNorm2d(3)
    lengths = (5, 2, 7)
    own = [torch.randn(3, length, 4) * 2 + 1 for length in lengths]
    images = torch.full((3, 3, 9, 4), 50.0)
    for row, image in enumerate(own):
        images[row, :, : image.shape[1]] = image
    images.requires_grad_(requires_grad=True)
    found = norm(images, torch.arange(9) < torch.tensor(lengths)[:, None])
    wanted = whole(torch.cat(own, dim=1)[None])[0]
    for image, part in zip(found, wanted.split(lengths, dim=1), strict=True):
        torch.testing.assert_close(image[:, : part.shape[1]], part)
    torch.testing.assert_close(norm.norm.running_var, whole.running_var)
    (found * torch.randn_like(found)).sum().backward()
    for row, length in enumerate(lengths):
        assert images.grad[row, :, :length].any()
        assert not images.grad[row, :, length:].any()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_padding_changes_no_gradient(cell):
    """In training too, with the statistics of the batch."""
    grads = []
    torch.manual_seed(5)
    own, _ = ragged((6, 9, 4), 0)
    for padding, fill in ((0, 0.0), (7, 9.0)):
        network = make(cell)
        frames = torch.full((3, 9 + padding, FEATURES), fill)
        for row, utterance in enumerate(own):
            frames[row, : len(utterance)] = utterance
        logits = network(Stream(frames, torch.tensor([6, 9, 4]))).logits
        nn.functional.cross_entropy(logits, torch.tensor([0, 3, 1])).backward()
        grads.append([parameter.grad for parameter in network.parameters()])
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
