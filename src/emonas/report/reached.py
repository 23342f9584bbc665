"""What a row of a table shows of a figure that a system reached."""

from emonas.storage.metrics import Bounds, Figure, Metrics


def deviation(figure: Figure, metrics: Metrics) -> float | None:
    """The deviation to show behind a mean: none where there was nothing to deviate."""
    return None if metrics.seeds == 1 and figure.std == 0 else figure.std


def bounds(stem: str, interval: Bounds | None) -> dict[str, float]:
    """The cells of an interval, where there is one."""
    if interval is None:
        return {}
    low, high = interval
    return {f"{stem}_low": low, f"{stem}_high": high}


def cells(stem: str, figure: Figure | None, metrics: Metrics) -> dict[str, float | None]:
    """A figure's mean, deviation and interval; nothing where there is no figure."""
    if figure is None:
        return {}
    spread = deviation(figure, metrics)
    return {stem: figure.mean, f"{stem}_std": spread, **bounds(stem, figure.interval)}
