import pytest
import torch

from emonas.learning.masking import mask_stream
from emonas.networks.streams import Stream

LENGTHS = (40, 7, 3, 1, 100)


def stream():
    """All ones, zeros behind."""
    whole = torch.ones(len(LENGTHS), 100, 12)
    batch = Stream(whole, torch.tensor(LENGTHS))
    return Stream(whole * batch.mask[..., None], batch.lengths)


def masked(seed, time_share, feature_share):
    torch.manual_seed(seed)
    return mask_stream(stream(), time_share, feature_share).frames


def is_a_span(flags):
    """Whether the true ones stand side by side."""
    places = [place for place, flag in enumerate(flags) if flag]
    return not places or places == list(range(places[0], places[-1] + 1))


@pytest.mark.parametrize("time_share", [0.0, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("feature_share", [0.0, 0.05, 0.25, 1.0])
def test_a_span_of_frames_and_one_of_features_within_their_shares(time_share, feature_share):
    for seed in range(60):
        frames = masked(seed, time_share, feature_share)
        assert set(frames.unique().tolist()) <= {0.0, 1.0}
        for row, length in enumerate(LENGTHS):
            own = frames[row, :length]
            features = (own == 0).all(dim=0)
            if not features.all():
                times = (own == 0).all(dim=1)
                assert int(times.sum()) <= time_share * length + 1e-4
                assert is_a_span(times.tolist())
                left = own[~times][:, ~features]
                assert (left == 1).all()
            if not (own == 0).all():
                assert int(features.sum()) <= feature_share * 12 + 1e-4
                assert is_a_span(features.tolist())
            assert (frames[row, length:] == 0).all()


def test_every_length_and_place_occurs_about_equally_often():
    torch.manual_seed(0)
    batch = Stream(torch.ones(20000, 10, 1), torch.full((20000,), 10))
    hidden = mask_stream(batch, 0.4, 0.0).frames[:, :, 0] == 0
    lengths = torch.bincount(hidden.sum(dim=1), minlength=11) / 20000
    assert lengths[5:].sum() == 0
    torch.testing.assert_close(lengths[:5], torch.full((5,), 0.2), rtol=0, atol=0.02)
    # Of the spans of 4 there are 7 places.
    starts = hidden[hidden.sum(dim=1) == 4].float().argmax(dim=1)
    shares = torch.bincount(starts, minlength=7) / len(starts)
    torch.testing.assert_close(shares, torch.full((7,), 1 / 7), rtol=0, atol=0.03)


def test_masking_is_seeded_and_leaves_its_input():
    assert torch.equal(masked(1, 0.5, 0.5), masked(1, 0.5, 0.5))
    assert not torch.equal(masked(1, 0.5, 0.5), masked(2, 0.5, 0.5))
    before = stream()
    mask_stream(before, 1.0, 1.0)
    assert torch.equal(before.frames, stream().frames)


def test_one_vector_an_utterance_is_not_masked():
    vectors = Stream(torch.ones(50, 1, 6), torch.ones(50, dtype=torch.int64))
    assert torch.equal(mask_stream(vectors, 1.0, 1.0).frames, vectors.frames)
