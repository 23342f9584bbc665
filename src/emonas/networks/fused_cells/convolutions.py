"""Compiled loops of depthwise convolutions, and of their gradients.

What a `make_` function is given is known when its loop is compiled, so that all terms of a sum
stand in one expression.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from emonas.networks.fused_cells.layout import BORDER, clear_between, compiled

_BLOCK = 4096
"""So many pixels of some lines stay in the fastest cache."""


class Kernel(NamedTuple):
    """A depthwise convolution: how many taps on a side, how far apart, and its stride."""

    taps: int
    dilation: int
    stride: int

    @property
    def reach(self) -> int:
        """How many pixels beyond the centre it reads."""
        return self.dilation * (self.taps // 2)

    @property
    def simplest(self) -> Kernel:
        """What it is of the parts that it reads, of which there are `stride^2`: where its dilation
        skips as many pixels as its stride does, one part at stride 1.
        """
        taps, dilation, stride = self
        return self if dilation % stride else Kernel(taps, dilation // stride, 1)

    @property
    def first(self) -> int:
        """Where its first tap stands, counted from the border of a dealt image."""
        return BORDER * self.stride - self.reach


@cache
def make_convolve(kernel: Kernel) -> Callable[..., None]:
    """Loop `convolve(dealt, start, weights, laid)` of the dealt images from `start` on; weights are
    (channels, taps, taps).
    """
    taps, dilation, stride = kernel
    # The tap's first place, and the part in which it stands. Compilers vectorise `q + skipped +
    # more`, and do not where the two constants are added first.
    skipped, part = kernel.first // stride, kernel.first % stride

    @compiled
    def convolve(dealt: Any, start: int, weights: Any, laid: Any) -> None:
        count, channels, height, wide = laid.shape
        for n in range(count):
            for c in range(channels):
                result = laid[n, c]
                for q in range((height - 2 * BORDER - 1) * wide):
                    total = (
                        weights[c, 0, 0]
                        * dealt[part * stride + part, start + n, c, skipped, q + skipped]
                    )
                    for i in range(taps):
                        for j in range(taps):
                            if i + j > 0:
                                down, right = part + i * dilation, part + j * dilation
                                total += (
                                    weights[c, i, j]
                                    * dealt[
                                        down % stride * stride + right % stride,
                                        start + n,
                                        c,
                                        skipped + down // stride,
                                        q + skipped + right // stride,
                                    ]
                                )
                    result[BORDER, q + BORDER] = total
            clear_between(laid[n])

    return convolve


@cache
def make_gather(kernel: Kernel) -> Callable[..., None]:
    """Loop `gather(slopes, weights, dealt)`: add the gradient of what a convolution reads."""
    parts = [
        _make_gather_part(kernel, down, right)
        for down in range(kernel.stride)
        for right in range(kernel.stride)
    ]

    def gather(slopes: Any, weights: Any, dealt: Any) -> None:
        for part in parts:
            part(slopes, weights, dealt)

    return gather


def _make_gather_part(kernel: Kernel, down: int, right: int) -> Callable[..., None]:
    """Of one part of the dealt image."""
    taps, dilation, stride = kernel
    last, number = taps - 1, down * stride + right
    # The taps in their reverse order, each where it reads the part.
    above, left = (kernel.first + side for side in (down, right))
    skipped_rows, more_rows = above // stride, above % stride
    skipped, more = left // stride, left % stride

    @compiled
    def gather_part(slopes: Any, weights: Any, dealt: Any) -> None:
        count, channels, height, wide = slopes.shape
        for n in range(count):
            for c in range(channels):
                slope, result = slopes[n, c], dealt[number, n, c]
                for q in range((height - 2 * BORDER - 1) * wide):
                    total = result[BORDER, q + BORDER]
                    for i in range(taps):
                        for j in range(taps):
                            row, column = more_rows + i * dilation, more + j * dilation
                            if row % stride == 0 and column % stride == 0:
                                total += (
                                    weights[c, last - i, last - j]
                                    * slope[
                                        skipped_rows + row // stride,
                                        q + skipped + column // stride,
                                    ]
                                )
                    result[BORDER, q + BORDER] = total

    return gather_part


@cache
def make_correlate(kernel: Kernel) -> Callable[..., None]:
    """Loop `correlate(dealt, start, slopes, to_weights)`: add the gradient of the weights, of every
    image by itself, (images, channels, taps, taps); of the dealt ones those from `start` on.
    """
    taps, dilation, stride = kernel
    skipped, part = kernel.first // stride, kernel.first % stride
    # Where the taps of a row stand; of three, the last two are not asked for.
    parts = [(part + j * dilation) % stride for j in range(5)]
    places = [skipped + (part + j * dilation) // stride for j in range(taps)]
    part0, part1, part2, part3, part4 = parts
    at0, at1, at2, at3, at4 = (*places, *places[: 5 - taps])

    @compiled
    def correlate(dealt: Any, start: int, slopes: Any, to_weights: Any) -> None:
        count, channels, height, wide = slopes.shape
        pixels = (height - 2 * BORDER - 1) * wide
        zero = slopes.dtype.type(0)
        flat = dealt.reshape(stride * stride, dealt.shape[1], channels, -1)
        for n in range(count):
            for c in range(channels):
                slope = slopes[n, c].reshape(-1)[BORDER * wide + BORDER :]
                for begin in range(0, pixels, _BLOCK):
                    end = min(begin + _BLOCK, pixels)
                    given = slope[begin:end]
                    for i in range(taps):
                        down = part + i * dilation
                        above = down % stride * stride
                        row = (skipped + down // stride) * wide + begin
                        one = flat[above + part0, start + n, c, row + at0 : row + at0 + end - begin]
                        two = flat[above + part1, start + n, c, row + at1 : row + at1 + end - begin]
                        three = flat[
                            above + part2, start + n, c, row + at2 : row + at2 + end - begin
                        ]
                        s0, s1, s2 = zero, zero, zero
                        if taps == 3:
                            for q in range(end - begin):
                                s0 += given[q] * one[q]
                                s1 += given[q] * two[q]
                                s2 += given[q] * three[q]
                        else:
                            four = flat[
                                above + part3, start + n, c, row + at3 : row + at3 + end - begin
                            ]
                            five = flat[
                                above + part4, start + n, c, row + at4 : row + at4 + end - begin
                            ]
                            s3, s4 = zero, zero
                            for q in range(end - begin):
                                s0 += given[q] * one[q]
                                s1 += given[q] * two[q]
                                s2 += given[q] * three[q]
                                s3 += given[q] * four[q]
                                s4 += given[q] * five[q]
                            to_weights[n, c, i, 3] += s3
                            to_weights[n, c, i, 4] += s4
                        to_weights[n, c, i, 0] += s0
                        to_weights[n, c, i, 1] += s1
                        to_weights[n, c, i, 2] += s2

    return correlate
