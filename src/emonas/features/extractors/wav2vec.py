"""Features of the pretrained wav2vec-large (EmotionNAS, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, ExtractorOptions, Speech
from emonas.features.frames import padded, pooled
from emonas.storage.features import Array

if TYPE_CHECKING:
    from emonas.networks.wav2vec import Wav2vec


class Options(ExtractorOptions):
    """Options of wav2vec."""

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

    torch_threads: int = Field(
        1, ge=1, description="threads inside torch; another number changes the last bits (ours)"
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

    def __init__(self, options: Options, network: Wav2vec, checkpoint: str) -> None:
        import torch

        self._options = options
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.to(self._device)
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


def untrained(options: Options) -> Extractor:
    """Make an extractor of random weights: it takes as long as the real one, for forecasts."""
    import torch

    from emonas.networks.wav2vec import Wav2vec

    torch.set_num_threads(options.torch_threads)
    return Wav2vecFeatures(options, Wav2vec(*LARGE).eval(), "")


def build(options: Options) -> Extractor:
    """Load the checkpoint and make the extractor.

    Raises:
        EmonasError: there is no checkpoint, or it is damaged or of another architecture.
    """
    import torch

    from emonas.features.fairseq import digest_file, load_wav2vec

    if options.checkpoint is None:
        raise EmonasError(f"features: {options.missing} for the extractor wav2vec; set its path")
    digest = digest_file(options.checkpoint)
    torch.set_num_threads(options.torch_threads)
    return Wav2vecFeatures(options, load_wav2vec(options.checkpoint), digest)
