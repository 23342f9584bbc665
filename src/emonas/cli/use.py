"""The commands that take something out of finished results: a system to use, or all to check."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from emonas.errors import EmonasError, one_line
from emonas.export.output import Format


def export(
    system: Annotated[
        str | None, typer.Argument(help="the system; by default that of the first run")
    ] = None,
    output: Annotated[Path, typer.Option(help="the folder that is written")] = Path("model"),
    settings: Annotated[Path, typer.Option(help="the settings file")] = Path("config.yaml"),
    protocol: Annotated[str | None, typer.Option(help="the protocol that it was run under")] = None,
    seed: Annotated[int, typer.Option(help="the seed of its training")] = 0,
    fold: Annotated[
        list[str] | None,
        typer.Option(help="one fold, or several; by default all, which are heard as an ensemble"),
    ] = None,
    onnx: Annotated[
        bool,
        typer.Option(
            "--onnx",
            help="each fold's network as an ONNX file too, from features to logits, held against "
            "torch; where the system allows it",
        ),
    ] = False,
) -> None:
    """Write a system that was run into one folder, ready to predict."""
    from emonas.export.card import told_graphs
    from emonas.export.choosing import choose
    from emonas.export.write import export_system
    from emonas.settings.load import load_settings
    from emonas.settings.plan import Plan

    plan = Plan(load_settings(settings))
    chosen = choose(plan, system, protocol, seed)
    model = export_system(plan, chosen, fold or [], output, settings, onnx=onnx, tell=_warn)
    typer.echo(
        f"{output}: {model.system} under {model.protocol}, seed {model.seed}, "
        f"folds {', '.join(model.folds)}; try: emonas predict {_quoted(output)} FILE.wav"
    )
    if model.onnx is not None:
        typer.echo(told_graphs(model.onnx))


def predict(
    folder: Annotated[Path, typer.Argument(help="what emonas export wrote")],
    files: Annotated[
        list[str], typer.Argument(help="audio files, folders of them, or - for standard input")
    ],
    form: Annotated[Format, typer.Option("--format", help="how it is printed")] = "table",
    domain: Annotated[
        str | None, typer.Option(help="of a system that tells domains apart, such as languages")
    ] = None,
    longest: Annotated[
        float, typer.Option(help="seconds; a longer recording is heard in windows")
    ] = 30.0,
    window: Annotated[float, typer.Option(help="seconds of a window")] = 10.0,
    step: Annotated[float, typer.Option(help="seconds from one window to the next")] = 5.0,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="where it is computed")
    ] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="threads inside torch")] = 1,
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PATH: where pretrained weights lie that are not found"),
    ] = None,
) -> None:
    """Say which emotion is heard in recordings, and how likely each is."""
    from emonas.export.model import Model
    from emonas.export.output import written
    from emonas.export.predict import predict_files
    from emonas.export.windows import Windows

    windows = Windows(longest, window, step)
    places = dict(_place(text) for text in checkpoint or [])
    model = Model(folder, device=device, threads=threads, checkpoints=places)
    heard = predict_files(model, files, windows, domain, tell=_warn)
    typer.echo(written(heard, model.classes, form))
    if unheard := [one.recording for one in heard if one.recording.problem]:
        _warn(
            f"{len(unheard)} of {len(heard)} recordings could not be heard; the first is "
            f"{unheard[0].name}: {unheard[0].problem}"
        )
        sys.exit(1)


def _envs() -> Path:
    """The folder of the lock files: here, or in the checkout of the package where a run is
    elsewhere (`snakemake --directory`).
    """
    from emonas.packages import package_folder

    package = package_folder("emonas")
    here = Path("envs")
    return here if here.exists() or package is None else package.parents[1] / "envs"


def bundle(
    output: Annotated[Path, typer.Option(help="the archive that is written")] = Path("bundle.zip"),
    settings: Annotated[Path, typer.Option(help="the settings file")] = Path("config.yaml"),
) -> None:
    """Put what a run's numbers come from into one archive, without audio or transcripts."""
    from emonas.export.bundle import write_bundle
    from emonas.settings.load import load_settings
    from emonas.settings.plan import Plan

    plan = Plan(load_settings(settings))
    count = write_bundle(plan, settings, Path("results"), _envs(), output)
    size = output.stat().st_size / 1e6
    typer.echo(f"{output}: {count} files, {size:.1f} MB; try: emonas verify {_quoted(output)}")


def new_corpus(
    folder: Annotated[Path, typer.Argument(help="a folder with recordings anywhere below it")],
    name: Annotated[str | None, typer.Option(help="the corpus; by default the folder's")] = None,
    output: Annotated[
        Path | None, typer.Option(help="the settings file; by default NAME.yaml")
    ] = None,
) -> None:
    """Guess emotions and speakers from files' names; write a settings file for you to check."""
    import re

    from emonas.settings.found_corpus import look
    from emonas.settings.new_corpus import told, unguessed, write_corpus

    if name is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise EmonasError(
            f"--name {name}: a name begins with a letter or digit, and has letters, digits, _, . "
            "and - only"
        )
    called = name or re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "mine"
    found = look(folder)
    for line in told(found):
        typer.echo(line)
    written = write_corpus(found, called, output or Path(f"{called}.yaml"))
    wrote = f"wrote {' and '.join(map(str, written))}"
    if missing := unguessed(found, written[0]):
        typer.echo(wrote)
        _warn(f"{folder}: {missing}")
        sys.exit(1)
    typer.echo(f"{wrote}; check what was guessed, then: emonas check {_quoted(written[-1])}")


def verify(
    file: Annotated[Path, typer.Argument(help="what emonas bundle wrote")],
) -> None:
    """Compute all numbers of a bundle again from its predictions; name what does not agree."""
    from emonas.export.verify import verify_bundle

    found = verify_bundle(file)
    for sentence in found.wrong[:_SHOWN]:
        typer.echo(one_line(sentence))
    for sentence in found.unheld:
        _warn(f"{file}: {sentence}")
    if found.wrong:
        more = f", of which the first {_SHOWN} are shown" if len(found.wrong) > _SHOWN else ""
        typer.echo(
            f"emonas: {file}: {len(found.wrong)} places do not agree{more}; "
            f"{found.numbers} numbers do",
            err=True,
        )
        sys.exit(1)
    shown = "tables and page" if found.unheld else "tables, page and pictures"
    typer.echo(
        f"{file}: {found.numbers} numbers agree: scores and their tests with the predictions, the "
        f"report's {shown} with these and with what the run told of times and epochs; plan and "
        "scoring follow from the settings, labels and audits from the manifests and the folds"
    )


_SHOWN = 50


def _quoted(path: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))


def _warn(sentence: str) -> None:
    typer.echo(f"emonas: {one_line(sentence)}", err=True)


def _place(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not sign or not name or not path:
        raise EmonasError(f"--checkpoint {text}: write NAME=PATH")
    return name, Path(path)
