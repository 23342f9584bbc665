"""wav2vec 2.0, HuBERT and WavLM of transformers as encoders that are trained."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from emonas.checkpoints.speech_models import samples_a_frame
from emonas.networks.streams import Stream
from emonas.networks.waveform_encoder import Depth, Encoded, WaveformEncoder
from emonas.storage.frames import alike

# Of transformers' own normaliser.
_SMALLEST_VARIANCE = 1e-7

# WavLM's own form of a mask, which nobody can change from here; also where blocks are recomputed.
warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")


class TransformersEncoder(WaveformEncoder):
    """A model of transformers, run part by part.

    Each utterance is normalised by its own samples where the model was trained so, and goes
    through the convolutions with others of its very length only: some models normalise over time
    there, where padding would change the numbers. The blocks run on all utterances of a batch,
    padding masked. No block is left out by chance (LayerDrop), and nothing is masked (ours).

    Args:
        model: the model, whose configuration names its sizes.
        depth: what of it learns, and which blocks are listened to.
        normalises: whether utterances are normalised to mean 0 and variance 1.
    """

    def __init__(self, model: Any, depth: Depth, *, normalises: bool) -> None:
        super().__init__()
        self.model = model
        config = self.model.config
        config.layerdrop = 0.0
        self.width = config.hidden_size
        self._normalises = normalises
        self._window, _ = samples_a_frame(model)
        self._lower: Tensor | None = None
        if depth.lower is not None:
            self.model.encoder.layers[depth.lower - 1].register_forward_hook(self._keep)
        if depth.recompute:
            with warnings.catch_warnings():
                # It is to have another name from version 6 on, which older ones don't know.
                warnings.filterwarnings("ignore", category=FutureWarning)
                self.model.gradient_checkpointing_enable({"use_reentrant": False})
        self._freeze_below(depth.frozen, stable=getattr(config, "do_stable_layer_norm", False))

    def _freeze_below(self, blocks: int, *, stable: bool) -> None:
        encoder = self.model.encoder
        # What masks frames in pretraining is not used here.
        if hasattr(self.model, "masked_spec_embed"):
            self.model.masked_spec_embed.requires_grad_(False)
        self.freeze([self.model.feature_extractor])
        if blocks:
            entry = [self.model.feature_projection, encoder.pos_conv_embed, encoder.dropout]
            self.freeze([*entry, *encoder.layers[:blocks]])
        # A stable one normalises what leaves its last block, the others what enters the first.
        if blocks == len(encoder.layers) or (blocks and not stable):
            self.freeze([encoder.layer_norm])

    def forward(self, stream: Stream) -> Encoded:
        """(batch, samples, 1) to (batch, frames, width), one frame about every 20 ms."""
        convolved = self._convolved(stream)
        lengths = torch.tensor([len(frames) for frames in convolved], device=stream.frames.device)
        together = nn.utils.rnn.pad_sequence(convolved, batch_first=True)
        projected = self.model.feature_projection(together)
        entering = projected[0] if isinstance(projected, tuple) else projected
        inside = None
        if len({len(frames) for frames in convolved}) > 1:
            inside = Stream(together, lengths).mask
        last = self.model.encoder(entering, attention_mask=inside)[0]
        lower, self._lower = self._lower, None
        return Encoded(last, lower, lengths)

    @torch.no_grad()
    def _convolved(self, stream: Stream) -> list[Tensor]:
        """What the convolutions make of each utterance, (frames, channels)."""
        waveforms = stream.frames[..., 0]
        # A network that only counts has no lengths, and hears all whole.
        counts = stream.lengths.is_meta
        lengths = [waveforms.shape[1]] * len(waveforms) if counts else stream.lengths.tolist()
        found: dict[int, Tensor] = {}
        for rows in alike(lengths):
            length = lengths[rows[0]]
            samples = waveforms[rows, :length]
            if self._normalises:
                samples = _normalised(samples)
            samples = nn.functional.pad(samples, (0, max(0, self._window - length)))
            frames = self.model.feature_extractor(samples).transpose(1, 2)
            found.update(zip(rows, frames, strict=True))
        return [found[row] for row in range(len(waveforms))]

    def _keep(self, _block: nn.Module, _inputs: Any, output: Any) -> None:
        self._lower = output[0] if isinstance(output, tuple) else output


def _normalised(samples: Tensor) -> Tensor:
    """Mean 0 and variance 1 over each utterance's samples, (utterances, samples)."""
    mean = samples.mean(dim=1, keepdim=True)
    variance = samples.var(dim=1, keepdim=True, unbiased=False)
    return (samples - mean) / (variance + _SMALLEST_VARIANCE).sqrt()
