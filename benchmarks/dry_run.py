"""How long `snakemake -n` takes on a finished run of a paper, at its full size.

    python benchmarks/dry_run.py          # EmotionNAS v2 on IEMOCAP: 10 folds, 5 seeds, all systems
    python benchmarks/dry_run.py --small  # only see that it runs

Nothing is trained. Snakemake runs its jobs, and keeps its record of each, but all that a job leaves
is empty files; the manifest alone has IEMOCAP's size, and the folds come from it.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from measuring import Row, seconds, spread

from emonas.storage.manifest import Utterance, write_manifest

CHECKOUT = Path(__file__).parents[1]
PAPER = CHECKOUT / "workflow" / "papers" / "emotionnas-v2.yaml"
PROTOCOL = "emotionnas-v2"
LABELS = {"neutral": 1708, "happy": 595, "excited": 1041, "sad": 1084, "angry": 1103}
"""IEMOCAP's 5531 utterances of four classes, `excited` counted as happy."""

LIMIT = 10.0
ROUNDS = 3


def main() -> None:
    """Make the finished run, and time what finds that nothing is to be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="only see that it runs")
    small = parser.parse_args().small
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = make_finished(folder, seeds=1 if small else 5)
        taken = [seconds(lambda: look(folder)) for _ in range(1 if small else ROUNDS)]
    print(f"snakemake -n on {jobs} finished jobs")
    value = statistics.median(taken)
    times = spread([LIMIT / each for each in taken])
    bar = f"under {LIMIT:.0f} s"
    Row("dry-run", LIMIT / value, value, "s", times, bar, value < LIMIT).write()


def make_finished(folder: Path, seeds: int) -> int:
    """Leave in a folder everything that a run leaves, and count its jobs."""
    write_settings(folder, seeds)
    arguments = [*settings_in(folder), "--cores", str(os.cpu_count())]
    said = output_of([sys.executable, __file__, "--pretend", *arguments], folder)
    return int(re.findall(r"^(\d+) of \1 steps", said, flags=re.MULTILINE)[-1])


def pretend(arguments: list[str]) -> None:
    """Run Snakemake in this process, with jobs that write what its jobs depend on and no more."""
    from snakemake import cli
    from snakemake.executors import local

    run = local.run_wrapper

    def leave_outputs(rule: Any, given: Any, output: Any, *others: Any) -> None:
        for path in map(Path, output):
            # All files have an ending; a folder has none.
            leave = Path.touch if path.suffix else Path.mkdir
            leave(path)
        if rule.name == "corpora":
            write_manifest(Path(output.manifest), utterances())
        elif rule.name == "protocols":
            run(rule, given, output, *others)

    local.run_wrapper = leave_outputs
    cli.main(arguments)


def write_settings(folder: Path, seeds: int) -> None:
    """The paper's settings with ten folds: both speakers of a session are tested in turn."""
    settings: dict[str, Any] = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    (folder / "iemocap").mkdir()
    settings["corpora"]["iemocap"]["root"] = str(folder / "iemocap")
    del settings["protocols"][PROTOCOL]["style"]
    settings["protocols"][PROTOCOL] |= {"swap": True, "merge": {"excited": "happy"}}
    for owner, key in (
        (settings["checkpoints"]["wav2vec-large"], "path"),
        (settings["systems"]["v2-nas-h{h}l1"]["search"], "archive"),
    ):
        owner[key] = str(folder / key)
        (folder / key).touch()
    settings["forecast"] = False
    for run in settings["runs"]:
        run["seeds"] = seeds
    text = yaml.safe_dump(settings, sort_keys=False)
    (folder / "settings.yaml").write_text(text, encoding="utf-8")


def utterances() -> Iterator[Utterance]:
    """So many a label, given to the speakers in turn."""
    labels = chain.from_iterable([label] * count for label, count in LABELS.items())
    for number, label in enumerate(labels):
        session, gender = number % 5 + 1, "FM"[number % 2]
        name = f"Ses0{session}{gender}_impro01_{gender}{number:04d}"
        yield Utterance(
            utterance=name,
            audio=f"{name}.wav",
            corpus="iemocap",
            language="en",
            speaker=f"Ses0{session}{gender}",
            gender="male" if gender == "M" else "female",
            session=str(session),
            style="improvised",
            text="",
            emotion=label,
            seconds=4.5,
            sampling_rate=16000,
            digest=f"{number:016x}",
        )


def look(folder: Path) -> None:
    """What is timed; it must find nothing to do."""
    said = output_of([sys.executable, "-m", "snakemake", *settings_in(folder), "-n"], folder)
    if "Nothing to be done" not in said or "missing" in said:
        raise SystemExit(f"the run is not finished:\n{said[-2000:]}")


def settings_in(folder: Path) -> list[str]:
    """Snakemake's arguments for the settings in a folder."""
    where = ["--snakefile", str(CHECKOUT / "Snakefile"), "--directory", str(folder)]
    return [*where, "--configfile", "settings.yaml"]


def output_of(command: list[str], folder: Path) -> str:
    """What a command says; where it fails, that is the end."""
    sources = {**os.environ, "PYTHONPATH": str(CHECKOUT / "src")}
    done = subprocess.run(
        command,
        cwd=folder,
        env=sources,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout[-4000:])
    return done.stdout


if __name__ == "__main__":
    if sys.argv[1:2] == ["--pretend"]:
        pretend(sys.argv[2:])
    else:
        main()
