"""An exported system that is loaded, and what it says of recordings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from emonas.checkpoints.obtain import obtain_checkpoint
from emonas.checkpoints.places import checkpoint_folder
from emonas.checkpoints.record import read_checkpoint
from emonas.errors import DamagedFileError, EmonasError
from emonas.export.answers import NO_NUMBER, Answer
from emonas.export.contract import ExportedCheckpoint, read_model
from emonas.export.front_ends import FrontEnds, table_of
from emonas.export.networks import MISFITS, FoldNetworks
from emonas.export.recordings import Piece, write_waveform
from emonas.learning.devices import prepare
from emonas.learning.options import RuntimeOptions
from emonas.storage.problems import first_problem

if TYPE_CHECKING:
    from emonas.checkpoints.checkpoint import Checkpoint
    from emonas.storage.features import Array
    from emonas.storage.predictions import Predictions

_AGAIN = "export the system again, with the version of emonas that loads it"
Device = Literal["auto", "cpu", "cuda"]


class Model:
    """An exported system. Of several folds it is their ensemble: the mean of their probabilities.

    Args:
        folder: what `emonas export` wrote.
        device: where to compute.
        threads: threads inside torch.
        checkpoints: where pretrained weights lie that are not where the settings had them, by name.

    Raises:
        EmonasError: the folder is damaged, or weights that it refers to are not to be had.
    """

    def __init__(
        self,
        folder: Path,
        *,
        device: Device = "auto",
        threads: int = 1,
        checkpoints: Mapping[str, Path] | None = None,
    ) -> None:
        self._model = read_model(folder)
        try:
            runtime = RuntimeOptions(device=device, torch_threads=threads)
        except ValidationError as error:
            raise EmonasError(
                f"device {device}, threads {threads}: {first_problem(error)}"
            ) from error
        found = verified_checkpoints(self._model.checkpoints, checkpoints or {})
        self._front_ends = FrontEnds(self._model, found, runtime)
        device_found = prepare(runtime, 0)
        try:
            self._folds = [
                FoldNetworks(folder, fold, self._model, found, device_found)
                for fold in self._model.folds
            ]
        except DamagedFileError as error:
            raise EmonasError(f"{error.path}: {error.problem}; {_AGAIN}") from error
        except MISFITS as error:
            problem = f"{type(error).__name__}: {first_problem(error)}"
            raise EmonasError(
                f"{folder}: its files do not fit together ({problem}); {_AGAIN}"
            ) from error

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self._model.classes

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that it tells apart, one of which every prediction names; mostly none."""
        known = self._model.domains
        return () if known == ("",) else known

    def __call__(
        self, waveform: Array, sampling_rate: float, *, domain: str | None = None
    ) -> dict[str, float]:
        """The probability of each class, for one utterance.

        Args:
            waveform: (samples,), with full scale at 1.
            sampling_rate: in Hz; any.
            domain: which of the system's domains, such as a language, where it tells some apart.

        Raises:
            EmonasError: the waveform is none, the domain is not known, or the system's answer is no
                number.
        """
        with _working_folder() as folder:
            path = folder / "waveform.wav"
            write_waveform(path, waveform, sampling_rate)
            seconds = len(waveform) / sampling_rate
            piece = Piece("", 0.0, seconds, path, int(sampling_rate))
            (answer,) = self.predict([piece], domain=domain)
        if answer.problem:
            raise EmonasError(
                f"a waveform of {seconds:.1f} s: {answer.problem}; give a shorter part of it"
            )
        return dict(answer.probabilities)

    def predict(self, pieces: Sequence[Piece], *, domain: str | None = None) -> list[Answer]:
        """What the system says of each piece; it hears each alone. Where that is no number, the
        answer has a problem and no probabilities.

        Raises:
            EmonasError: a piece can't be read, or the domain is not known.
        """
        table = table_of(pieces, self._domain(domain))
        with _working_folder() as folder:
            features = self._front_ends.hear(pieces, folder)
            found = np.mean(
                [self._spread(fold.predict(features, table)) for fold in self._folds], axis=0
            )
        return [self._answer(piece, row) for piece, row in zip(pieces, found, strict=True)]

    def _answer(self, piece: Piece, row: npt.NDArray[np.float64]) -> Answer:
        span = (piece.recording, piece.start, piece.end)
        if not np.isfinite(row).all():
            return Answer(*span, {}, NO_NUMBER)
        return Answer(*span, dict(zip(self.classes, map(float, row), strict=True)))

    def _spread(self, predictions: Predictions) -> npt.NDArray[np.float64]:
        """Probabilities of all classes; 0 of one that the fold had none of to learn from."""
        found = np.zeros((len(predictions.utterances), len(self.classes)))
        places = [self.classes.index(label) for label in predictions.classes]
        # What is no number is told by each answer.
        with np.errstate(invalid="ignore"):
            found[:, places] = predictions.probabilities
        return found

    def _domain(self, domain: str | None) -> str:
        known = self.domains
        if not known:
            if domain:
                raise EmonasError(f"domain {domain}: the system tells no domains apart; give none")
            return ""
        if domain not in known:
            raise EmonasError(
                f"domain {domain or '(none)'}: the system tells domains apart, and hears each "
                f"recording as one of {', '.join(known)}; name one"
            )
        return str(domain)


def load(folder: str | Path, **options: object) -> Model:
    """Load an exported system: `emonas.load(folder)(waveform, rate)`; options as of `Model`."""
    return Model(Path(folder), **options)  # type: ignore[arg-type]


@contextmanager
def _working_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="emonas-") as name:
        yield Path(name)


def verified_checkpoints(
    checkpoints: Mapping[str, ExportedCheckpoint], places: Mapping[str, Path]
) -> dict[str, Checkpoint]:
    """The pretrained weights, found or fetched, and held against their digest."""
    if unknown := sorted(set(places) - set(checkpoints)):
        raise EmonasError(
            f"checkpoint {unknown[0]}: the system refers to none of this name; it refers to "
            f"{', '.join(checkpoints) or 'none'}"
        )
    found = {}
    with _working_folder() as folder:
        for name, checkpoint in checkpoints.items():
            place = {"path": places[name]} if name in places else {}
            options = checkpoint.options.model_copy(update={"sha256": checkpoint.digest, **place})
            record = folder / f"{name}.json"
            try:
                obtain_checkpoint(name, options, checkpoint_folder(), record)
            except EmonasError as error:
                raise EmonasError(f"{error}; or say with --checkpoint {name}=PATH") from error
            found[name] = read_checkpoint(record)
    return found
