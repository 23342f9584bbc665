"""Neural architecture search for speech emotion recognition, as stages that meet in files."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`emonas.load` brings torch, which nothing else here needs."""
    if name == "load":
        from emonas.export.model import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
