"""Compiled loops of pointwise maps of laid images.

Three outputs are made at a time, or two where three do not divide them: what they are made from is
then read once for all. How many inputs stand in one expression is known when a loop is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numba import njit

from emonas.networks.fused_cells.layout import BORDER, clear_between, compiled

_BLOCK = 1024
"""So many pixels of a dozen channels stay in the fastest cache."""

ADDED, FRESH, POSITIVE = 0, 1, 2

_TERMS = 24
"""More products in one expression are not compiled well."""


def make_map(inputs: int) -> Callable[..., None]:
    """Loop `add_map(images, begin, matrix, offset, results, first, how)`: matrix @ images,
    (outputs, inputs) by the channels from `begin` on, as those from `first` on: added to what is
    there (`ADDED`), added to the offset (`FRESH`), or the positive part of that (`POSITIVE`).
    """
    return _make_map(_divisor(inputs, _TERMS // 4))


@cache
def _make_map(block: int) -> Callable[..., None]:
    @compiled
    def add_map(
        images: Any,
        begin: int,
        matrix: Any,
        offset: Any,
        results: Any,
        first: int,
        how: int,
    ) -> None:
        count, channels, height, wide = images.shape
        outputs, together = len(matrix), 3 if len(matrix) % 3 == 0 else 2
        low, high = BORDER * wide + BORDER, (height - BORDER - 1) * wide + BORDER
        for n in range(count):
            image, laid = images[n].reshape(channels, -1), results[n].reshape(len(results[n]), -1)
            for pixel in range(low, high, _BLOCK):
                at, size = max(pixel, 0), min(_BLOCK, high - pixel)
                for o in range(0, outputs, together):
                    p, r = min(o + 1, outputs - 1), min(o + 2, outputs - 1)
                    one, two = laid[first + o, at : at + size], laid[first + p, at : at + size]
                    three = laid[first + r, at : at + size]
                    if how != ADDED:
                        one[:], two[:], three[:] = offset[o], offset[p], offset[r]
                    for before in range(0, len(matrix[0]), block):
                        if together == 3:
                            for q in range(size):
                                s0, s1, s2 = one[q], two[q], three[q]
                                for more in range(block):
                                    c = before + more
                                    s0 += matrix[o, c] * image[begin + c, at + q]
                                    s1 += matrix[p, c] * image[begin + c, at + q]
                                    s2 += matrix[r, c] * image[begin + c, at + q]
                                one[q], two[q], three[q] = s0, s1, s2
                        else:
                            for q in range(size):
                                s0, s1 = one[q], two[q]
                                for more in range(block):
                                    c = before + more
                                    s0 += matrix[o, c] * image[begin + c, at + q]
                                    s1 += matrix[p, c] * image[begin + c, at + q]
                                one[q], two[q] = s0, s1
                _rectify(laid, first, outputs if how == POSITIVE else 0, at, size)
            if how != ADDED:
                clear_between(results[n])

    return add_map


@njit(nogil=True)
def _rectify(laid: Any, first: int, outputs: int, at: int, size: int) -> None:
    zero = laid.dtype.type(0)
    for o in range(outputs):
        line = laid[first + o, at : at + size]
        for q in range(size):
            line[q] = max(line[q], zero)


def make_pair(inputs: int) -> Callable[..., None]:
    """Loop `add_pair(images, matrix, others, other, offset, results, fresh)`: matrix @ images +
    other @ others, added to what is there, or, if `fresh`, to the offset.
    """
    return _make_pair(_divisor(inputs, _TERMS // 8))


@cache
def _make_pair(block: int) -> Callable[..., None]:
    @compiled
    def add_pair(
        images: Any,
        matrix: Any,
        others: Any,
        other: Any,
        offset: Any,
        results: Any,
        fresh: bool,
    ) -> None:
        count, channels, height, wide = images.shape
        outputs, together = len(matrix), 3 if len(matrix) % 3 == 0 else 2
        low, high = BORDER * wide + BORDER, (height - BORDER - 1) * wide + BORDER
        for n in range(count):
            image, more_image = images[n].reshape(channels, -1), others[n].reshape(channels, -1)
            laid = results[n].reshape(channels, -1)
            for pixel in range(low, high, _BLOCK):
                at, size = max(pixel, 0), min(_BLOCK, high - pixel)
                for o in range(0, outputs, together):
                    p, r = min(o + 1, outputs - 1), min(o + 2, outputs - 1)
                    one, two = laid[o, at : at + size], laid[p, at : at + size]
                    three = laid[r, at : at + size]
                    if fresh:
                        one[:], two[:], three[:] = offset[o], offset[p], offset[r]
                    for before in range(0, len(matrix[0]), block):
                        if together == 3:
                            for q in range(size):
                                s0, s1, s2 = one[q], two[q], three[q]
                                for more in range(block):
                                    c = before + more
                                    x, y = image[c, at + q], more_image[c, at + q]
                                    s0 += matrix[o, c] * x + other[o, c] * y
                                    s1 += matrix[p, c] * x + other[p, c] * y
                                    s2 += matrix[r, c] * x + other[r, c] * y
                                one[q], two[q], three[q] = s0, s1, s2
                        else:
                            for q in range(size):
                                s0, s1 = one[q], two[q]
                                for more in range(block):
                                    c = before + more
                                    x, y = image[c, at + q], more_image[c, at + q]
                                    s0 += matrix[o, c] * x + other[o, c] * y
                                    s1 += matrix[p, c] * x + other[p, c] * y
                                one[q], two[q] = s0, s1
            if fresh:
                clear_between(results[n])

    return add_pair


def _divisor(number: int, most: int) -> int:
    """The largest divisor that is not above `most`."""
    return max(each for each in range(1, min(number, most) + 1) if number % each == 0)
