"""Compiled loops of sums over pixels.

They are kept in double precision, each of their parts in that of the image.
"""

from __future__ import annotations

from typing import Any

from emonas.networks.fused_cells.layout import BORDER, compiled

_BLOCK = 1024
"""So many pixels of a dozen channels stay in the fastest cache."""


@compiled
def add_products(left: Any, first: int, right: Any, results: Any) -> None:
    """Add the sums over pixels of left right^T, image by image: the channels from `first` on of
    laid images, and those of others, to (images, left channels, right channels).
    """
    count, channels, height, wide = right.shape
    zero = right.dtype.type(0)
    low, high = BORDER * wide + BORDER, (height - BORDER - 1) * wide + BORDER
    some = results.shape[1]
    for n in range(count):
        lefts, rights = left[n].reshape(len(left[n]), -1), right[n].reshape(channels, -1)
        for begin in range(low, high, _BLOCK):
            end = min(begin + _BLOCK, high)
            # Three by two at a time: each line is then read once for several products. What is
            # beyond the last channel is the last one again, and not added.
            for i in range(0, some, 2):
                more = min(i + 1, some - 1)
                one, two = lefts[first + i, begin:end], lefts[first + more, begin:end]
                for j in range(0, channels, 3):
                    k, m = min(j + 1, channels - 1), min(j + 2, channels - 1)
                    a, b, d = rights[j, begin:end], rights[k, begin:end], rights[m, begin:end]
                    s0, s1, s2, s3, s4, s5 = zero, zero, zero, zero, zero, zero
                    for q in range(len(one)):
                        s0 += one[q] * a[q]
                        s1 += one[q] * b[q]
                        s2 += one[q] * d[q]
                        s3 += two[q] * a[q]
                        s4 += two[q] * b[q]
                        s5 += two[q] * d[q]
                    results[n, i, j] += s0
                    if k > j:
                        results[n, i, k] += s1
                    if m > k:
                        results[n, i, m] += s2
                    if more > i:
                        results[n, more, j] += s3
                        if k > j:
                            results[n, more, k] += s4
                        if m > k:
                            results[n, more, m] += s5


@compiled
def add_squares(laid: Any, sums: Any, results: Any) -> None:
    """Add the sums over pixels of every channel, and those of an image's products with itself,
    image by image, to (images, channels) and (images, channels, channels).
    """
    count, channels, height, wide = laid.shape
    zero = laid.dtype.type(0)
    low, high = BORDER * wide + BORDER, (height - BORDER - 1) * wide + BORDER
    for n in range(count):
        image = laid[n].reshape(channels, -1)
        for begin in range(low, high, _BLOCK):
            end = min(begin + _BLOCK, high)
            for i in range(0, channels, 2):
                more = min(i + 1, channels - 1)
                one, two = image[i, begin:end], image[more, begin:end]
                s0, s1, s2, s3, s4 = zero, zero, zero, zero, zero
                for q in range(len(one)):
                    s0 += one[q]
                    s1 += two[q]
                    s2 += one[q] * one[q]
                    s3 += one[q] * two[q]
                    s4 += two[q] * two[q]
                sums[n, i] += s0
                results[n, i, i] += s2
                if more > i:
                    sums[n, more] += s1
                    results[n, i, more] += s3
                    results[n, more, more] += s4
                for j in range(i + 2, channels, 2):
                    k = min(j + 1, channels - 1)
                    a, b = image[j, begin:end], image[k, begin:end]
                    s0, s1, s2, s3 = zero, zero, zero, zero
                    for q in range(len(one)):
                        s0 += one[q] * a[q]
                        s1 += one[q] * b[q]
                        s2 += two[q] * a[q]
                        s3 += two[q] * b[q]
                    results[n, i, j] += s0
                    results[n, more, j] += s2
                    if k > j:
                        results[n, i, k] += s1
                        results[n, more, k] += s3
        for i in range(channels):
            for j in range(i):
                results[n, i, j] = results[n, j, i]


@compiled
def add_sums(images: Any, results: Any) -> None:
    """Add the sum over pixels of every channel: (images, channels, ...) to (images, channels)."""
    count, channels, height, _ = images.shape
    zero = images.dtype.type(0)
    for n in range(count):
        for c in range(channels):
            for h in range(height):
                row, total = images[n, c, h], zero
                for q in range(len(row)):
                    total += row[q]
                results[n, c] += total


@compiled
def add_channel_products(left: Any, right: Any, results: Any) -> None:
    """Add the sum over pixels of left times right, channel by channel."""
    count, channels, height, _ = left.shape
    zero = left.dtype.type(0)
    for n in range(count):
        for c in range(channels):
            for h in range(height):
                one, other, total = left[n, c, h], right[n, c, h], zero
                for q in range(len(one)):
                    total += one[q] * other[q]
                results[n, c] += total


@compiled
def add_scaled(images: Any, scales: Any, mixed: Any) -> None:
    """Add images, each channel times its scale."""
    count, channels, _, _ = images.shape
    for n in range(count):
        for c in range(channels):
            image, result = images[n, c].reshape(-1), mixed[n, c].reshape(-1)
            for q in range(len(image)):
                result[q] += scales[c] * image[q]
