import pytest
import torch

from emonas.networks.bidirectional import BidirectionalLayers
from emonas.networks.streams import Stream


@pytest.mark.parametrize("layers", [1, 2])
def test_the_way_back_begins_at_an_utterances_last_frame(layers):
    torch.manual_seed(1)
    gru = BidirectionalLayers("gru", 5, 4, layers, 0.3).eval()
    lengths = (9, 1, 4)
    frames = torch.randn(3, 15, 5)
    states = gru(Stream(frames, torch.tensor(lengths)))
    assert states.shape == (3, 15, 8)
    for row, length in enumerate(lengths):
        alone, _ = gru.cells(frames[row : row + 1, :length])
        torch.testing.assert_close(states[row, :length], alone[0], rtol=0, atol=1e-6)
        assert not states[row, length:].any()


@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_acts_on_the_last_layer_too_and_on_those_before(layers):
    torch.manual_seed(2)
    gru = BidirectionalLayers("gru", 5, 20, layers, 0.3)
    stream = Stream(torch.randn(4, 50, 5), torch.tensor([50, 50, 50, 50]))
    dropped, whole = gru(stream), gru.eval()(stream)
    kept = dropped != 0
    assert kept.float().mean().item() == pytest.approx(0.7, abs=0.02)
    # With one layer, what is left is only scaled.
    assert torch.allclose(dropped[kept], whole[kept] / 0.7, atol=1e-5) == (layers == 1)


def test_shapes_alone_can_be_computed():
    gru = BidirectionalLayers("gru", 5, 4, 2).to("meta").eval()
    stream = Stream(torch.empty(2, 7, 5, device="meta"), torch.empty(2, device="meta").long())
    assert gru(stream).shape == (2, 7, 8)
