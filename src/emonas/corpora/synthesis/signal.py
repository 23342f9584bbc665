"""What is done to a voice after it is spoken: brightness, breath, loudness, noise."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

_KNEE = 500.0
_HIGHEST = 4000.0
_ENVELOPE_SECONDS = 0.02
_PEAK = 0.98


def tilt(samples: Samples, decibels: float, rate: int) -> Samples:
    """Change the spectrum by `decibels` an octave from 500 Hz to 4 kHz, and level above.

    Args:
        samples: (time,).
        decibels: positive is brighter, as in loud voices; negative is duller.
        rate: in Hz.
    """
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    octaves = np.log2(np.clip(frequencies, _KNEE, _HIGHEST) / _KNEE)
    return np.fft.irfft(spectrum * 10 ** (decibels * octaves / 20), len(samples))


def breathe(samples: Samples, decibels: float, rate: int, random: np.random.Generator) -> Samples:
    """Add aspiration: noise above 500 Hz that follows the voice, `decibels` below or above it."""
    noise = random.standard_normal(len(samples))
    spectrum = np.fft.rfft(noise)
    spectrum[np.fft.rfftfreq(len(noise), 1 / rate) < _KNEE] = 0
    window = int(_ENVELOPE_SECONDS * rate)
    power = np.convolve(samples**2, np.ones(window) / window, mode="same")
    shaped = np.fft.irfft(spectrum, len(noise)) * np.sqrt(np.maximum(power, 0))
    return samples + scaled(shaped, loudness(samples) + decibels)


def coloured_noise(length: int, slope: float, rate: int, random: np.random.Generator) -> Samples:
    """Gaussian noise (time,) whose spectrum falls by `slope` dB an octave above 50 Hz."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(length, 1 / rate), 50.0) / 50.0)
    return np.fft.irfft(spectrum * 10 ** (-slope * octaves / 20), length)


def loudness(samples: Samples) -> float:
    """The level in dB of full scale, silence in the file included."""
    return float(10 * np.log10(np.mean(samples**2) + 1e-12))


def scaled(samples: Samples, level: float) -> Samples:
    """The same samples at `level` dB of full scale."""
    return samples * 10 ** ((level - loudness(samples)) / 20)


def as_integers(samples: Samples) -> npt.NDArray[np.int16]:
    """16-bit samples, made softer as a whole where a peak would be cut."""
    peak = float(np.max(np.abs(samples), initial=0.0))
    softer = samples * min(1.0, _PEAK / peak) if peak else samples
    return np.rint(softer * 32767).astype(np.int16)
