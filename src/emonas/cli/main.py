"""`emonas`: check settings, forecast a run, list features, export a system, predict recordings."""

from pathlib import Path
from typing import Annotated

import typer

from emonas.cli import use
from emonas.settings.listings import check_listings
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan
from emonas.settings.pretrained import Pretrained

application = typer.Typer(
    help="Architecture search for speech emotion recognition; the runs themselves are Snakemake's.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
features = typer.Typer(help="The features that there are.", no_args_is_help=True)
application.command()(use.export)
application.command()(use.predict)
application.command()(use.bundle)
application.command()(use.new_corpus)
application.command()(use.verify)
application.add_typer(features, name="features")
SettingsFile = Annotated[Path, typer.Argument(help="a settings file")]


@application.command()
def check(settings: SettingsFile = Path("config.yaml")) -> None:
    """Check a settings file, and list what would run and what would be skipped."""
    plan = _checked(settings)
    for (protocol, system), seeds in plan.runs.items():
        typer.echo(f"runs     {protocol}: {system}, seeds: {seeds}")
    for entry in plan.skipped:
        typer.echo(
            f"skipped  {entry['protocol']}: {', '.join(entry['systems'])}: {entry['reason']}"
        )
    for entry in plan.untransferred:
        typer.echo(f"skipped  {entry['protocol']} on {entry['corpus']}: {entry['reason']}")
    for unheard in plan.unrecognised:
        typer.echo(
            f"skipped  error rates of {unheard['transcript']} on {unheard['corpus']}: "
            f"{unheard['reason']}"
        )


@application.command()
def forecast(settings: SettingsFile = Path("config.yaml"), cores: int = 2) -> None:
    """Say how many jobs a run has, and about how many hours and how much disk it takes here."""
    from emonas.settings.forecast import forecast_lines

    for line in forecast_lines(_checked(settings), cores):
        typer.echo(line)


@application.command()
def reference(
    folder: Annotated[Path, typer.Argument(help="where they are written")] = Path("docs"),
) -> None:
    """Write the settings reference (settings.md) and the JSON schema (settings.schema.json)."""
    from emonas.settings.reference import write_reference

    for path in write_reference(folder):
        typer.echo(f"wrote {path}")


@features.command("list")
def list_features(
    settings: Annotated[
        Path | None,
        typer.Argument(help="a settings file, for its own features and what they need"),
    ] = None,
) -> None:
    """List the features that there are, what each needs, and whether it is there; of a settings
    file also what its systems need that train an encoder.
    """
    from emonas.features.listing import kind_lines, settings_lines

    if settings is None:
        lines = kind_lines()
    else:
        loaded = load_settings(settings)
        pretrained = Pretrained(loaded)
        lines = settings_lines(
            loaded,
            pretrained.missing,
            pretrained.missing_transcript,
            pretrained.missing_encoder,
        )
    for line in lines:
        typer.echo(line)


def _checked(settings: Path) -> Plan:
    """What a settings file asks for, held against the corpora that are there.

    Raises:
        EmonasError: the settings are wrong, or ask of a corpus what it has not.
    """
    plan = Plan(load_settings(settings))
    check_listings(plan)
    return plan
