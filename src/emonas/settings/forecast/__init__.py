"""How many jobs a run has, and about how long it takes on this machine."""

from emonas.settings.forecast.lines import forecast_lines

__all__ = ["forecast_lines"]
