"""Features of the pretrained wav2vec-large (EmotionNAS, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, ExtractorOptions, Speech
from emonas.features.frames import padded, pooled
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch

    from emonas.learning.options import RuntimeOptions
    from emonas.networks.wav2vec import Wav2vec


class Options(ExtractorOptions):
    """Options of wav2vec."""

    uses_torch: ClassVar[bool] = True

    extractor: Literal["wav2vec"] = Field("wav2vec", description="name of the extractor")
    checkpoint: Path | None = Field(
        None,
        description="path of the released wav2vec_large.pt; runs without it are skipped",
    )
    output: Literal["c", "z"] = Field(
        "c", description="c: the aggregator's output; z: the feature extractor's (our reading: c)"
    )
    frames: int | None = Field(
        2908,
        ge=1,
        description="frames that every utterance is padded with zeros or cut to before averaging "
        "(our reading of the maximum length: 4 x 727); null keeps each utterance's own length",
    )
    pool: int = Field(
        4, ge=1, description="average this many consecutive frames (our reading: 2908 to 727)"
    )

    @property
    def missing(self) -> str:
        """Say that the checkpoint is not given."""
        return "" if self.checkpoint else "checkpoint is not given"


LARGE = (
    ((512, 10, 5), (512, 8, 4), (512, 4, 2), (512, 4, 2), (512, 4, 2), (512, 1, 1), (512, 1, 1)),
    (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13),
)
"""wav2vec-large: channels, kernel and stride of the feature extractor; the aggregator's kernels."""


class Wav2vecFeatures:
    """Gives (frames, features) an utterance; (727, 512) with the papers' settings."""

    layers: tuple[str, ...] = ()

    def __init__(
        self, options: Options, network: Wav2vec, checkpoint: str, device: torch.device
    ) -> None:
        self._options = options
        self._device = device
        self._network = network.to(device)
        self.checkpoint = checkpoint
        self.frame_rate = options.sampling_rate / network.hop / options.pool

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, features) for each utterance, each run at its own length."""
        return [self._features(speech.waveform) for speech in batch]

    def _features(self, waveform: Array) -> Array:
        import torch

        options = self._options
        samples = padded(waveform, self._network.receptive_field)
        with torch.inference_mode():
            latent, context = self._network(torch.from_numpy(samples)[None].to(self._device))
        frames: Array = (latent if options.output == "z" else context)[0].cpu().numpy()
        if options.frames is not None:
            frames = padded(frames[: options.frames], options.frames)
        return pooled(frames, options.pool)


def untrained(options: Options, runtime: RuntimeOptions) -> Extractor:
    """Make an extractor of random weights: it takes as long as the real one, for forecasts.

    Raises:
        EmonasError: a GPU is asked for where there is none.
    """
    from emonas.learning.devices import prepare
    from emonas.networks.wav2vec import Wav2vec

    device = prepare(runtime, 0)
    return Wav2vecFeatures(options, Wav2vec(*LARGE).eval(), "", device)


def build(options: Options, runtime: RuntimeOptions) -> Extractor:
    """Load the checkpoint and make the extractor.

    Raises:
        EmonasError: there is no checkpoint, it is damaged or of another architecture, or a GPU is
            asked for where there is none.
    """
    from emonas.features.fairseq import digest_file, load_wav2vec
    from emonas.learning.devices import prepare

    if options.checkpoint is None:
        raise EmonasError(f"features: {options.missing} for the extractor wav2vec; set its path")
    digest = digest_file(options.checkpoint)
    network = load_wav2vec(options.checkpoint)
    return Wav2vecFeatures(options, network, digest, prepare(runtime, 0))
