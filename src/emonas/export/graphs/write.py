"""`{fold}/model.onnx` of an exported system, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from emonas import __version__
from emonas.errors import EmonasError
from emonas.export.contract import GRAPH_FILE, ExportedGraphs, ExportedModel
from emonas.packages import missing_package

if TYPE_CHECKING:
    from emonas.checkpoints.checkpoint import Checkpoint
    from emonas.export.graphs.parity import Parity
    from emonas.systems.material import FeaturePaths

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
EXTRA = "onnx"


def refuse_missing_packages() -> None:
    """Refuse where a package of the extra is not installed.

    Raises:
        EmonasError: one is not.
    """
    for package in PACKAGES:
        if missing := missing_package(package, EXTRA):
            raise EmonasError(f"--onnx: {missing}")


def write_graphs(
    folder: Path,
    model: ExportedModel,
    features: FeaturePaths,
    tests: Mapping[str, Path],
    checkpoints: Mapping[str, Checkpoint],
) -> ExportedGraphs:
    """Write the graph of each fold into the folder of an exported system.

    Args:
        folder: what `write_model` and its neighbours wrote.
        model: what it says.
        features: what the run computed.
        tests: the test part of each fold.
        checkpoints: the pretrained weights that the system refers to.

    Raises:
        EmonasError: a file is damaged.
    """
    from emonas.export.graphs.stand_ins import LeftOutError

    found: dict[str, Parity] = {}
    try:
        for fold, test in tests.items():
            found[fold] = _write_fold(folder, fold, model, features, test, checkpoints)
    except LeftOutError as error:
        for fold in tests:
            for path in (folder / fold).glob(f"{GRAPH_FILE}*"):
                path.unlink()
        return ExportedGraphs(left_out=str(error))
    return ExportedGraphs(
        utterances=sum(parity.utterances for parity in found.values()),
        difference=max(parity.difference for parity in found.values()),
    )


def _write_fold(
    folder: Path,
    fold: str,
    model: ExportedModel,
    features: FeaturePaths,
    test: Path,
    checkpoints: Mapping[str, Checkpoint],
) -> Parity:
    import torch

    from emonas.export.graphs.parity import TOLERANCE, compare
    from emonas.export.graphs.stand_ins import LeftOutError
    from emonas.export.graphs.tracing import trace
    from emonas.export.graphs.whole import WholeNetwork
    from emonas.export.networks import FoldNetworks
    from emonas.storage.folds import read_part

    networks = FoldNetworks(folder, fold, model, checkpoints, torch.device("cpu"))
    whole = WholeNetwork(networks)
    path = folder / fold / GRAPH_FILE
    # Weights of more than 2 GB come into a file beside it.
    trace(whole, _facts(model, fold)).save(path)
    parity = compare(path, whole, networks, features, read_part(test))
    if not parity.holds:
        raise LeftOutError(
            f"its logits in fold {fold} differ from torch's by up to {parity.difference:.2g}, and "
            f"{TOLERANCE:g} is allowed"
        )
    return parity


def _facts(model: ExportedModel, fold: str) -> dict[str, object]:
    """What a graph says of itself."""
    return {
        "version": __version__,
        "system": model.system,
        "protocol": model.protocol,
        "seed": model.seed,
        "fold": fold,
        "classes": model.folds[fold],
        "features": {name: feature.options for name, feature in model.features.items()},
        "sampling_rate": {
            name: feature.options.get("sampling_rate") for name, feature in model.features.items()
        },
    }
