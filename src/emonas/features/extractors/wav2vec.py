"""Features of the pretrained wav2vec-large (EmotionNAS, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from emonas.errors import EmonasError
from emonas.features.extraction import EncoderOptions, Extractor, Resources, Speech
from emonas.features.frames import padded
from emonas.features.precision import computes_in_half
from emonas.options import LayerName
from emonas.storage.features import Array
from emonas.storage.frames import pooled

if TYPE_CHECKING:
    import torch

    from emonas.features.encoders.fairseq import Encoder

NO_LAYERS = "wav2vec has no layers to choose from but z and c: leave layers out, and set output"


class Options(EncoderOptions):
    """Options of wav2vec."""

    extractor: Literal["wav2vec"] = Field("wav2vec", description="name of the extractor")
    sampling_rate: Literal[16000] = Field(16000, description="rate in Hz that it was trained on")
    layers: tuple[LayerName, ...] | None = Field(
        None, description="stays null: wav2vec has no layers but z and c, see `output`"
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
    backend: Literal["emonas", "fairseq"] = Field(
        "emonas",
        description="fairseq runs the original, in the environment envs/fairseq.yaml; `make "
        "parity` compares the two",
    )

    @property
    def fixed_length(self) -> bool:
        """Where they are padded or cut."""
        return self.frames is not None

    @field_validator("layers")
    @classmethod
    def _has_no_layers(cls, layers: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if layers is not None:
            raise ValueError(NO_LAYERS)
        return layers


LARGE = (
    ((512, 10, 5), (512, 8, 4), (512, 4, 2), (512, 4, 2), (512, 4, 2), (512, 1, 1), (512, 1, 1)),
    (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13),
)
"""wav2vec-large: channels, kernel and stride of the feature extractor; the aggregator's kernels."""


class Wav2vecFeatures:
    """Gives (frames, features) an utterance; (727, 512) with the papers' settings.

    Utterances run one by one, each at its own length: the network normalises over all frames of
    its input, so that padding would change every one of them.
    """

    layers: tuple[str, ...] = ()

    def __init__(self, options: Options, network: Encoder, device: torch.device) -> None:
        import torch

        half = computes_in_half(options.precision, device)
        self._options = options
        self._device = device
        self._precision = torch.float16 if half else torch.float32
        self._network = network.to(device, self._precision)
        self.frame_rate = options.sampling_rate / network.hop / options.pool

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, features) for each utterance."""
        return [self._features(speech.waveform) for speech in batch]

    def _features(self, waveform: Array) -> Array:
        import torch

        options = self._options
        samples = torch.from_numpy(padded(waveform, self._network.receptive_field))
        with torch.inference_mode():
            latent, context = self._network(samples[None].to(self._device, self._precision))
            output = latent if options.output == "z" else context
            frames: Array = output[0].float().cpu().numpy()
        if options.frames is not None:
            frames = padded(frames[: options.frames], options.frames)
        return pooled(frames, options.pool)


def untrained(options: Options, resources: Resources) -> Extractor:
    """Make an extractor of random weights: it takes as long as the real one, for forecasts.

    Raises:
        EmonasError: a GPU is asked for where there is none.
    """
    from emonas.learning.devices import prepare
    from emonas.networks.wav2vec import Wav2vec

    device = prepare(resources.runtime, 0)
    return Wav2vecFeatures(options, Wav2vec(*LARGE).eval(), device)


def build(options: Options, resources: Resources) -> Extractor:
    """Load the checkpoint and make the extractor.

    Raises:
        EmonasError: there is no checkpoint, it is damaged or of another architecture, layers are
            asked for, fairseq is asked for where it is not installed, or a GPU where there is none.
    """
    from emonas.features.encoders.fairseq import OriginalWav2vec, load_wav2vec
    from emonas.learning.devices import prepare

    if resources.layers:
        raise EmonasError(f"features: {NO_LAYERS}")
    load = OriginalWav2vec if options.backend == "fairseq" else load_wav2vec
    network: Encoder = load(resources.weights)
    return Wav2vecFeatures(options, network, prepare(resources.runtime, 0))
