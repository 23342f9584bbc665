"""Neural architecture search for speech emotion recognition, as stages that meet in files."""

__version__ = "0.1.0"
