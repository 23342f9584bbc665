"""GE2E's encoder inside a network, against the package that its weights come from."""

import copy
import importlib.util

import numpy as np
import pytest
import torch

from emonas.networks.streams import Stream

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("resemblyzer") is None, reason="resemblyzer is not installed"
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
LENGTHS = (9000, 25600, 43210, 61000)


@pytest.fixture(scope="module")
def encoder():
    from emonas.networks.speaker_encoder import SpeakerEncoder

    return SpeakerEncoder()


def voices():
    generator = np.random.default_rng(2)
    tones = [0.1 * np.sin(np.arange(n) * (0.05 + 0.01 * k)) for k, n in enumerate(LENGTHS)]
    return [
        (tone + 0.02 * generator.standard_normal(len(tone))).astype(np.float32) for tone in tones
    ]


def stream(waveforms):
    frames = torch.zeros(len(waveforms), max(map(len, waveforms)), 1)
    for row, samples in zip(frames, waveforms, strict=True):
        row[: len(samples), 0] = torch.from_numpy(samples)
    return Stream(frames, torch.tensor([len(samples) for samples in waveforms]))


def test_a_vector_is_the_package_s_in_any_company(encoder):
    from resemblyzer import VoiceEncoder

    package = VoiceEncoder("cpu", verbose=False)
    with torch.no_grad():
        found = encoder(stream(voices())).numpy()
        for row, samples in zip(found, voices(), strict=True):
            np.testing.assert_allclose(row, package.embed_utterance(samples), atol=2e-5)
            alone = encoder(stream([samples])).numpy()[0]
            np.testing.assert_allclose(row, alone, atol=1e-6)


def test_the_encoder_is_trained_on(encoder):
    encoder.zero_grad()
    encoder(stream(voices()[:2])).square().sum(dim=0)[0].backward()
    assert all(weight.grad.abs().sum() > 0 for weight in encoder.encoder.lstm.parameters())


def test_costs_can_be_counted_without_samples(encoder):
    sketch = copy.deepcopy(encoder).to("meta")
    given = Stream(torch.zeros(2, 40000, 1, device="meta"), torch.zeros(2, device="meta").long())
    assert sketch(given).shape == (2, 256)
