"""The `global_cmvn` of a WeNet release: statistics of the frames that it was trained on."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emonas.errors import EmonasError
from emonas.storage.features import Array

LEAST_VARIANCE = 1e-20


def read_cmvn(path: Path, bands: int) -> tuple[Array, Array]:
    """Read sums over frames and give the mean of each band and one over its deviation.

    JSON has `mean_stat`, `var_stat` and `frame_num`; Kaldi's text has two rows between brackets:
    the sums with the count behind them, and the sums of squares with a 0.

    Raises:
        EmonasError: the file is missing, or neither of the two, or has other bands.
    """
    try:
        text = path.read_text(encoding="utf-8")
        sums, squares, count = _from_json(text) if "{" in text else _from_kaldi(text)
        if len(sums) != bands or len(squares) != bands or count <= 0:
            raise ValueError(f"{len(sums)} sums over {count} frames, must be {bands}")
    except OSError as error:
        raise EmonasError(
            f"{path}: cannot be read ({error.strerror}), and final.pt does not hold the "
            "statistics; give the whole folder of a WeNet release"
        ) from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise EmonasError(
            f"{path}: these are no statistics of {bands} bands as JSON or Kaldi's text ({error}); "
            "download the release again"
        ) from error
    mean = np.array(sums, dtype=np.float64) / count
    variance = np.maximum(np.array(squares, dtype=np.float64) / count - mean**2, LEAST_VARIANCE)
    return mean.astype(np.float32), (1.0 / np.sqrt(variance)).astype(np.float32)


def _from_json(text: str) -> tuple[Sequence[float], Sequence[float], float]:
    values = json.loads(text)
    return values["mean_stat"], values["var_stat"], float(values["frame_num"])


def _from_kaldi(text: str) -> tuple[Sequence[float], Sequence[float], float]:
    numbers = [float(word) for word in text.replace("[", " ").replace("]", " ").split()]
    half = len(numbers) // 2
    return numbers[: half - 1], numbers[half:-1], numbers[half - 1]
