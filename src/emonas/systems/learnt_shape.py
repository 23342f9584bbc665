"""The shape of a network that was trained, by what it predicts for those that it learnt from."""

from collections.abc import Sequence
from dataclasses import replace

from emonas.storage.folds import Part
from emonas.storage.predictions import Predictions
from emonas.systems.data import network_shape
from emonas.systems.material import Material
from emonas.systems.options import SystemOptions
from emonas.systems.shapes import NetworkShape


def learnt_parts(system: SystemOptions) -> tuple[Part, ...]:
    """The parts of a fold that a system learns from."""
    return ("train", "validation") if getattr(system, "refit", False) else ("train",)


def learnt_shape(
    system: SystemOptions, material: Material, heard: Sequence[Predictions]
) -> NetworkShape:
    """The shape of the trained network; `heard` is what it predicts for each of the parts that it
    learnt from.
    """
    shape = network_shape(
        system,
        material,
        heard[0].classes,
        [domain for part in heard for domain in part.each_domain],
        [label for part in heard for label in part.labels],
    )
    return replace(shape, tasks={task: of.answers for task, of in heard[0].tasks.items()})
