"""eSpeak NG through ctypes, from the library and the data of the `espeakng-loader` wheel."""

import _ctypes
import ctypes
import sys
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from emonas.errors import EmonasError

RATE: Final = 22050
"""Hz, of all voices used here."""
_SYNCHRONOUS: Final = 2
_NO_EXIT: Final = 0x8000
_UTF8: Final = 1
_CHARACTER: Final = 1
_VOLUME: Final = 2
_NORMAL_VOLUME: Final = 100
_PARAMETERS: Final = {"rate": (1, 80, 450), "pitch": (3, 0, 99), "range": (4, 0, 99)}
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class Delivery:
    """What the synthesiser is told: words a minute, and pitch and range with 50 as the middle."""

    voice: str
    rate: int
    pitch: int
    range: int
    seed: int


def speak(text: str, delivery: Delivery) -> npt.NDArray[np.float64]:
    """Speak `text`: samples (time,) at `RATE`, full scale 1.

    eSpeak keeps the phase of its oscillators and flutter from one utterance to the next, and has no
    call that resets them. So the library is loaded afresh for each, which takes 3 ms, and an
    utterance sounds the same whatever was spoken before it.

    Raises:
        EmonasError: the library cannot be loaded, or lacks the voice.
    """
    library = _load()
    try:
        return _speak(library, text, delivery)
    finally:
        library.espeak_Terminate()
        _unload(library)


def _load() -> ctypes.CDLL:
    import espeakng_loader

    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError as error:
        raise EmonasError(
            f"eSpeak NG cannot be loaded ({error}); install espeakng-loader again"
        ) from error
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    data = str(espeakng_loader.get_data_path()).encode()
    if library.espeak_Initialize(_SYNCHRONOUS, 0, data, _NO_EXIT) != RATE:
        _unload(library)
        raise EmonasError("eSpeak NG does not start with its data; install espeakng-loader again")
    return library


def _unload(library: ctypes.CDLL) -> None:
    if sys.platform == "win32":
        _ctypes.FreeLibrary(library._handle)
    else:
        _ctypes.dlclose(library._handle)


def _speak(library: ctypes.CDLL, text: str, delivery: Delivery) -> npt.NDArray[np.float64]:
    pieces: list[bytes] = []

    def receive(samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: int | None) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, count * 2))
        return 0

    callback = _Callback(receive)
    library.espeak_SetSynthCallback(callback)
    library.espeak_ng_SetRandSeed(ctypes.c_long(delivery.seed))
    if library.espeak_SetVoiceByName(delivery.voice.encode()) != 0:
        raise EmonasError(f"eSpeak NG has no voice {delivery.voice}; update espeakng-loader")
    library.espeak_SetParameter(_VOLUME, _NORMAL_VOLUME, 0)
    for name, (code, lowest, highest) in _PARAMETERS.items():
        value = getattr(delivery, name)
        library.espeak_SetParameter(code, min(max(value, lowest), highest), 0)
    words = text.encode() + b"\0"
    if library.espeak_Synth(words, len(words), 0, _CHARACTER, 0, _UTF8, None, None) != 0:
        raise EmonasError(f"eSpeak NG could not speak: {text}")
    return np.frombuffer(b"".join(pieces), dtype=np.int16) / 32768
