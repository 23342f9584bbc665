"""Whether a graph says what the network says, on utterances that the run tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from emonas.export.graphs.stand_ins import LeftOutError, first_line
from emonas.export.graphs.whole import DOMAIN, FeatureInput
from emonas.storage.features import FeatureFile

if TYPE_CHECKING:
    from emonas.export.graphs.whole import WholeNetwork
    from emonas.export.networks import FoldNetworks
    from emonas.systems.material import FeaturePaths

TOLERANCE = 1e-4
"""What a logit may differ by, and by so much more as it is larger than 1."""
UTTERANCES = 6
"""So many of a domain are compared, from the shortest to the longest."""

Arrays = dict[str, npt.NDArray[Any]]


class Parity(NamedTuple):
    """The largest difference of a logit from torch's, over utterances in one padded batch and
    each alone, and whether all are as near as they must be.
    """

    utterances: int
    difference: float
    holds: bool


def compare(
    graph: Path,
    whole: WholeNetwork,
    fold: FoldNetworks,
    features: FeaturePaths,
    table: pd.DataFrame,
) -> Parity:
    """Hold what a graph computes against what torch does, from the same feature files.

    Args:
        graph: its file.
        whole: what the graph was traced from.
        fold: the networks of the fold.
        features: what the run computed.
        table: the fold's test part.

    Raises:
        LeftOutError: there is nothing to compare, or onnxruntime can't run the graph.
        EmonasError: a feature file is damaged.
    """
    session = _session(graph)
    rows = _chosen(whole, features, table)
    if not len(rows):
        raise LeftOutError("the fold tested no utterance that it could be held against")
    difference, worst = 0.0, -np.inf
    for some in _batches(whole, features, rows):
        found = _logits(session, _given(session, whole, features, some))
        wanted = fold.predict(features, some).logits
        apart = np.abs(np.subtract(found, wanted, where=found != wanted, out=np.zeros_like(found)))
        allowed = TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(wanted), wanted, 0.0)))
        # A number that is none is as far away as can be.
        difference = max(difference, float(np.nan_to_num(apart, nan=np.inf).max()))
        worst = max(worst, float(np.nan_to_num(apart - allowed, nan=np.inf).max()))
    return Parity(len(rows), difference, worst <= 0)


def _session(graph: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise _unable(error) from error


def _logits(session: Any, given: Arrays) -> npt.NDArray[np.float32]:
    try:
        (logits,) = session.run(None, given)
    except Exception as error:
        raise _unable(error) from error
    return np.asarray(logits)


def _unable(error: Exception) -> LeftOutError:
    """What onnxruntime says, whose errors have no class in common."""
    return LeftOutError(f"onnxruntime can't run it ({type(error).__name__}: {first_line(error)})")


def _chosen(whole: WholeNetwork, features: FeaturePaths, table: pd.DataFrame) -> pd.DataFrame:
    """Utterances of all domains, from the shortest to the longest."""
    known = table[table["domain"].isin(whole.domains)] if whole.domains else table
    lengths = pd.Series(_lengths(whole.inputs[0], features, known), index=known.index)
    kept: list[Any] = []
    for _, part in known.groupby("domain"):
        ordered = lengths[part.index].sort_values(kind="stable").index
        places = np.linspace(0, len(ordered) - 1, min(UTTERANCES, len(ordered)))
        kept += [ordered[int(place)] for place in places]
    return table.loc[kept].reset_index(drop=True)


def _batches(
    whole: WholeNetwork, features: FeaturePaths, rows: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """All together, unless padding would be heard; and each alone."""
    alike = all(len(set(_lengths(one, features, rows))) < 2 for one in whole.inputs if one.whole)
    if alike:
        yield rows
    for row in range(len(rows)):
        yield rows.iloc[[row]].reset_index(drop=True)


def _given(session: Any, whole: WholeNetwork, features: FeaturePaths, rows: pd.DataFrame) -> Arrays:
    """The inputs of the graph for some utterances."""
    given: Arrays = {}
    for one in whole.inputs:
        frames = _frames(one, features, rows)
        lengths = [len(array) for array in frames]
        padded = np.zeros((len(frames), max(lengths), one.width), np.float32)
        for target, array in zip(padded, frames, strict=True):
            target[: len(array)] = array
        given[one.name] = padded
        if one.lengths:
            given[one.lengths] = np.asarray(lengths, np.int64)
    given[DOMAIN] = np.asarray(
        [whole.domains.index(name) if whole.domains else 0 for name in rows["domain"]], np.int64
    )
    asked = {value.name for value in session.get_inputs()}
    return {name: array for name, array in given.items() if name in asked}


def _frames(
    one: FeatureInput, features: FeaturePaths, rows: pd.DataFrame
) -> list[npt.NDArray[Any]]:
    found = []
    for corpus, utterance in zip(rows["corpus"], rows["utterance"], strict=True):
        with FeatureFile(features[one.feature][corpus]) as file:
            found.append(file.read(utterance, one.layer))
    return found


def _lengths(one: FeatureInput, features: FeaturePaths, rows: pd.DataFrame) -> Sequence[int]:
    found = []
    for corpus, utterance in zip(rows["corpus"], rows["utterance"], strict=True):
        with FeatureFile(features[one.feature][corpus]) as file:
            found.append(file.length(utterance))
    return found
