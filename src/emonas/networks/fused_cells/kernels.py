"""Compiled loops over the planes of one image, (channels, time, features).

They are in one file because a compiled loop is kept on disk until its own file changes. A padded
image is (channels, stride, rows, columns): its columns are dealt out by their number modulo the
stride, so that a strided convolution reads neighbours too. Sums over a plane are kept in double
precision, each of its parts (a row, or some rows) in that of the image. What a `make_` function is
given is known when its loop is compiled, so that all terms of a sum stand in one expression.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

BORDER = 4
"""Zeros around a padded image, and around a slope: as far as a dilated kernel of 5 reaches."""

_BLOCK = 2048
"""So many pixels of a few planes stay in the fastest cache."""

_TERMS = 24
"""More products in one expression are not compiled well."""


class Kernel(NamedTuple):
    """A depthwise convolution: how many taps on a side, how far apart, and its stride."""

    taps: int
    dilation: int
    stride: int

    @property
    def reach(self) -> int:
        """How many pixels beyond the centre it reads."""
        return self.dilation * (self.taps // 2)


def compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """Compile on first use, and keep the result on disk.

    Sums may be taken in any order, and a product with a sum in one rounding.
    """
    flags = {"reassoc", "contract", "nsz", "arcp"}
    made: Callable[..., None] = njit(fastmath=flags, nogil=True, cache=True)(loop)
    return made


@compiled
def pad_rectified(image: Any, padded: Any, stride: int) -> None:
    """Put the positive part of an image into a padded one, whose border is zero."""
    channels, rows, columns = image.shape
    for c in range(channels):
        for h in range(rows):
            if stride == 1:
                for q in range(columns):
                    padded[c, 0, h + BORDER, q + BORDER] = max(image[c, h, q], image[c, h, q] * 0)
            else:
                for q in range(columns):
                    at = q + BORDER
                    value = image[c, h, q]
                    padded[c, at % stride, h + BORDER, at // stride] = max(value, value * 0)


@compiled
def add_unpadded(padded: Any, rectified: Any, image: Any, stride: int) -> None:
    """Add what stands in a padded image where the rectified one is positive."""
    channels, rows, columns = image.shape
    for c in range(channels):
        for h in range(rows):
            if stride == 1:
                for q in range(columns):
                    value = padded[c, 0, h + BORDER, q + BORDER]
                    positive = rectified[c, 0, h + BORDER, q + BORDER] > 0
                    image[c, h, q] += value if positive else value * 0
            else:
                for q in range(columns):
                    at = q + BORDER
                    if rectified[c, at % stride, h + BORDER, at // stride] > 0:
                        image[c, h, q] += padded[c, at % stride, h + BORDER, at // stride]


@cache
def make_convolve(kernel: Kernel) -> Callable[..., None]:
    """Loop `convolve(padded, weights, image)`; weights are (channels, taps, taps)."""
    taps, dilation, stride = kernel
    first = BORDER - kernel.reach
    # The first column, and the phase in which it stands. Compilers vectorise `q + skipped + more`,
    # and do not where the two constants are added first.
    skipped, phase = first // stride, first % stride

    @compiled
    def convolve(padded: Any, weights: Any, image: Any) -> None:
        channels, rows, columns = image.shape
        for c in range(channels):
            for h in range(rows):
                for q in range(columns):
                    total = weights[c, 0, 0] * padded[c, phase, h * stride + first, q + skipped]
                    for i in range(taps):
                        for j in range(taps):
                            if i + j > 0:
                                at = phase + j * dilation
                                row = h * stride + first + i * dilation
                                column = q + skipped + at // stride
                                total += weights[c, i, j] * padded[c, at % stride, row, column]
                    image[c, h, q] = total

    return convolve


@cache
def make_gather(kernel: Kernel) -> Callable[..., None]:
    """Loop `gather(slope, weights, padded)`: add the gradient of what a convolution of stride 1
    reads.
    """
    taps, dilation, last = kernel.taps, kernel.dilation, kernel.taps - 1
    skipped = BORDER - kernel.reach

    @compiled
    def gather(slope: Any, weights: Any, padded: Any) -> None:
        channels, rows, columns = slope.shape
        for c in range(channels):
            for h in range(rows - 2 * BORDER):
                for q in range(columns - 2 * BORDER):
                    total = padded[c, 0, h + BORDER, q + BORDER]
                    for i in range(taps):
                        for j in range(taps):
                            total += (
                                weights[c, last - i, last - j]
                                * slope[c, h + skipped + i * dilation, q + skipped + j * dilation]
                            )
                    padded[c, 0, h + BORDER, q + BORDER] = total

    return gather


@compiled
def scatter(slope: Any, weights: Any, padded: Any, dilation: int, stride: int) -> None:
    """As `gather`, for any stride; what it adds to the border of `padded` means nothing."""
    channels, taps, _ = weights.shape
    first = BORDER - dilation * (taps // 2)
    rows, columns = slope.shape[1] - 2 * BORDER, slope.shape[2] - 2 * BORDER
    for c in range(channels):
        for h in range(rows):
            given = slope[c, h + BORDER, BORDER : BORDER + columns]
            for i in range(taps):
                for j in range(taps):
                    column = first + j * dilation
                    skipped = column // stride
                    line = padded[c, column % stride, h * stride + first + i * dilation]
                    line = line[skipped : skipped + columns]
                    weight = weights[c, i, j]
                    for q in range(columns):
                        line[q] += weight * given[q]


@compiled
def correlate(padded: Any, slope: Any, to_weights: Any, dilation: int) -> None:
    """Add the gradient of the weights of a convolution of stride 1.

    Image and slope have the same border, and the slope's is zero: a tap is one product of the two
    in a piece, one of them further on.
    """
    channels, taps, _ = to_weights.shape
    _, rows, columns = slope.shape
    zero = slope[0, 0, 0] * 0
    images, slopes = padded.reshape(channels, -1), slope.reshape(channels, -1)
    first = BORDER * columns + BORDER
    last = rows * columns - first
    for c in range(channels):
        for begin in range(first, last, _BLOCK):
            end = min(begin + _BLOCK, last)
            given = slopes[c, begin:end]
            for i in range(taps):
                for j in range(taps):
                    shift = dilation * ((i - taps // 2) * columns + j - taps // 2)
                    line = images[c, begin + shift : end + shift]
                    part = zero
                    for q in range(end - begin):
                        part += given[q] * line[q]
                    to_weights[c, i, j] += part


@compiled
def correlate_strided(padded: Any, slope: Any, to_weights: Any, dilation: int, stride: int) -> None:
    """As `correlate`, for any stride."""
    channels, taps, _ = to_weights.shape
    first = BORDER - dilation * (taps // 2)
    rows, columns = slope.shape[1] - 2 * BORDER, slope.shape[2] - 2 * BORDER
    zero = slope[0, 0, 0] * 0
    for c in range(channels):
        for h in range(rows):
            given = slope[c, h + BORDER, BORDER : BORDER + columns]
            for i in range(taps):
                for j in range(taps):
                    column = first + j * dilation
                    skipped = column // stride
                    line = padded[c, column % stride, h * stride + first + i * dilation]
                    line = line[skipped : skipped + columns]
                    part = zero
                    for q in range(columns):
                        part += given[q] * line[q]
                    to_weights[c, i, j] += part


@cache
def make_map(channels: int) -> Callable[..., None]:
    """Loop `rectified_map(image, matrix, offset, padded)`: the positive part of matrix @ image +
    offset, padded at stride 1.
    """

    @compiled
    def rectified_map(image: Any, matrix: Any, offset: Any, padded: Any) -> None:
        _, rows, columns = image.shape
        for h in range(rows):
            for o in range(channels):
                for q in range(columns):
                    total = offset[o]
                    for c in range(channels):
                        total += matrix[o, c] * image[c, h, q]
                    padded[o, 0, h + BORDER, q + BORDER] = max(total, total * 0)

    return rectified_map


@cache
def make_slope(channels: int) -> Callable[..., None]:
    """Loop `whole_slope(given, back, image, matrix, offset, slope)`: the gradient of an image,
    which is back @ given from behind, and matrix @ image + offset through its moments.
    """
    block = _divisor(channels, _TERMS // 2)

    @compiled
    def whole_slope(
        given: Any, back: Any, image: Any, matrix: Any, offset: Any, slope: Any
    ) -> None:
        _, rows, columns = image.shape
        for h in range(rows):
            for o in range(channels):
                for q in range(columns):
                    slope[o, h + BORDER, q + BORDER] = offset[o]
                for begin in range(0, channels, block):
                    for q in range(columns):
                        total = slope[o, h + BORDER, q + BORDER]
                        for more in range(block):
                            c = begin + more
                            total += back[o, c] * given[c, h, q] + matrix[o, c] * image[c, h, q]
                        slope[o, h + BORDER, q + BORDER] = total

    return whole_slope


@cache
def make_mix(channels: int) -> Callable[..., None]:
    """Loop `mix(one, two, three, four, matrices, offset, mixed)`: the sum of matrices @ images and
    the offset.
    """
    block = _divisor(channels, _TERMS // 4)

    @compiled
    def mix(
        one: Any, two: Any, three: Any, four: Any, matrices: Any, offset: Any, mixed: Any
    ) -> None:
        _, rows, columns = mixed.shape
        for h in range(rows):
            for o in range(channels):
                for q in range(columns):
                    mixed[o, h, q] = offset[o]
                for begin in range(0, channels, block):
                    for q in range(columns):
                        total = mixed[o, h, q]
                        for more in range(block):
                            c = begin + more
                            total += (
                                matrices[0, o, c] * one[c, h, q]
                                + matrices[1, o, c] * two[c, h, q]
                                + matrices[2, o, c] * three[c, h, q]
                                + matrices[3, o, c] * four[c, h, q]
                            )
                        mixed[o, h, q] = total

    return mix


def _divisor(number: int, most: int) -> int:
    """The largest divisor that is not above `most`."""
    return max(each for each in range(1, min(number, most) + 1) if number % each == 0)


@compiled
def add_scaled(image: Any, scales: Any, mixed: Any) -> None:
    """Add an image, each channel times its scale."""
    channels, rows, columns = image.shape
    for c in range(channels):
        for h in range(rows):
            for q in range(columns):
                mixed[c, h, q] += scales[c] * image[c, h, q]


@compiled
def products(left: Any, right: Any, results: Any) -> None:
    """Add the sum over pixels of left right^T, (left channels, right channels)."""
    zero = left[0, 0, 0] * 0
    lefts, rights = left.reshape(len(left), -1), right.reshape(len(right), -1)
    for begin in range(0, lefts.shape[1], _BLOCK):
        end = min(begin + _BLOCK, lefts.shape[1])
        for i in range(len(lefts)):
            one = lefts[i, begin:end]
            j = 0
            # Four at a time: the left one is then read once for all of them.
            while j + 3 < len(rights):
                a, b = rights[j, begin:end], rights[j + 1, begin:end]
                c, d = rights[j + 2, begin:end], rights[j + 3, begin:end]
                s0, s1, s2, s3 = zero, zero, zero, zero
                for q in range(len(one)):
                    s0 += one[q] * a[q]
                    s1 += one[q] * b[q]
                    s2 += one[q] * c[q]
                    s3 += one[q] * d[q]
                results[i, j] += s0
                results[i, j + 1] += s1
                results[i, j + 2] += s2
                results[i, j + 3] += s3
                j += 4
            while j < len(rights):
                a = rights[j, begin:end]
                s0 = zero
                for q in range(len(one)):
                    s0 += one[q] * a[q]
                results[i, j] += s0
                j += 1


@compiled
def sums(image: Any, results: Any) -> None:
    """Add the sum over pixels of every channel."""
    channels, rows, columns = image.shape
    zero = image[0, 0, 0] * 0
    for c in range(channels):
        for h in range(rows):
            total = zero
            for q in range(columns):
                total += image[c, h, q]
            results[c] += total


@compiled
def channel_products(left: Any, right: Any, results: Any) -> None:
    """Add the sum over pixels of left times right, channel by channel."""
    channels, rows, columns = left.shape
    zero = left[0, 0, 0] * 0
    for c in range(channels):
        for h in range(rows):
            total = zero
            for q in range(columns):
                total += left[c, h, q] * right[c, h, q]
            results[c] += total


@compiled
def max_pool(image: Any, pooled: Any, stride: int) -> None:
    """The largest of three by three, of what is inside the image."""
    channels, rows, columns = image.shape
    line = np.empty(columns + 3, image.dtype)
    for c in range(channels):
        for h in range(pooled.shape[1]):
            line[:] = -np.inf
            # Beyond the border the nearest row stands in: it is in the window anyway.
            top, bottom = max(h * stride - 1, 0), min(h * stride + 1, rows - 1)
            for q in range(columns):
                line[q + 1] = max(image[c, top, q], image[c, h * stride, q], image[c, bottom, q])
            for q in range(pooled.shape[2]):
                at = q * stride
                pooled[c, h, q] = max(line[at], line[at + 1], line[at + 2])


@compiled
def max_pool_back(image: Any, pooled: Any, slope: Any, to_image: Any, stride: int) -> None:
    """Add each slope to the first of its window that is the largest."""
    channels, rows, columns = image.shape
    wide, zero = pooled.shape[2], image[0, 0, 0] * 0
    free = np.empty(wide, image.dtype)
    for c in range(channels):
        for h in range(pooled.shape[1]):
            free[:] = 1
            for i in range(-1, 2):
                row = h * stride + i
                if 0 <= row < rows:
                    for j in range(-1, 2):
                        # The windows that have this column inside the image.
                        first = 1 if j < 0 else 0
                        last = wide - 1 if (wide - 1) * stride + j >= columns else wide
                        largest, given = pooled[c, h, first:last], slope[c, h, first:last]
                        open_ones = free[first:last]
                        if stride == 1:
                            line = image[c, row, first + j : last + j]
                            result = to_image[c, row, first + j : last + j]
                            for q in range(last - first):
                                hit = open_ones[q] if line[q] == largest[q] else zero
                                open_ones[q] -= hit
                                result[q] += hit * given[q]
                        else:
                            for q in range(last - first):
                                column = (first + q) * stride + j
                                if open_ones[q] > 0 and image[c, row, column] == largest[q]:
                                    open_ones[q] = 0
                                    to_image[c, row, column] += given[q]


@compiled
def mean_pool(image: Any, pooled: Any, stride: int) -> None:
    """The mean of three by three, of what is inside the image."""
    channels, rows, columns = image.shape
    line = np.zeros(columns + 3, image.dtype)
    shares = _column_shares(pooled[0, 0], columns, stride)
    for c in range(channels):
        for h in range(pooled.shape[1]):
            top, bottom = max(h * stride - 1, 0), min(h * stride + 2, rows)
            line[:] = 0
            for row in range(top, bottom):
                for q in range(columns):
                    line[q + 1] += image[c, row, q]
            for q in range(len(shares)):
                at = q * stride
                total = line[at] + line[at + 1] + line[at + 2]
                pooled[c, h, q] = total * shares[q] / (bottom - top)


@compiled
def mean_pool_back(slope: Any, to_image: Any, stride: int) -> None:
    """Add each slope to its window in equal parts."""
    channels, rows, columns = to_image.shape
    line = np.zeros(columns + 3, slope.dtype)
    shares = _column_shares(slope[0, 0], columns, stride)
    for c in range(channels):
        for h in range(slope.shape[1]):
            top, bottom = max(h * stride - 1, 0), min(h * stride + 2, rows)
            line[:] = 0
            for j in range(3):
                for q in range(len(shares)):
                    line[q * stride + j] += slope[c, h, q] * shares[q] / (bottom - top)
            for row in range(top, bottom):
                for q in range(columns):
                    to_image[c, row, q] += line[q + 1]


@njit
def _column_shares(like: Any, columns: int, stride: int) -> Any:
    """One over the number of columns that are inside the image, for each window of a row."""
    shares = np.empty(like.shape, like.dtype)
    for q in range(len(shares)):
        shares[q] = 1 / (min(q * stride + 2, columns) - max(q * stride - 1, 0))
    return shares
