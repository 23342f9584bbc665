"""Outputs of the blocks of Whisper's encoder, cut to the utterance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from emonas.checkpoints.whisper import load_whisper
from emonas.features.encoders.whisper import (
    WINDOW_SECONDS,
    frames_of,
    log_mels,
    windows_of,
)
from emonas.features.extraction import BlockEncoderOptions, Extractor, Resources, Speech
from emonas.features.frames import pooled_layers
from emonas.features.precision import computes_in_half
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch
    from whisper.model import AudioEncoder

FRAME_RATE = 50.0


class Options(BlockEncoderOptions):
    """Options of Whisper's encoder."""

    package: ClassVar[str] = "whisper"
    extra: ClassVar[str] = "whisper"
    least_seconds: ClassVar[float] = WINDOW_SECONDS

    extractor: Literal["whisper"] = Field("whisper", description="name of the extractor")
    sampling_rate: Literal[16000] = Field(16000, description="rate in Hz that it was trained on")


class WhisperFeatures:
    """Gives (layers, frames, features) an utterance, 50 frames a second before pooling.

    Layer "1" is the output of the first block, and so on; the last is that of the last block,
    before the layer normalisation that the decoder reads it through.
    """

    def __init__(
        self,
        options: Options,
        encoder: AudioEncoder,
        layers: tuple[str, ...],
        device: torch.device,
    ) -> None:
        self._options = options
        self._device = device
        self._half = computes_in_half(options.precision, device)
        self._bands = encoder.conv1.in_channels
        # Nobody reads the blocks behind the last one that is wanted.
        encoder.blocks = encoder.blocks[: max(int(layer) for layer in layers)]
        self._encoder = encoder.to(device)
        self._outputs: dict[str, torch.Tensor] = {}
        for layer in layers:
            self._listen(layer)
        self.layers = layers
        self.frame_rate = FRAME_RATE / options.pool

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (layers, frames, features) for each utterance; a long one window by window."""
        cut = [windows_of(speech.waveform) for speech in batch]
        encoded = self._encoded([window for windows in cut for window in windows])
        whole = (np.concatenate([next(encoded) for _ in windows], axis=1) for windows in cut)
        return [pooled_layers(layers, self._options.pool) for layers in whole]

    def _listen(self, layer: str) -> None:
        def keep(_block: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
            self._outputs[layer] = output

        self._encoder.blocks[int(layer) - 1].register_forward_hook(keep)

    def _encoded(self, windows: Sequence[Array]) -> Iterator[Array]:
        """Encode a few windows at a time: each is 30 s long, whatever is said in it."""
        at_once = max(1, int(self._options.budget // WINDOW_SECONDS))
        for start in range(0, len(windows), at_once):
            heard = windows[start : start + at_once]
            frames = [frames_of(window.shape[0]) for window in heard]
            outputs = self._encode(heard, max(frames))
            for index, count in enumerate(frames):
                yield outputs[:, index, :count]

    def _encode(self, windows: Sequence[Array], frames: int) -> Array:
        """Give the first frames of every window as (layers, windows, frames, features)."""
        import torch

        with torch.inference_mode():
            self._encoder(log_mels(windows, self._bands, self._device, self._half))
            outputs = torch.stack([self._outputs[layer][:, :frames] for layer in self.layers])
            self._outputs.clear()
            encoded: Array = outputs.float().cpu().numpy()
        return encoded


def build(options: Options, resources: Resources) -> Extractor:
    """Load the checkpoint and make the extractor.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture, a layer is asked for
            that it has not, or a GPU is asked for where there is none.
    """
    from emonas.learning.devices import prepare

    encoder = load_whisper(resources.weights).encoder
    layers = resources.chosen_layers(1, len(encoder.blocks))
    return WhisperFeatures(options, encoder, layers, prepare(resources.runtime, 0))
