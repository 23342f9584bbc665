"""A WeNet release as a recogniser: greedy search over the output of its CTC."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.errors import EmonasError
from emonas.features.encoders.wenet import load_ctc, load_encoder, read_release
from emonas.features.encoders.wenet_encoding import WenetEncoding, check_sampling_rate
from emonas.features.extraction import Resources, Speech
from emonas.features.precision import computes_in_half
from emonas.features.recogniser import Recogniser, RecogniserOptions

if TYPE_CHECKING:
    import torch

UNITS = ("units.txt", "words.txt")
"""Names of the list of units; the second is that of WeNet 1.0."""

WORD_START = "\N{LOWER ONE EIGHTH BLOCK}"


class Options(RecogniserOptions):
    """Options of WeNet."""

    recogniser: Literal["wenet"] = Field("wenet", description="name of the recogniser")


class WenetRecogniser:
    """Takes the likeliest unit of every frame; repeated ones count once, and blanks not at all."""

    def __init__(
        self, encoding: WenetEncoding, ctc: torch.nn.Linear, units: Sequence[str], blank: int
    ) -> None:
        self._encoding = encoding
        self._ctc = ctc
        self._units = units
        self._blank = blank

    def recognise(self, batch: Sequence[Speech]) -> list[str]:
        """Give the words of each utterance."""
        import torch

        encoded = self._encoding.encode([speech.waveform for speech in batch])
        with torch.inference_mode():
            likeliest = self._ctc(encoded.output.float()).argmax(dim=2).tolist()
        lengths = encoded.lengths.tolist()
        return [
            self._text(numbers[:length]) for numbers, length in zip(likeliest, lengths, strict=True)
        ]

    def _text(self, numbers: Sequence[int]) -> str:
        heard = [self._units[number] for number, _ in groupby(numbers) if number != self._blank]
        text = "".join(unit for unit in heard if not _is_mark(unit))
        return " ".join(text.replace(WORD_START, " ").split())


def build(options: Options, resources: Resources) -> Recogniser:
    """Load the release and make the recogniser.

    Raises:
        EmonasError: the release is damaged or of another architecture, or a GPU is asked for where
            there is none.
    """
    from emonas.learning.devices import prepare

    release = read_release(resources.weights)
    check_sampling_rate(release, options.sampling_rate)
    units_path, units = read_units(release.folder)
    ctc = load_ctc(release)
    if not release.blank < len(units) == ctc.out_features:
        raise EmonasError(
            f"{units_path}: there are {len(units)} units, and final.pt writes {ctc.out_features}; "
            "give both files of one WeNet release"
        )
    device = prepare(resources.runtime, 0)
    half = computes_in_half(options.precision, device)
    encoding = WenetEncoding(release, load_encoder(release).to(device), device, half=half)
    return WenetRecogniser(encoding, ctc.to(device), units, release.blank)


def read_units(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Give the list of units and where it stands; each line has a unit and its number.

    Raises:
        EmonasError: there is no list, or a line is not as said, or the numbers leave a gap.
    """
    path = next((folder / name for name in UNITS if (folder / name).exists()), folder / UNITS[0])
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        pairs = [line.split() for line in lines if line.strip()]
        units = {int(number): unit for unit, number in pairs}
        return path, tuple(units[number] for number in range(len(pairs)))
    except OSError as error:
        raise EmonasError(
            f"{path}: cannot be read ({error.strerror}); give the whole folder of a WeNet release"
        ) from error
    except (ValueError, KeyError) as error:
        raise EmonasError(
            f"{path}: this is no list of units, each with its number from 0; download it again"
        ) from error


def _is_mark(unit: str) -> bool:
    """Whether it is no text, such as <unk> and <sos/eos>."""
    return len(unit) > 2 and unit.startswith("<") and unit.endswith(">")
