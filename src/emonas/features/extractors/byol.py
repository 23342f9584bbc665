"""Vectors of BYOL-A (Niizumi et al., 2021) and BYOL-S (Scheidwasser-Clow et al., 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from emonas.compiled_imports import load_librosa
from emonas.errors import EmonasError
from emonas.features.extraction import EncoderOptions, Extractor, Form, Resources, Speech
from emonas.features.frames import padded
from emonas.features.precision import computes_in_half
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from emonas.networks.audio_ntt import AudioNTT2020

FFT = 1024
HOP = 160
LOWEST_HZ = 60.0
HIGHEST_HZ = 7800.0
RELEASED = "give a released file such as AudioNTT2020-BYOLA-64x96d2048.pth"


class Options(EncoderOptions):
    """Options of BYOL-A and BYOL-S."""

    gives: ClassVar[Form] = "vector"

    extractor: Literal["byol"] = Field("byol", description="name of the extractor")
    sampling_rate: Literal[16000] = Field(
        16000, description="rate in Hz of the audio that the weights were trained on"
    )
    store: Literal["float32", "float16"] = Field(
        "float32", description="precision of the numbers in the feature file"
    )
    window: Literal[400, 1024] = Field(
        400, description="samples of the Hann window: 400 for BYOL-S, 1024 for BYOL-A"
    )
    standardise: Literal["fixed", "utterance"] = Field(
        "utterance",
        description="log mel standardised by `mean` and `deviation`, or by the utterance's own "
        "(ours; the authors take those of the corpus, test part and all)",
    )
    mean: float = Field(
        -5.4919, description="mean of the log mel, where standardise is fixed (BYOL-A's example)"
    )
    deviation: float = Field(
        5.0390,
        gt=0,
        description="deviation of the log mel, where standardise is fixed (BYOL-A's example)",
    )

    @field_validator("layers")
    @classmethod
    def _has_no_layers(cls, layers: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if layers is not None:
            raise ValueError("byol gives one vector and has no layers: leave layers out")
        return layers


class Byol:
    """Gives one vector an utterance: (1, 512), or as wide as the checkpoint is."""

    frame_rate = 0.0
    layers: tuple[str, ...] = ()

    def __init__(self, options: Options, network: AudioNTT2020, device: torch.device) -> None:
        import torch

        half = computes_in_half(options.precision, device)
        self._options = options
        self._device = device
        self._precision = torch.float16 if half else torch.float32
        self._network = network.to(device, self._precision).eval()
        self._filters = _filters(options.sampling_rate).to(device)
        self._window = torch.hann_window(options.window, device=device)

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (1, features) for each utterance, each run at its own length."""
        return [self._vector(speech.waveform) for speech in batch]

    def _vector(self, waveform: Array) -> Array:
        import torch

        with torch.inference_mode():
            spectrogram = self._standardised(self.log_mel(waveform))
            vector = self._network(spectrogram[None].to(self._precision))
            result: Array = vector.float().cpu().numpy()
        return result

    def log_mel(self, waveform: Array) -> Tensor:
        """Map (samples,) to the natural logarithm of mel powers, (bands, frames).

        A frame is centred every `HOP` samples, mirrored at the ends. Audio that is too short for
        the network is padded with zeros.
        """
        import torch

        from emonas.networks.audio_ntt import SHORTEST

        samples = torch.from_numpy(padded(waveform, (SHORTEST - 1) * HOP)).to(self._device)
        spectrum = torch.stft(
            samples,
            FFT,
            HOP,
            self._window.shape[0],
            self._window,
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        powers = spectrum.real.square() + spectrum.imag.square()
        return torch.log(self._filters @ powers + torch.finfo(torch.float32).eps)

    def _standardised(self, spectrogram: Tensor) -> Tensor:
        import torch

        if self._options.standardise == "fixed":
            return (spectrogram - self._options.mean) / self._options.deviation
        deviation, mean = torch.std_mean(spectrogram)
        # Silence has no deviation.
        return (spectrogram - mean) / deviation.clamp_min(torch.finfo(torch.float32).eps)


def _filters(sampling_rate: int) -> Tensor:
    """Triangles on the HTK mel scale without area norm, (bands, FFT / 2 + 1)."""
    import torch

    from emonas.networks.audio_ntt import BANDS

    triangles = load_librosa().filters.mel(
        sr=sampling_rate,
        n_fft=FFT,
        n_mels=BANDS,
        fmin=LOWEST_HZ,
        fmax=HIGHEST_HZ,
        htk=True,
        norm=None,
        dtype=np.float32,
    )
    return torch.from_numpy(triangles)


def load_audio_ntt(path: Path) -> AudioNTT2020:
    """Load a released AudioNTT2020; its width is read from the file.

    Raises:
        EmonasError: the file is missing, damaged or of another architecture.
    """
    from emonas.checkpoints.reading import read_state
    from emonas.networks.audio_ntt import AudioNTT2020

    state = read_state(path)
    last = state.get("fc.3.bias") if isinstance(state, dict) else None
    if last is None:
        raise EmonasError(f"{path}: this is no AudioNTT2020 encoder; {RELEASED}")
    network = AudioNTT2020(len(last))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise EmonasError(
            f"{path}: this is no AudioNTT2020 encoder of 64 mel bands ({reason}); {RELEASED}"
        ) from error
    return network


def build(options: Options, resources: Resources) -> Extractor:
    """Load the checkpoint and make the extractor.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture, layers are asked for, or
            a GPU is asked for where there is none.
    """
    from emonas.learning.devices import prepare

    if resources.layers:
        raise EmonasError(
            "features: the extractor byol gives one vector and has no layers; leave out "
            f"{resources.layers[0]}"
        )
    network = load_audio_ntt(resources.weights)
    return Byol(options, network, prepare(resources.runtime, 0))
