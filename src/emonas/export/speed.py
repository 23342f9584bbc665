"""How fast a trained system hears, from the recording to the answer, and in how much memory."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from emonas.errors import EmonasError
from emonas.export.choosing import Chosen
from emonas.export.recordings import write_waveform
from emonas.export.stopwatch import Asked
from emonas.export.timing import RATE, SPEECH, ten_seconds, timed
from emonas.export.write import RESULTS, export_fold
from emonas.machine import processor_name
from emonas.storage.folds import read_index
from emonas.storage.speed import Speed, SystemSpeed, write_speed

if TYPE_CHECKING:
    from emonas.settings.plan import Plan


def measure_speed(
    plan: Plan, protocol: str, system: str, output: Path, results: Path = RESULTS
) -> None:
    """Measure a system of a protocol, of its first seed and fold.

    Raises:
        EmonasError: the folds are missing or damaged.
    """
    import torch

    fold = read_index(results / "protocols" / protocol / "folds.csv")["fold"].iloc[0]
    threads = plan.settings.runtime.torch_threads
    cards = torch.cuda.device_count()
    devices: dict[str, Literal["cpu", "cuda"]] = {"on_processor": "cpu"}
    if cards:
        devices["on_card"] = "cuda"
    found: dict[str, Speed] = {}
    left_out = ""
    with TemporaryDirectory(prefix="emonas-") as name:
        place, recording = Path(name), Path(name) / "speech.wav"
        write_waveform(recording, ten_seconds(protocol, fold, results), RATE)
        try:
            export_fold(plan, Chosen(protocol, system, 0), fold, place / "system", results)
            for key, device in devices.items():
                asked = Asked(
                    folder=place / "system",
                    recording=recording,
                    speech=SPEECH,
                    rate=RATE,
                    device=device,
                    threads=threads,
                )
                found[key] = timed(asked, place)
        except EmonasError as error:
            left_out = str(error)
    speed = SystemSpeed(
        speech=SPEECH,
        processor=processor_name(),
        threads=threads,
        card=torch.cuda.get_device_name(0) if cards else "",
        left_out=left_out,
        **found,
    )
    write_speed(output, speed)
