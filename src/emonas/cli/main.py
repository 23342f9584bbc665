"""`emonas`: check settings, forecast a run, write the settings reference."""

from pathlib import Path
from typing import Annotated

import typer

from emonas.settings.load import load_settings
from emonas.settings.plan import Plan

application = typer.Typer(
    help="Architecture search for speech emotion recognition; the runs themselves are Snakemake's.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
SettingsFile = Annotated[Path, typer.Argument(help="a settings file")]


@application.command()
def check(settings: SettingsFile = Path("config.yaml")) -> None:
    """Check a settings file, and list what would run and what would be skipped."""
    plan = Plan(load_settings(settings))
    for (protocol, system), seeds in plan.runs.items():
        typer.echo(f"runs     {protocol}: {system}, seeds: {seeds}")
    for entry in plan.skipped:
        typer.echo(
            f"skipped  {entry['protocol']}: {', '.join(entry['systems'])}: {entry['reason']}"
        )


@application.command()
def forecast(settings: SettingsFile = Path("config.yaml"), cores: int = 2) -> None:
    """Say how many jobs a run has, and about how many hours it takes on this machine."""
    from emonas.settings.forecast import forecast_lines

    for line in forecast_lines(Plan(load_settings(settings)), cores):
        typer.echo(line)


@application.command()
def reference(
    folder: Annotated[Path, typer.Argument(help="where they are written")] = Path("docs"),
) -> None:
    """Write the settings reference (settings.md) and the JSON schema (settings.schema.json)."""
    from emonas.settings.reference import write_reference

    for path in write_reference(folder):
        typer.echo(f"wrote {path}")
