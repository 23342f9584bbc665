"""Waveforms through the encoder of a WeNet release, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from emonas.errors import EmonasError
from emonas.features.encoders.wenet import Release
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch

    from emonas.networks.conformer import Encoded

    Encoder = Callable[[torch.Tensor, torch.Tensor, int | None], Encoded]


class WenetEncoding:
    """Filterbank, normalisation and encoder.

    Attributes:
        frame_rate: encoded frames a second.
    """

    def __init__(
        self,
        release: Release,
        encoder: Encoder,
        device: torch.device,
        *,
        blocks: int | None = None,
        half: bool = False,
    ) -> None:
        """Put an encoder, which stands on the device already, behind its filterbank.

        Args:
            release: where it comes from.
            encoder: frames, lengths and how many blocks run, to what they give.
            device: where it stands.
            blocks: how many blocks run; None for all.
            half: whether products are computed in float16.
        """
        self.frame_rate = release.filterbank.frame_rate / release.shape.rate
        self._least = release.shape.receptive_field
        self._filterbank = release.filterbank
        self._encoder = encoder
        self._device = device
        self._blocks = blocks
        self._half = half

    def encode(self, waveforms: Sequence[Array]) -> Encoded:
        """Encode waveforms (samples,); one that is too short for a frame is padded with zeros."""
        import torch

        energies = [self._filterbank.energies(samples, self._least) for samples in waveforms]
        frames = torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(energy) for energy in energies], batch_first=True
        )
        lengths = torch.tensor([energy.shape[0] for energy in energies])
        device = self._device
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.float16, enabled=self._half),
        ):
            return self._encoder(frames.to(device), lengths.to(device), self._blocks)


def check_sampling_rate(release: Release, sampling_rate: int) -> None:
    """Refuse audio at another rate than that of the training.

    Raises:
        EmonasError: the rates differ.
    """
    trained = release.filterbank.sampling_rate
    if trained != sampling_rate:
        raise EmonasError(
            f"{release.folder / 'train.yaml'}: the encoder was trained at {trained} Hz, and "
            f"sampling_rate is {sampling_rate}; set it to {trained}, or give another release"
        )
