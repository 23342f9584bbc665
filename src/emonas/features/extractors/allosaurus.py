"""Probabilities of phones, by Allosaurus (Li et al., 2020), which Multi-gating NAS hears too."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, ExtractorOptions, Resources, Speech
from emonas.features.frames import PCM_FULL_SCALE, duration_in_samples, padded
from emonas.packages import package_folder
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch

UNIVERSAL = "ipa"


class Options(ExtractorOptions):
    """Options of Allosaurus."""

    uses_torch: ClassVar[bool] = True
    package: ClassVar[str] = "allosaurus"
    extra: ClassVar[str] = "allosaurus"

    extractor: Literal["allosaurus"] = Field("allosaurus", description="name of the extractor")
    model: str = Field(
        "uni2005",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="name of the model, a folder as allosaurus releases it; uni2005 gives 230 "
        "phones, the blank among them (code of the authors of Multi-gating NAS)",
    )
    models: Path | None = Field(
        None,
        description="folder that holds the model's folder; null: where allosaurus puts what it "
        "downloads",
    )
    language: str = Field(
        UNIVERSAL,
        description="ipa gives every phone of the model; a language's ISO 639-3 code, such as "
        "deu, gives the blank and the phones of its inventory",
    )

    @property
    def folder(self) -> Path | None:
        """The model's folder; null where the package is not there and no folder is given."""
        if self.models is not None:
            return self.models / self.model
        package = package_folder(self.package)
        return None if package is None else package / "pretrained" / self.model

    @property
    def missing(self) -> str:
        """Say that the package or its model is not there."""
        folder = self.folder
        if reason := super().missing:
            return reason
        if folder is None or not folder.is_dir():
            return f"allosaurus's model {self.model} is not there; {self.download}"
        return ""

    @property
    def download(self) -> str:
        """How to get the model."""
        return f"python -m allosaurus.bin.download_model -m {self.model}"

    def files(self, corpus: str) -> list[Path]:
        """The files of the model that the feature depends on, whatever the corpus."""
        folder = self.folder
        if folder is None:
            return []
        names = ["model.pt", "am_config.json", "pm_config.json"]
        if self.language != UNIVERSAL:
            names += ["phone.txt", "inventory"]
        return [folder / name for name in names]


class PhonePosteriors:
    """Gives (frames, phones) an utterance: at each frame the phones' probabilities."""

    layers: tuple[str, ...] = ()

    def __init__(
        self, options: Options, cepstra: Any, network: Any, phones: list[int], device: torch.device
    ) -> None:
        self._cepstra = cepstra
        self._network = network.to(device).eval()
        self._phones = phones
        self._device = device
        self._sampling_rate = options.sampling_rate
        settings = cepstra.config
        seconds = settings.window_size + (settings.feature_window - 1) * settings.window_shift
        self._window = duration_in_samples(1000 * seconds, options.sampling_rate)
        self.frame_rate = 1 / (settings.window_shift * settings.feature_window)

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Give (frames, phones) for each utterance."""
        import torch

        inputs = [torch.from_numpy(self._input(speech.waveform)) for speech in batch]
        # The network packs its input, which wants the longest first.
        order = sorted(range(len(inputs)), key=lambda index: -len(inputs[index]))
        lengths = torch.tensor([len(inputs[index]) for index in order])
        stacked = torch.nn.utils.rnn.pad_sequence(
            [inputs[index] for index in order], batch_first=True
        )
        with torch.inference_mode():
            logits = self._network(stacked.to(self._device), lengths)
            probabilities = logits[..., self._phones].softmax(-1).cpu().numpy()
        place = {index: row for row, index in enumerate(order)}
        return [probabilities[place[index], : len(rows)] for index, rows in enumerate(inputs)]

    def _input(self, waveform: Array) -> Array:
        """Give the package's (frames, 3 x cepstra), normalised over the utterance."""
        from allosaurus.audio import Audio

        samples = padded(waveform, self._window) * np.float32(PCM_FULL_SCALE)
        with np.errstate(divide="ignore", invalid="ignore"):
            cepstra = self._cepstra.compute(Audio(samples, self._sampling_rate))
        # A coefficient that never changes, as in silence, was divided by its deviation of 0.
        return np.nan_to_num(np.asarray(cepstra, np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def build(options: Options, resources: Resources) -> Extractor:
    """Load the package's model and make the extractor.

    Raises:
        EmonasError: the package or its model is not there, the model is damaged or of another
            kind, or a GPU is asked for where there is none.
    """
    from emonas.learning.devices import prepare

    folder = options.folder
    if options.missing or folder is None:
        raise EmonasError(f"features: {options.missing}")
    try:
        cepstra, network = _load(folder)
        phones = _phones(options, folder, network.phone_size)
    # What the package's readers raise where a file is missing or is of another kind.
    except (OSError, AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise EmonasError(
            f"{folder}: this is no model that allosaurus runs ({type(error).__name__}: {error}); "
            f"delete the folder and fetch it again: {options.download}"
        ) from error
    return PhonePosteriors(options, cepstra, network, phones, prepare(resources.runtime, 0))


def _load(folder: Path) -> tuple[Any, Any]:
    """Load the package's computation of cepstra and its network."""
    from allosaurus.am.allosaurus_torch import AllosaurusTorchModel
    from allosaurus.pm.factory import read_pm

    from emonas.checkpoints.reading import read_state

    text = (folder / "am_config.json").read_text(encoding="utf-8")
    network = AllosaurusTorchModel(Namespace(**json.loads(text)))
    weights = {
        name.removeprefix("module."): tensor
        for name, tensor in read_state(folder / "model.pt").items()
        # The layers of single languages, which only training needs.
        if not name.startswith("allophone_layer_dict")
    }
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError("model.pt does not fit am_config.json") from error
    return read_pm(folder, None), network


def _phones(options: Options, folder: Path, count: int) -> list[int]:
    """Give the places of the language's phones among all, the blank first."""
    if options.language == UNIVERSAL:
        return list(range(count))
    from allosaurus.lm.inventory import Inventory

    inventory = Inventory(folder)
    if not inventory.is_available(options.language):
        raise EmonasError(
            f"{folder}: has no inventory of the language {options.language}; see "
            f"python -m allosaurus.bin.list_lang, or set language: {UNIVERSAL}"
        )
    return sorted(inventory.get_mask(options.language).valid_mask)
