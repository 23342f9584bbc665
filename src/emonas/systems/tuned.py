"""From the options of a tuned system to its network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emonas.errors import EmonasError
from emonas.storage.predictions import ASR, EMOTION
from emonas.systems.requirements import one_stream
from emonas.systems.shapes import NetworkShape
from emonas.systems.task_options import Task, task_weights
from emonas.systems.tuned_options import TunedOptions

if TYPE_CHECKING:
    from pathlib import Path

    from emonas.checkpoints.speech_models import SpeechModel
    from emonas.networks.task_network import Head, TaskNetwork
    from emonas.networks.waveform_encoder import Depth, WaveformEncoder
    from emonas.systems.data import FoldData
    from emonas.systems.task_objective import TaskObjective


def build_of_transformers(
    options: TunedOptions, shape: NetworkShape, kind: SpeechModel
) -> TaskNetwork:
    """wav2vec 2.0, HuBERT or WavLM under the heads of the options' tasks.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture, or has not the blocks
            that the options name.
    """
    from emonas.checkpoints.speech_models import load_input_normaliser, load_speech_model
    from emonas.networks.transformers_encoder import TransformersEncoder

    path, normalises = shape.checkpoint, True
    if path is not None:
        model = load_speech_model(path, kind)
        normalises = bool(load_input_normaliser(path).do_normalize)
    else:
        model = _random_model(options, kind)
    config: Any = model.config
    if getattr(config, "conv_pos_batch_norm", False):
        raise EmonasError(
            f"{path}: conv_pos_batch_norm is true in its config.json, and such a model normalises "
            "over padding, which can't be trained in batches; give another one"
        )
    depth = _depth(options, path, config.num_hidden_layers)
    return _network(options, shape, TransformersEncoder(model, depth, normalises=normalises))


def build_of_whisper(options: TunedOptions, shape: NetworkShape) -> TaskNetwork:
    """Whisper's encoder under the heads of the options' tasks.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture, or has not the blocks
            that the options name.
    """
    from whisper.model import AudioEncoder

    from emonas.checkpoints.whisper import FRAMES_A_WINDOW, MEL_BANDS, load_whisper
    from emonas.networks.whisper_encoder import TunedWhisperEncoder

    if shape.checkpoint is not None:
        encoder = load_whisper(shape.checkpoint).encoder
    else:
        sizes = options.sizes
        encoder = AudioEncoder(
            MEL_BANDS[0], FRAMES_A_WINDOW, sizes.width, sizes.heads, sizes.layers
        )
    depth = _depth(options, shape.checkpoint, len(encoder.blocks))
    return _network(options, shape, TunedWhisperEncoder(encoder, depth, options.longest_seconds))


def task_objective(options: TunedOptions, data: FoldData, network: TaskNetwork) -> TaskObjective:
    """What such a network is trained to make small."""
    from emonas.learning.objectives import CrossEntropy
    from emonas.learning.supervised import class_weights
    from emonas.systems.task_objective import TaskObjective

    training, weights = options.training, None
    if training.class_weights and data.classes:
        weights = class_weights(data.train.labels, len(data.classes))
    literal = options.weighing == "literal"
    return TaskObjective(
        CrossEntropy(training, weights),
        task_weights(options.tasks, options.auxiliary, literal),
        [parameter for parameter in network.encoder.parameters() if parameter.requires_grad],
        options.adversarial,
    )


def _random_model(options: TunedOptions, kind: SpeechModel) -> Any:
    from emonas.checkpoints.speech_models import random_speech_model

    sizes = options.sizes
    return random_speech_model(
        kind,
        {
            "num_hidden_layers": sizes.layers,
            "hidden_size": sizes.width,
            "num_attention_heads": sizes.heads,
            "intermediate_size": sizes.feed_forward,
            "conv_dim": (sizes.channels,) * 7,
        },
    )


def _depth(options: TunedOptions, path: Path | None, blocks: int) -> Depth:
    from emonas.networks.waveform_encoder import Depth

    for key in ("freeze", "skip"):
        asked = getattr(options, key)
        if asked is not None and asked > blocks:
            there = f"{path} has" if path is not None else "the random encoder has"
            raise EmonasError(
                f"{options.network}: {key} is {asked}, and {there} {blocks} blocks; give a number "
                "up to that"
            )
    return Depth(options.freeze, options.skip, options.recompute)


def _network(options: TunedOptions, shape: NetworkShape, encoder: WaveformEncoder) -> TaskNetwork:
    from emonas.networks.task_network import TaskNetwork

    one_stream(options, shape.widths)
    heads: dict[str, Head] = {task: _head(options, shape, task) for task in options.tasks}
    return TaskNetwork(encoder, heads, options.dropout)


def _head(options: TunedOptions, shape: NetworkShape, task: Task) -> Head:
    from emonas.networks.task_network import Head

    if task == EMOTION:
        return Head(shape.classes)
    answers = len(shape.tasks[task])
    if task == ASR:
        # One more for CTC's blank.
        return Head(answers + 1, by_frame=True)
    reversal = options.reversal if options.tasks[task].adversarial else None
    joined = task == "gender" and options.skip is not None
    return Head(answers, joined=joined, reversal=reversal)
