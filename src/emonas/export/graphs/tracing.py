"""From a module to an ONNX graph, by torch.export."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from emonas.export.graphs.stand_ins import LeftOutError, first_line, lengths_alike
from emonas.export.graphs.whole import LOGITS, WholeNetwork

if TYPE_CHECKING:
    import torch
    from torch import Tensor

OPSET = 20
"""ONNX's operators are those of this version."""
FORMAT = 1
"""Of the inputs, outputs and metadata of a graph; another number is another form."""
_BATCH, _SAMPLES, _FRAMES = 3, 24000, 37
"""Of what a graph is traced with; no number of it stays in the graph."""


def trace(whole: WholeNetwork, facts: Mapping[str, Any]) -> torch.onnx.ONNXProgram:
    """The graph of a fold, with `facts` as its metadata, each as JSON.

    Raises:
        LeftOutError: torch can't trace the network, or its graph is for short utterances only.
    """
    import torch

    whole.eval()
    try:
        with _quiet(), torch.no_grad(), lengths_alike():
            exported = torch.export.export(
                whole, tuple(_examples(whole)), dynamic_shapes=(_dynamic(whole),), strict=False
            )
            # Runtimes optimise what they load; to do it here too takes twice as long.
            program = torch.onnx.export(
                exported, dynamo=True, opset_version=OPSET, optimize=False, verbose=False
            )
    except Exception as error:
        # torch has no class for what it can't trace.
        raise LeftOutError(
            f"torch can't trace it ({type(error).__name__}: {first_line(error)})"
        ) from error
    if not all(_is_free(size.upper) for size in exported.range_constraints.values()):
        raise LeftOutError("its graph would hear utterances up to one length only")
    if program is None:
        raise LeftOutError("torch can't write what it traced")
    _strip(program)
    _name(program, whole)
    _state(program, whole, facts)
    return program


def _strip(program: torch.onnx.ONNXProgram) -> None:
    """Take away where in which file each node was traced: paths of this machine, and most of the
    bytes of a small graph.
    """
    parts: list[Any] = [program.model.graph, *program.model.functions.values()]
    for part in parts:
        part.metadata_props.clear()
        part.doc_string = None
        for node in part.all_nodes():
            for one in (node, *node.outputs):
                one.metadata_props.clear()
                one.doc_string = None
    for value in (*program.model.graph.inputs, *program.model.graph.initializers.values()):
        value.metadata_props.clear()


def _is_free(upper: object) -> bool:
    return str(upper) == "int_oo"


def _state(program: torch.onnx.ONNXProgram, whole: WholeNetwork, facts: Mapping[str, Any]) -> None:
    """Write what a user of the graph needs to know into it."""
    there = {value.name for value in program.model.graph.inputs}
    inputs = {
        one.name: {
            "feature": one.feature,
            "layer": one.layer,
            "lengths": one.lengths if one.lengths in there else None,
        }
        for one in whole.inputs
    }
    stated = {"format": FORMAT, **facts, "inputs": inputs, "domains": whole.domains}
    for key, value in stated.items():
        program.model.metadata_props[f"emonas.{key}"] = json.dumps(value)


def _examples(whole: WholeNetwork) -> list[Tensor]:
    """What a graph is traced with, in the order of its inputs."""
    import torch

    generator = torch.Generator().manual_seed(0)
    given: dict[str, Tensor] = {}
    for one in whole.inputs:
        # A second and a half of samples, or some frames.
        steps = 1 if one.vector else _SAMPLES if one.width == 1 else _FRAMES * whole.pool
        given[one.name] = torch.randn(_BATCH, steps, one.width, generator=generator)
        if one.lengths:
            given[one.lengths] = torch.tensor([steps, steps - 1, steps // 2])
    return [given.get(name, torch.zeros(_BATCH, dtype=torch.int64)) for name in whole.names]


def _dynamic(whole: WholeNetwork) -> tuple[Any, ...]:
    import torch

    free = torch.export.Dim.DYNAMIC
    frames = {one.name: {0: free} if one.vector else {0: free, 1: free} for one in whole.inputs}
    return tuple(frames.get(name, {0: free}) for name in whole.names)


def _name(program: torch.onnx.ONNXProgram, whole: WholeNetwork) -> None:
    """Give inputs, output and axes their names; take away inputs that nothing reads."""
    from onnx_ir import Shape

    axes: dict[str, list[str | int]] = {
        one.name: ["batch", 1 if one.vector else f"{one.feature}.time", one.width]
        for one in whole.inputs
    }
    graph = program.model.graph
    for value, name in zip(list(graph.inputs), whole.names, strict=True):
        value.name, value.shape = name, Shape(axes.get(name, ["batch"]))
        if not value.uses():
            graph.inputs.remove(value)
    (logits,) = graph.outputs
    logits.name, logits.shape = LOGITS, Shape(["batch", whole.classes])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what torch and onnxscript tell of their own work."""
    names = ("onnxscript", "onnx_ir", "torch.onnx", "torch.export")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
