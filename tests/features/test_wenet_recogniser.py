from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.errors import EmonasError
from emonas.features.extraction import Resources, Speech
from emonas.features.extractors import conformer
from emonas.features.recogniser import Recogniser
from emonas.features.recognisers.wenet import Options, build
from emonas.learning.options import RuntimeOptions

Write = Callable[..., Path]
RUNTIME = RuntimeOptions()
# As the release that the tests write has them.
TEXTS = ["", "", " the", " s", "ea", "l", "'", " ", ""]


def resources(folder: Path) -> Resources:
    return Resources(RUNTIME, Checkpoint("asr", folder, ""))


def recogniser_of(folder: Path) -> Recogniser:
    return build(Options(checkpoint="asr"), resources(folder))


def sounds(samples: int, seed: int) -> np.ndarray:
    """Every tenth of a second another tone or noise, so that many units are heard."""
    generator = np.random.default_rng(seed)
    time = np.arange(1600) / 16000
    parts = []
    for _ in range(-(-samples // 1600)):
        tone = np.sin(2 * np.pi * generator.uniform(50, 7000) * time)
        mixed = generator.uniform() * tone + generator.uniform() * generator.normal(size=1600)
        parts.append(10 ** generator.uniform(-4, -0.5) * mixed)
    return np.concatenate(parts)[:samples].astype(np.float32)


def outputs(folder: Path, speech: Speech) -> list[torch.Tensor]:
    """The last block, normalised, frame by frame."""
    extractor = conformer.build(conformer.Options(checkpoint="asr"), resources(folder))
    (layers,) = extractor.extract([speech])
    state = torch.load(folder / "final.pt", weights_only=True)
    rows = []
    for frame in torch.from_numpy(layers[-1]):
        standard = (frame - frame.mean()) / (frame.var(correction=0) + 1e-5).sqrt()
        weight, bias = (state[f"encoder.after_norm.{name}"] for name in ("weight", "bias"))
        rows.append(standard * weight + bias)
    return rows


def greedy(folder: Path, speech: Speech, texts: Sequence[str], blank: int = 0) -> str:
    state = torch.load(folder / "final.pt", weights_only=True)
    heard, before = "", blank
    for row in outputs(folder, speech):
        unit = int((state["ctc.ctc_lo.weight"] @ row + state["ctc.ctc_lo.bias"]).argmax())
        if unit not in (before, blank):
            heard += texts[unit]
        before = unit
    return " ".join(heard.split())


def balance(folder: Path) -> None:
    """Take the mean output off, so that every unit is heard some time."""
    state = torch.load(folder / "final.pt", weights_only=True)
    mean = torch.stack(outputs(folder, Speech("u", sounds(64000, 9)))).mean(dim=0)
    state["ctc.ctc_lo.bias"] = -state["ctc.ctc_lo.weight"] @ mean
    torch.save(state, folder / "final.pt")


def test_it_writes_what_greedy_search_gives(write_release: Write) -> None:
    folder = write_release()
    balance(folder)
    speeches = [Speech(str(n), sounds(n, n)) for n in (64000, 1000, 20000)]
    heard = recogniser_of(folder).recognise(speeches)
    assert heard == [greedy(folder, speech, TEXTS) for speech in speeches]
    assert set(heard[0]) == set("thesal' ")


def test_a_batch_gives_what_single_utterances_give(write_release: Write) -> None:
    folder = write_release()
    balance(folder)
    recogniser = recogniser_of(folder)
    speeches = [Speech(str(n), sounds(n, n)) for n in (64000, 1040, 50, 15800)]
    alone = [text for speech in speeches for text in recogniser.recognise([speech])]
    assert recogniser.recognise(speeches) == alone


def test_characters_the_older_list_and_another_blank(write_release: Write) -> None:
    folder = write_release(top={"ctc_conf": {"ctc_blank_id": 3}})
    balance(folder)
    (folder / "units.txt").unlink()
    units = ["<unk>", "a", "b", "<blank>", "c", "d", "<", "\u2581", "<sos/eos>"]
    lines = [f"{unit} {number}" for number, unit in enumerate(units)]
    # In any order: the number counts.
    (folder / "words.txt").write_text("\n".join(reversed(lines)), encoding="utf-8")
    speech = Speech("u", sounds(48000, 1))
    texts = ["", "a", "b", "", "c", "d", "<", " ", ""]
    (heard,) = recogniser_of(folder).recognise([speech])
    assert heard == greedy(folder, speech, texts, blank=3)
    assert heard


def test_a_missing_list_is_named(write_release: Write) -> None:
    folder = write_release()
    (folder / "units.txt").unlink()
    with pytest.raises(EmonasError, match=r"units\.txt: cannot be read"):
        recogniser_of(folder)


@pytest.mark.parametrize("text", ["a 0\nb 2\n", "a zero\n", "a\nb\n"])
def test_a_damaged_list_is_named(write_release: Write, text: str) -> None:
    folder = write_release()
    (folder / "units.txt").write_text(text)
    with pytest.raises(EmonasError, match=r"units\.txt: this is no list of units"):
        recogniser_of(folder)


def test_a_list_of_another_release_is_refused(write_release: Write) -> None:
    folder = write_release()
    (folder / "units.txt").write_text("<blank> 0\na 1\n")
    with pytest.raises(EmonasError, match=r"there are 2 units, and final\.pt writes 9"):
        recogniser_of(folder)


def test_a_release_without_ctc_is_refused(write_release: Write) -> None:
    folder = write_release()
    state = torch.load(folder / "final.pt", weights_only=True)
    torch.save({k: v for k, v in state.items() if "ctc" not in k}, folder / "final.pt")
    with pytest.raises(EmonasError, match=r"final\.pt"):
        recogniser_of(folder)
