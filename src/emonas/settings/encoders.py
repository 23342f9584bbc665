"""What a system does with an input, against what its feature is: frames, a vector or a waveform."""

from typing import Any

from emonas.errors import EmonasError
from emonas.kinds import kind_module
from emonas.systems.multilingual_options import MultilingualOptions


def check_encoders(settings: Any) -> None:
    """Check that whitening and encoders suit the features that they are for.

    Of the user's own features the files alone tell what they are: there it is the job that
    refuses what would do harm.

    Raises:
        EmonasError: one does not, or would change nothing.
    """
    for name, system in settings.systems.items():
        for entry in getattr(system, "inputs", ()):
            form = settings.features[entry.feature].gives
            _check_input(f"systems.{name}.inputs", entry, form)
            if isinstance(system, MultilingualOptions):
                _check_encoder(name, system, entry, "vector" if entry.statistics else form)


def _check_input(path: str, entry: Any, form: str) -> None:
    feature = entry.feature
    if entry.normalise == "whiten" and form in ("frames", "waveform") and not entry.statistics:
        raise EmonasError(
            f"{path}: {feature} is to be whitened, which is for one vector an utterance, and it is "
            f"{'frames' if form == 'frames' else 'a waveform'}; give the input `statistics: true`, "
            "or leave normalise out"
        )
    if form != "vector":
        return
    for key, asked in (
        ("pool", entry.pool > 1),
        ("statistics", entry.statistics),
        ("normalise: utterance", entry.normalise == "utterance"),
    ):
        if asked:
            raise EmonasError(
                f"{path}: {feature} is one vector an utterance, and `{key}` is for frames; leave "
                "it out"
            )


def _check_encoder(name: str, system: MultilingualOptions, entry: Any, form: str) -> None:
    own, named = system.encoder_of(entry.feature), entry.feature in system.encoders
    path = f"systems.{name}.encoders.{entry.feature}" if named else f"systems.{name}.encoder"
    if own.speaker and form not in ("waveform", "unknown"):
        raise EmonasError(
            f"{path}.speaker: GE2E's encoder hears a waveform, and {entry.feature} is none; name a "
            "feature of `extractor: waveform`"
        )
    if not named:
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
    unread = own.model_fields_set & {"channels", "hidden", "layers"}
    if unread and (form == "vector" or own.speaker):
        raise EmonasError(
            f"{path}.{min(unread)}: is for frames, and {entry.feature} becomes a vector without "
            "convolution and LSTM; leave it out"
        )
