"""What a system does with an input, against what its feature is: frames, a vector or a waveform."""

from typing import Any

from emonas.errors import EmonasError
from emonas.kinds import kind_module
from emonas.systems.multilingual_options import MultilingualOptions


def check_encoders(settings: Any) -> None:
    """Check that whitening and encoders suit the features that they are for.

    Features of the user's own are known by their files only, and are checked by the job.

    Raises:
        EmonasError: one does not, or would change nothing.
    """
    for name, system in settings.systems.items():
        for entry in getattr(system, "inputs", ()):
            form = _form(entry, settings.features[entry.feature])
            if entry.normalise == "whiten" and form not in ("vector", "unknown"):
                raise EmonasError(
                    f"systems.{name}.inputs: {entry.feature} is to be whitened, which is for one "
                    "vector an utterance, and is frames; give the input `statistics: true`, or "
                    "leave normalise out"
                )
            if isinstance(system, MultilingualOptions):
                _check_encoder(f"systems.{name}.encoders.{entry.feature}", system, entry, form)


def _form(entry: Any, options: Any) -> str:
    """What a system hears of an input: frames, a vector, a waveform, or unknown."""
    form: str = getattr(kind_module("extractor", options.extractor), "FORM", "frames")
    return "vector" if entry.statistics else form


def _check_encoder(path: str, system: MultilingualOptions, entry: Any, form: str) -> None:
    own = system.encoder_of(entry.feature)
    if own.speaker and form not in ("waveform", "unknown"):
        raise EmonasError(
            f"{path}.speaker: GE2E's encoder hears a waveform; name a feature of "
            "`extractor: waveform`"
        )
    if entry.feature not in system.encoders or own.speaker:
        return
    kept = getattr(kind_module("network", system.network), "VECTORS_AS_THEY_ARE", False)
    if form == "vector" and kept:
        raise EmonasError(
            f"{path}: {system.network} takes a feature of one vector as it is, without an encoder; "
            "leave it out"
        )
    if form == "frames" and own.between:
        raise EmonasError(
            f"{path}.between: is for a feature of one vector, and {entry.feature} is frames; "
            "leave it out"
        )
