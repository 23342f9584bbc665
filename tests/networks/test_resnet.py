import pytest
import torch
from torch import nn

from emonas.networks.resnet import BasicBlock, ResNet
from emonas.networks.streams import Stream
from emonas.systems.building import count_parameters


def weights_by_hand(blocks, classes):
    """Convolutions without bias, two weights a channel of a batch norm, one shortcut a stage."""
    total = 3 * 64 * 7 * 7 + 2 * 64
    inputs = 64
    for stage, count in enumerate(blocks):
        outputs = 64 * 2**stage
        for _ in range(count):
            total += inputs * outputs * 9 + 2 * outputs + outputs * outputs * 9 + 2 * outputs
            if inputs != outputs:
                total += inputs * outputs + 2 * outputs
            inputs = outputs
    return total + inputs * classes + classes


@pytest.mark.parametrize(
    ("blocks", "exact", "printed"),
    [((2, 2, 2, 2), 11_178_564, "11.18"), ((1, 1, 1), 1_233_732, "1.23")],
)
def test_the_published_sizes(blocks, exact, printed):
    """EmotionNAS v2, table 2."""
    found = count_parameters(ResNet(blocks, 4))
    assert found == weights_by_hand(blocks, 4) == exact
    assert f"{found / 1e6:.2f}" == printed


def test_a_block_adds_its_input_to_two_convolutions():
    torch.manual_seed(0)
    block = BasicBlock(6, 6, 1).eval()
    image = torch.randn(2, 6, 9, 7)
    first, _, _, second, _ = block.body
    inner = nn.functional.conv2d(image, first.weight, padding=1) / (1 + 1e-5) ** 0.5
    inner = nn.functional.conv2d(inner.clamp(min=0), second.weight, padding=1) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(block(image), (image + inner).clamp(min=0))


def test_a_step_of_two_halves_the_image():
    block = BasicBlock(4, 8, 2)
    assert block(torch.randn(1, 4, 9, 6)).shape == (1, 8, 5, 3)


def test_an_utterance_alone_gives_what_it_gives_in_a_batch():
    torch.manual_seed(1)
    network = ResNet((1, 1), 4).eval()
    frames = torch.randn(3, 33, 20)
    whole = network(Stream(frames, torch.full((3,), 33)))
    for row in range(3):
        alone = network(Stream(frames[row : row + 1], torch.tensor([33])))
        torch.testing.assert_close(alone.logits[0], whole.logits[row], rtol=0, atol=1e-5)
        torch.testing.assert_close(alone.embedding[0], whole.embedding[row], rtol=0, atol=1e-5)
