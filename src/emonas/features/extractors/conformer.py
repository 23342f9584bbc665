"""Outputs of the blocks of a Conformer encoder that WeNet trained (CTA-RNN, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.features.encoders.wenet import Release, load_encoder, read_release
from emonas.features.encoders.wenet_encoding import WenetEncoding, check_sampling_rate
from emonas.features.extraction import BlockEncoderOptions, Extractor, Resources, Speech
from emonas.features.frames import pooled_layers
from emonas.features.precision import computes_in_half
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch

    from emonas.features.encoders.wenet_encoding import Encoder


class Options(BlockEncoderOptions):
    """Options of the Conformer."""

    extractor: Literal["conformer"] = Field("conformer", description="name of the extractor")
    backend: Literal["emonas", "wenet"] = Field(
        "emonas",
        description="wenet runs the original, in the environment envs/wenet.yaml; `make parity` "
        "compares the two",
    )


class ConformerFeatures:
    """Gives (layers, frames, features) an utterance, 25 frames a second in most releases.

    Layer "1" is the output of the first block, and so on; the last is that of the last block,
    before the layer normalisation that the decoder reads it through.
    """

    def __init__(self, encoding: WenetEncoding, layers: tuple[str, ...], pool: int) -> None:
        self._encoding = encoding
        self._pool = pool
        self.layers = layers
        self.frame_rate = encoding.frame_rate / pool

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (layers, frames, features) for each utterance."""
        import torch

        encoded = self._encoding.encode([speech.waveform for speech in batch])
        blocks = torch.stack([encoded.blocks[int(layer) - 1] for layer in self.layers], dim=1)
        outputs = blocks.float().cpu().numpy()
        lengths = encoded.lengths.tolist()
        return [
            pooled_layers(output[:, :length], self._pool)
            for output, length in zip(outputs, lengths, strict=True)
        ]


def build(options: Options, resources: Resources) -> Extractor:
    """Load the release and make the extractor.

    Raises:
        EmonasError: the release is damaged or of another architecture, a layer is asked for that
            it has not, WeNet is asked for where it is not installed, or a GPU where there is none.
    """
    from emonas.learning.devices import prepare

    release = read_release(resources.weights)
    check_sampling_rate(release, options.sampling_rate)
    layers = resources.chosen_layers(1, release.shape.blocks)
    device = prepare(resources.runtime, 0)
    encoding = WenetEncoding(
        release,
        _encoder(options, release, device),
        device,
        blocks=max(int(layer) for layer in layers),
        half=options.backend == "emonas" and computes_in_half(options.precision, device),
    )
    return ConformerFeatures(encoding, layers, options.pool)


def _encoder(options: Options, release: Release, device: torch.device) -> Encoder:
    if options.backend == "emonas":
        return load_encoder(release).to(device)
    from emonas.features.encoders.wenet_original import OriginalEncoder

    return OriginalEncoder(release, device)
