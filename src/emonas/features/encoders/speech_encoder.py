"""Encoders of the waveform: wav2vec 2.0, HuBERT and WavLM, whose models are built alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from emonas.checkpoints.speech_models import (
    SpeechModel,
    load_input_normaliser,
    load_speech_model,
    samples_a_frame,
)
from emonas.features.extraction import BlockEncoderOptions, Resources, Speech
from emonas.features.frames import padded, pooled_layers
from emonas.features.precision import computes_in_half
from emonas.storage.features import Array
from emonas.storage.frames import alike

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from transformers import PreTrainedModel, Wav2Vec2FeatureExtractor


class SpeechEncoderOptions(BlockEncoderOptions):
    """Options of an encoder of the waveform."""

    package: ClassVar[str] = "transformers"
    extra: ClassVar[str] = "transformers"

    extractor: SpeechModel = Field(description="name of the extractor")
    sampling_rate: Literal[16000] = Field(16000, description="rate in Hz that it was trained on")


@dataclass(frozen=True)
class SpeechNetwork:
    """The parts of a model that are run one after the other.

    Attributes:
        front: waveforms (utterances, samples) of one length to (utterances, frames, width).
        encoder: (utterances, frames, width), and `attention_mask` with padding, through `blocks`.
        blocks: the transformer's blocks, in their order.
        pads: whether its mask keeps padding out of the utterances.
        whole: everything, to be moved to a device.
    """

    front: Callable[[Tensor], Tensor]
    encoder: nn.Module
    blocks: nn.ModuleList
    pads: bool
    whole: nn.Module


class SpeechEncoder:
    """Gives (layers, frames, features) an utterance, 50 frames a second before pooling.

    Layer "0" is what enters the first block, "1" the output of the first block, and so on. The
    last is that of the last block: before the layer normalisation that models with
    `do_stable_layer_norm` put behind it.
    """

    def __init__(
        self,
        options: SpeechEncoderOptions,
        network: SpeechNetwork,
        window: int,
        hop: int,
        normaliser: Wav2Vec2FeatureExtractor,
        layers: tuple[str, ...],
        device: torch.device,
    ) -> None:
        self._options = options
        self._normaliser = normaliser
        self._device = device
        self._half = computes_in_half(options.precision, device)
        self._window = window
        self.frame_rate = options.sampling_rate / hop / options.pool
        self.layers = layers
        # Nobody reads the blocks behind the last one that is wanted.
        del network.blocks[max(1, *(int(layer) for layer in layers)) :]
        self._network = network
        network.whole.to(device)
        if self._half:
            network.whole.half()
        self._outputs: dict[str, Tensor] = {}
        self._listen()

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (layers, frames, features) for each utterance.

        The convolutions run on utterances of one length at a time: some models normalise over
        time, where padding would change the numbers. The transformer runs on all together.
        """
        import torch

        waveforms = [self._prepared(speech.waveform) for speech in batch]
        results: list[Array | None] = [None] * len(batch)
        with torch.inference_mode():
            entering = self._projected(waveforms)
            counts = [frames.shape[0] for frames in entering]
            groups = [list(range(len(batch)))] if self._network.pads else alike(counts)
            for group in groups:
                encoded = self._encoded([entering[index] for index in group])
                for index, frames in zip(group, encoded, strict=True):
                    results[index] = pooled_layers(frames, self._options.pool)
        return [result for result in results if result is not None]

    def _prepared(self, waveform: Array) -> Array:
        """Normalise the utterance's own samples, then pad with zeros to one window."""
        if waveform.size:
            rate = self._options.sampling_rate
            waveform = self._normaliser(waveform, sampling_rate=rate).input_values[0]
        return padded(np.asarray(waveform, dtype=np.float32), self._window)

    def _projected(self, waveforms: Sequence[Array]) -> list[Tensor]:
        """Give what the convolutions make of each waveform, (frames, width)."""
        import torch

        entering: dict[int, Tensor] = {}
        for group in alike([waveform.shape[0] for waveform in waveforms]):
            samples = torch.from_numpy(np.stack([waveforms[index] for index in group]))
            samples = samples.to(self._device, torch.float16 if self._half else torch.float32)
            entering.update(zip(group, self._network.front(samples), strict=True))
        return [entering[index] for index in range(len(waveforms))]

    def _encoded(self, entering: Sequence[Tensor]) -> list[Array]:
        """Give (layers, frames, width) of each utterance that enters as (frames, width)."""
        import torch

        counts = [frames.shape[0] for frames in entering]
        together = torch.nn.utils.rnn.pad_sequence(list(entering), batch_first=True)
        if min(counts) == max(counts):
            self._network.encoder(together)
        else:
            lengths = torch.tensor(counts, device=self._device)[:, None]
            inside = torch.arange(max(counts), device=self._device) < lengths
            with warnings.catch_warnings():
                # WavLM's own form of a mask, which nobody can change from here.
                warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
                self._network.encoder(together, attention_mask=inside)
        outputs = torch.stack([self._outputs[layer] for layer in self.layers], dim=1)
        self._outputs.clear()
        stacked: Array = outputs.float().cpu().numpy()
        return [layers[:, :count] for layers, count in zip(stacked, counts, strict=True)]

    def _listen(self) -> None:
        """Keep what leaves the blocks that are wanted, and what enters the first."""

        def keep_input(_block: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            self._outputs["0"] = inputs[0]

        def keep_output(layer: str, _block: nn.Module, _inputs: Any, output: Any) -> None:
            self._outputs[layer] = output[0] if isinstance(output, tuple) else output

        for layer in self.layers:
            if layer == "0":
                self._network.blocks[0].register_forward_pre_hook(keep_input)
            else:
                block = self._network.blocks[int(layer) - 1]
                block.register_forward_hook(partial(keep_output, layer))


def build_speech_encoder(
    options: SpeechEncoderOptions,
    resources: Resources,
    parts: Callable[[Any], SpeechNetwork] | None = None,
) -> SpeechEncoder:
    """Load the folder of a model and make its extractor.

    Args:
        options: of the extractor, whose name is the `model_type` of config.json.
        resources: the checkpoint, the layers, and where to compute.
        parts: takes the loaded model apart, where it is not run by transformers.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture, a layer is asked for
            that it has not, or a GPU is asked for where there is none.
    """
    from emonas.learning.devices import prepare

    path = resources.weights
    model = load_speech_model(path, options.extractor)
    config: Any = model.config
    layers = resources.chosen_layers(0, config.num_hidden_layers)
    window, hop = samples_a_frame(model)
    network = (parts or _parts)(model)
    device = prepare(resources.runtime, 0)
    normaliser = load_input_normaliser(path)
    return SpeechEncoder(options, network, window, hop, normaliser, layers, device)


def _parts(model: PreTrainedModel) -> SpeechNetwork:
    """Take a model of transformers apart."""
    whole: Any = model

    def front(waveforms: Tensor) -> Tensor:
        projected = whole.feature_projection(whole.feature_extractor(waveforms).transpose(1, 2))
        entering: Tensor = projected[0] if isinstance(projected, tuple) else projected
        return entering

    # A batch normalisation before the positional convolution makes zeros something else.
    pads = not getattr(model.config, "conv_pos_batch_norm", False)
    return SpeechNetwork(front, whole.encoder, whole.encoder.layers, pads, whole)
