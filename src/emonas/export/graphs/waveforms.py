"""Encoders of waveforms, in which nothing is sorted by length: what lies behind an utterance's end
is masked.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from emonas.networks.streams import Stream
from emonas.networks.transformers_encoder import _SMALLEST_VARIANCE, TransformersEncoder
from emonas.networks.waveform_encoder import Encoded
from emonas.networks.whisper_encoder import TunedWhisperEncoder

_WINDOW, _HOP = 400, 160
"""Of Whisper's spectrogram, in samples."""


def prepare_encoder(encoder: TransformersEncoder) -> None:
    """Take away what keeps a lower block's output, which no emotion is told from."""
    for module in encoder.modules():
        module._forward_hooks.clear()


def transformers_encoder(encoder: TransformersEncoder, stream: Stream) -> Encoded:
    """`TransformersEncoder.forward`, for the last block alone."""
    window = encoder._window
    own = Stream(stream.frames, stream.lengths)
    samples = own.frames[..., 0]
    if encoder._normalises:
        samples = _normalised(samples, own.mask, own.lengths[:, None])
    # Shorter ones end with zeros, up to one window.
    convolved = _convolved(
        encoder.model, nn.functional.pad(samples, (0, window)), own.lengths.clamp(min=window)
    )
    projected = encoder.model.feature_projection(convolved.frames)
    entering = projected[0] if isinstance(projected, tuple) else projected
    last = encoder.model.encoder(entering, attention_mask=convolved.mask)[0]
    return Encoded(last, None, convolved.lengths)


def _convolved(model: Any, samples: Tensor, lengths: Tensor) -> Stream:
    """What the convolutions make of (batch, samples): (batch, frames, channels)."""
    images, counts = samples[:, None], lengths
    sizes = zip(model.config.conv_kernel, model.config.conv_stride, strict=True)
    layers = model.feature_extractor.conv_layers
    for layer, (kernel, stride) in zip(layers, sizes, strict=True):
        counts = (counts - kernel) // stride + 1
        norm = getattr(layer, "layer_norm", None)
        if isinstance(norm, nn.GroupNorm):
            images = layer.activation(_over_time(norm, layer.conv(images), counts))
        else:
            images = layer(images)
    return Stream(images.transpose(1, 2), counts)


def _over_time(norm: nn.GroupNorm, images: Tensor, lengths: Tensor) -> Tensor:
    """Each channel normalised over its utterance's own frames, (batch, channels, frames)."""
    mask = Stream(images.transpose(1, 2), lengths).mask[:, None]
    count = lengths[:, None, None]
    mean = (images * mask).sum(dim=2, keepdim=True) / count
    variance = (((images - mean) * mask) ** 2).sum(dim=2, keepdim=True) / count
    standard = (images - mean) / (variance + norm.eps).sqrt()
    return standard * norm.weight[:, None] + norm.bias[:, None]


def _normalised(samples: Tensor, mask: Tensor, count: Tensor) -> Tensor:
    """Mean 0 and variance 1 over each utterance's own samples, zero behind them."""
    mean = (samples * mask).sum(dim=1, keepdim=True) / count
    variance = (((samples - mean) * mask) ** 2).sum(dim=1, keepdim=True) / count
    return (samples - mean) / (variance + _SMALLEST_VARIANCE).sqrt() * mask


def prepare_whisper(encoder: TunedWhisperEncoder) -> None:
    """Keep the matrices of the spectrogram: in a graph, the transform is a product."""
    from whisper.audio import mel_filters

    bands = encoder.encoder.conv1.in_channels
    turns = torch.outer(torch.arange(_WINDOW // 2 + 1), torch.arange(_WINDOW)) % _WINDOW
    angles = turns.double() * (2 * math.pi / _WINDOW)
    window = torch.hann_window(_WINDOW).double()
    waves = torch.cat([angles.cos(), angles.sin()]) * window
    starts = torch.arange(0, encoder._frames * 2) * _HOP
    encoder.register_buffer("waves", waves.T.contiguous())
    encoder.register_buffer("places", starts[:, None] + torch.arange(_WINDOW))
    encoder.register_buffer("filters", mel_filters("cpu", bands).double().T.contiguous())


def log_mels(encoder: TunedWhisperEncoder, stream: Stream) -> Tensor:
    """`TunedWhisperEncoder._log_mels`, of all utterances at once, in double precision."""
    samples = encoder._frames * 2 * _HOP
    waveforms = nn.functional.pad(stream.frames[..., 0], (0, samples))[:, :samples]
    around = nn.functional.pad(waveforms, (_WINDOW // 2, _WINDOW // 2), mode="reflect")
    spectrum = around[:, encoder.get_buffer("places")].double() @ encoder.get_buffer("waves")
    real, imaginary = spectrum.chunk(2, dim=2)
    mels = (real**2 + imaginary**2) @ encoder.get_buffer("filters")
    logs = mels.clamp(min=1e-10).log() / math.log(10)
    loudest = logs.amax(dim=(1, 2), keepdim=True)
    return ((torch.maximum(logs, loudest - 8.0) + 4.0) / 4.0).float().transpose(1, 2)
