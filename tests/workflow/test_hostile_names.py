"""Corpora whose files, folders, speakers and labels are named to break out, through a whole run."""

import csv
import html.parser
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

RATE = 16000
COMMANDS = (
    "; touch pwned;",
    "$(touch pwned)",
    "`touch pwned`",
    "& touch pwned &",
    "| touch pwned |",
    "' ; touch pwned ; '",
    '" ; touch pwned ; "',
    "\n touch pwned \n",
)
NAMES = (
    *COMMANDS,
    *("two  spaces", "'", '"', "*", "?", "[a]", "\\", "\\n", "carriage\rreturn", "tab\tstop"),
    *("-rf", "--help", "100%", "%s%d%n", "{wildcards}", "{input[0]}", "{{x}}", "{", "a,b", "=1+1"),
    *("#hash", "~", "日本語", "\u202eevil", "\x1b[31mred", " leading", "<b>bold", "&amp;", "$x$ $"),
    *(unicodedata.normalize(form, "Jürgen é") for form in ("NFC", "NFD")),
    "l" * 200,
)
TAG = '<img src=x onerror="alert(1)">'
LABELS = (f"{TAG}; touch pwned", "$\\frac{$ 100% _a_ & {b} `touch pwned`")
SPEAKERS = ("anna", "bert", "carl")
HOSTILE_SPEAKERS = ("../../anna; $(touch pwned)", f"{TAG}\nbert", "c" * 300)


def tone(path: Path, number: int, label: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(RATE * 3 // 10) / RATE
    noise = np.random.default_rng(number).normal(0, 0.01, len(time))
    wave = 0.3 * np.sin(2 * np.pi * (200 + 400 * label + number) * time) + noise
    soundfile.write(path, wave, RATE, format="WAV", subtype="PCM_16")


def plant(root: Path) -> dict[Path, tuple[int, int]]:
    """The files below a root, each with the number of its speaker and of its label."""
    planted = {}
    for number, name in enumerate(NAMES):
        for label in (0, 1):
            speaker = number % 3
            path = root / LABELS[label] / f"{name} {SPEAKERS[speaker]}.wav"
            tone(path, number, label)
            planted[path] = speaker, label
    (root / LABELS[0] / f"{TAG} no audio.wav").write_text("Dear Anna, this is no audio.")
    return planted


def table_of(files: dict[Path, tuple[int, int]], root: Path, table: Path) -> None:
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["utterance", "audio", "emotion", "speaker", "text"])
        for number, (path, (speaker, label)) in enumerate(files.items()):
            audio = path.relative_to(root).as_posix()
            name = f"{NAMES[number // 2]}/../{label}"
            row = (name, audio, LABELS[label], HOSTILE_SPEAKERS[speaker], NAMES[number // 2])
            writer.writerow(row)
        writer.writerow(["stolen", "../../tiny.yaml", LABELS[0], "anna", ""])


SYSTEMS = {
    "linear": {"network": "linear", "inputs": ["fbank"], "strengths": [1.0]},
    "chance": {
        "network": "recurrent",
        "inputs": ["fbank"],
        "hidden": 4,
        "search": {"method": "random"},
        "training": {"epochs": 1},
    },
    "both": {
        "fuse": ["linear", "chance"],
        "method": "sum",
        "dominant": "chance",
        "training": {"epochs": 1},
    },
}


def settings(root: str, table: str) -> dict:
    return {
        "title": f"{TAG} $x$ </title><script>alert(1)</script>",
        "corpora": {
            "folders": {
                "reader": "folders",
                "root": root,
                "speaker": f"({'|'.join(SPEAKERS)}).wav$",
                "language": f"</td>{TAG}",
            },
            "table": {"reader": "csv", "table": table, "root": root},
        },
        "protocols": {
            "speakers": {"corpora": ["folders"], "test": "speaker"},
            "names": {"corpora": ["table"], "test": "speaker", "allow": ["text"]},
        },
        "features": {"fbank": {"extractor": "fbank", "bands": 8, "pool": 4}},
        "systems": SYSTEMS,
        "runs": [
            {"protocol": "speakers", "systems": list(SYSTEMS)},
            {"protocol": "names", "systems": ["linear"]},
        ],
        "tables": {
            "hostile": {
                "title": f"{TAG} \\input{{/etc/passwd}} | `a`",
                "protocol": "speakers",
                "rows": {f"{TAG} | \\input{{x}} & % $": {"system": "linear"}},
            }
        },
    }


class Tags(html.parser.HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        self.text += data


@pytest.mark.workflow
@pytest.mark.fault
@pytest.mark.long
def test_a_whole_run(fresh, tmp_path, tally):
    copy = fresh.copy(tmp_path / "a copy; touch pwned 'x' $(touch pwned)")
    root = Path("my speech; $(touch pwned) `x` {y} 'q'")
    table = Path("tables & more") / "my table \"of\" 'mine'; touch pwned.csv"
    files = plant(copy.folder / root)
    table_of(files, copy.folder / root, copy.folder / table)
    document = settings(str(root), str(table))
    (copy.folder / "tiny.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
    copy.snakemake("--cores", "2")

    for corpus, names in (("folders", None), ("table", "given")):
        folder = copy.folder / "results/corpora" / corpus
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found = {copy.folder / row["audio"]: row for row in rows}
        assert set(found) == set(files)
        for path, (speaker, label) in files.items():
            assert found[path]["emotion"] == LABELS[label]
            expected = SPEAKERS if names is None else HOSTILE_SPEAKERS
            assert found[path]["speaker"] == expected[speaker]
        with (folder / "problems.csv").open(encoding="utf-8", newline="") as file:
            problems = [row for row in csv.DictReader(file) if row["consequence"] == "left out"]
        (left_out,) = problems
        assert ("no audio" if names is None else "leads out of") in left_out["problem"]

    report = copy.folder / "results/report"
    page = Tags()
    page.feed((report / "index.html").read_text(encoding="utf-8"))
    kinds = {tag for tag, _ in page.elements}
    assert "script" not in kinds
    assert all(not name.startswith("on") for _, given in page.elements for name in given)
    assert all(given.get("src") != "x" for _, given in page.elements)
    assert TAG in page.text
    assert LABELS[1] in " ".join(page.text.split(" "))
    for path in (report / "tables").glob("*.md"):
        assert not re.search(r"<\w", path.read_text(encoding="utf-8")), path
    for path in (report / "tables").glob("*.tex"):
        assert not re.search(r"(?<!\\textbackslash\{\})\\input", path.read_text(encoding="utf-8"))
    for path in (report / "figures").glob("*.svg"):
        assert not re.search("<(script|img)", path.read_text(encoding="utf-8"), re.IGNORECASE), path
    everywhere = [copy.folder, tmp_path, Path.cwd()]
    assert not [path for folder in everywhere for path in folder.rglob("pwned")]
    tally("file, folder, speaker or label whose name is meant to break out", len(files))
