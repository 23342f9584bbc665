"""Pointwise operations of a step, and their gradients.

Sigmoid and tanh of single precision are polynomials (Cephes' expf and tanhf, Moshier 1992), right
to about 1e-7, because compilers don't vectorise those of the mathematical library, which double
precision takes. They keep what is not a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from emonas.networks.fused_recipes.compiling import compiled

_TANH, _SIGMOID, _LEAKY, _SUM, _PRODUCT, _BLEND = range(6)

_LEAK = 0.01
"""Slope of the leaky ReLU below zero (torch's)."""

_SMALLEST, _LARGEST = np.float32(-87.0), np.float32(88.0)
_LOG2_E = np.float32(1.44269504088896341)
# The logarithm of 2 in two parts, of which the first has few digits.
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_E0, _E1, _E2 = (
    np.float32(1.9875691500e-4),
    np.float32(1.3981999507e-3),
    np.float32(8.3334519073e-3),
)
_E3, _E4, _E5 = (
    np.float32(4.1665795894e-2),
    np.float32(1.6666665459e-1),
    np.float32(5.0000001201e-1),
)
_T0, _T1, _T2 = (
    np.float32(-5.70498872745e-3),
    np.float32(2.06390887954e-2),
    np.float32(-5.37397155531e-2),
)
_T3, _T4 = np.float32(1.33314422036e-1), np.float32(-3.33332819422e-1)
_NEAR = np.float32(0.625)
_HALF, _ONE, _TWO = np.float32(0.5), np.float32(1), np.float32(2)


@compiled
def place(places: Any, value: int, step: int, offset: int) -> int:
    """Where a value of a step begins."""
    found: int = places[value, 0] + step * places[value, 1] + offset
    return found


@compiled
def operate(operation: Any, values: Any, places: Any, step: int, offset: int, size: int) -> None:
    """Compute the result of an operation, of `size` numbers."""
    to = place(places, operation[1], step, offset)
    result = values[to : to + size]
    at = place(places, operation[2], step, offset)
    one = values[at : at + size]
    if operation[0] < _SUM:
        if at != to:
            result[:] = one
        _activate(operation[0], result)
        return
    at = place(places, operation[3], step, offset)
    two = values[at : at + size]
    if operation[0] == _SUM:
        for q in range(size):
            result[q] = one[q] + two[q]
    elif operation[0] == _PRODUCT:
        for q in range(size):
            result[q] = one[q] * two[q]
    else:
        at = place(places, operation[4], step, offset)
        three = values[at : at + size]
        for q in range(size):
            result[q] = one[q] * two[q] + (three[q] - one[q] * three[q])


@compiled
def _activate(number: int, values: Any) -> None:
    """In place: loops over two arrays that are one are not vectorised."""
    if number == _TANH:
        _tanh(values)
    elif number == _SIGMOID:
        _sigmoid(values)
    else:
        slope = values.dtype.type(_LEAK)
        for q in range(len(values)):
            values[q] = values[q] if values[q] > 0 else values[q] * slope


@compiled
def operate_back(
    operation: Any,
    values: Any,
    places: Any,
    slopes: Any,
    slope_places: Any,
    step: int,
    here: int,
    offset: int,
    size: int,
) -> None:
    """Add to the gradients of an operation's inputs."""
    at = place(slope_places, operation[1], here, offset)
    slope = slopes[at : at + size]
    at = place(slope_places, operation[2], here, offset)
    to_one = slopes[at : at + size]
    if operation[0] < _SUM:
        at = place(places, operation[1], step, offset)
        _activation_back(operation[0], values[at : at + size], slope, to_one)
        return
    at = place(places, operation[2], step, offset)
    one = values[at : at + size]
    at = place(places, operation[3], step, offset)
    two = values[at : at + size]
    at = place(slope_places, operation[3], here, offset)
    to_two = slopes[at : at + size]
    if operation[0] == _SUM:
        for q in range(size):
            to_one[q] += slope[q]
        for q in range(size):
            to_two[q] += slope[q]
    elif operation[0] == _PRODUCT:
        for q in range(size):
            to_one[q] += slope[q] * two[q]
        for q in range(size):
            to_two[q] += slope[q] * one[q]
    else:
        at = place(places, operation[4], step, offset)
        three = values[at : at + size]
        at = place(slope_places, operation[4], here, offset)
        to_three = slopes[at : at + size]
        for q in range(size):
            to_one[q] += slope[q] * (two[q] - three[q])
        for q in range(size):
            to_two[q] += slope[q] * one[q]
        for q in range(size):
            to_three[q] += slope[q] - slope[q] * one[q]


@compiled
def _activation_back(number: int, result: Any, slope: Any, to_one: Any) -> None:
    """All three say by their result how steep they are."""
    if number == _TANH:
        for q in range(len(result)):
            to_one[q] += slope[q] - slope[q] * result[q] * result[q]
    elif number == _SIGMOID:
        for q in range(len(result)):
            to_one[q] += slope[q] * (result[q] - result[q] * result[q])
    else:
        share = result.dtype.type(_LEAK)
        for q in range(len(result)):
            to_one[q] += slope[q] if result[q] > 0 else slope[q] * share


@compiled
def _sigmoid(values: Any) -> None:
    if values.itemsize == 8:
        for q in range(len(values)):
            values[q] = 1 / (1 + np.exp(-values[q]))
    else:
        for q in range(len(values)):
            values[q] = _ONE / (_ONE + _exp(-np.float32(values[q])))


@compiled
def _tanh(values: Any) -> None:
    if values.itemsize == 8:
        for q in range(len(values)):
            values[q] = np.tanh(values[q])
    else:
        for q in range(len(values)):
            x = np.float32(values[q])
            square = x * x
            near = (((_T0 * square + _T1) * square + _T2) * square + _T3) * square + _T4
            far = _ONE - _TWO / (_exp(_TWO * abs(x)) + _ONE)
            far = -far if x < 0 else far
            values[q] = x + x * square * near if abs(x) < _NEAR else far


def _write_number(_: Any, bits: Any) -> Any:
    """The number of single precision that has these bits."""
    del bits

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


_from_bits: Callable[..., Any] = intrinsic(_write_number)


@compiled
def _exp(x: Any) -> Any:
    """As 2^n times what is left: n goes straight into the bits of the exponent."""
    x = _SMALLEST if x < _SMALLEST else x
    x = _LARGEST if x > _LARGEST else x
    whole = np.int32(x * _LOG2_E + (_HALF if x > 0 else -_HALF))
    n = np.float32(whole)
    rest = (x - n * _LN2_HIGH) - n * _LN2_LOW
    part = ((((_E0 * rest + _E1) * rest + _E2) * rest + _E3) * rest + _E4) * rest + _E5
    power = part * rest * rest + rest + _ONE
    return power * _from_bits((whole + np.int32(127)) << np.int32(23))
