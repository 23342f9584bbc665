"""The convolutional encoder AudioNTT2020 of BYOL-A and BYOL-S, with the released names.

Koizumi et al., 2020 (the network); Niizumi et al., 2021 (BYOL-A, the pooling over time).
"""

from __future__ import annotations

from torch import Tensor, nn

BANDS = 64
CHANNELS = 64
BLOCKS = 3
DROPOUT = 0.3
SHORTEST = 2**BLOCKS
"""Frames of log mel that one frame after the blocks needs: each block halves time and bands."""


def _blocks() -> nn.Sequential:
    layers: list[nn.Module] = []
    width = 1
    for _ in range(BLOCKS):
        layers += [
            nn.Conv2d(width, CHANNELS, 3, padding=1),
            nn.BatchNorm2d(CHANNELS),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        width = CHANNELS
    return nn.Sequential(*layers)


class AudioNTT2020(nn.Module):
    """Gives one vector a log mel spectrogram.

    Args:
        width: features of the vector; 512, 1024 and 2048 were released.
        bands: mel bands.
    """

    def __init__(self, width: int, bands: int = BANDS) -> None:
        super().__init__()
        self.features = _blocks()
        self.fc = nn.Sequential(
            nn.Linear(CHANNELS * (bands // SHORTEST), width),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(width, width),
            nn.ReLU(),
        )

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Map (batch, bands, frames) to (batch, width): mean over time plus maximum over time.

        At least `SHORTEST` frames are needed. Spectrograms of different lengths must not share a
        batch: the convolutions see the padding, and the pooling over time counts it.
        """
        maps = self.features(spectrogram.unsqueeze(1))
        frames = self.fc(maps.permute(0, 3, 2, 1).flatten(2))
        pooled: Tensor = frames.mean(1) + frames.amax(1)
        return pooled
