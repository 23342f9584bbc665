"""Compiled loops of pooling, three by three, at stride 1 or 2, over images (images, channels, rows,
columns).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from emonas.networks.fused_cells.layout import compiled


@compiled
def max_pool(images: Any, pooled: Any, stride: int) -> None:
    """The largest of what is inside the image."""
    count, channels, rows, columns = images.shape
    line = np.empty(columns + 3, images.dtype)
    for n in range(count):
        for c in range(channels):
            for h in range(pooled.shape[2]):
                line[:] = -np.inf
                # Beyond the border the nearest row stands in: it is in the window anyway.
                top, bottom = max(h * stride - 1, 0), min(h * stride + 1, rows - 1)
                one, two, three = images[n, c, top], images[n, c, h * stride], images[n, c, bottom]
                inside = line[1:]
                for q in range(columns):
                    inside[q] = max(one[q], two[q], three[q])
                result = pooled[n, c, h]
                if stride == 1:
                    for q in range(columns):
                        result[q] = max(line[q], line[q + 1], line[q + 2])
                else:
                    for q in range(len(result)):
                        at = q * stride
                        result[q] = max(line[at], line[at + 1], line[at + 2])


@compiled
def max_pool_back(images: Any, pooled: Any, slopes: Any, to_images: Any, stride: int) -> None:
    """Add each slope to the first of its window that is the largest."""
    count, channels, rows, columns = images.shape
    wide, zero = pooled.shape[3], images.dtype.type(0)
    # One row of the image, at stride 2 its even pixels apart from its odd ones; nothing is as large
    # as what is beyond the border is small.
    line, even = np.empty(columns + 2, images.dtype), np.empty(wide, images.dtype)
    odd, free = np.empty(wide + 1, images.dtype), np.empty(wide, images.dtype)
    to_left, to_right = np.zeros(wide + 2, images.dtype), np.zeros(wide + 2, images.dtype)
    to_centre = np.zeros(wide + 2, images.dtype)
    line[:], odd[:] = -np.inf, -np.inf
    for n in range(count):
        for c in range(channels):
            for h in range(pooled.shape[2]):
                free[:] = 1
                largest, given = pooled[n, c, h], slopes[n, c, h]
                for row in range(max(h * stride - 1, 0), min(h * stride + 2, rows)):
                    image, result = images[n, c, row], to_images[n, c, row]
                    left, centre, right = _columns(image, line, even, odd, stride)
                    lefts, centres, rights = to_left[1:], to_centre[1:], to_right[1:]
                    for q in range(wide):
                        still = free[q]
                        one = still if left[q] == largest[q] else zero
                        still -= one
                        two = still if centre[q] == largest[q] else zero
                        still -= two
                        three = still if right[q] == largest[q] else zero
                        free[q] = still - three
                        lefts[q] = one * given[q]
                        centres[q] = two * given[q]
                        rights[q] = three * given[q]
                    if stride == 1:
                        for q in range(columns):
                            result[q] += to_left[q + 2] + to_centre[q + 1] + to_right[q]
                    else:
                        for q in range(columns // 2):
                            result[2 * q] += to_centre[q + 1]
                            result[2 * q + 1] += to_left[q + 2] + to_right[q + 1]
                        if columns % 2 > 0:
                            result[columns - 1] += to_centre[wide]


@njit(nogil=True)
def _columns(image: Any, line: Any, even: Any, odd: Any, stride: int) -> Any:
    """What every window of a row has at its left, at its centre, at its right."""
    wide = len(even)
    if stride == 1:
        inside = line[1:]
        for q in range(len(image)):
            inside[q] = image[q]
        return line[:wide], line[1 : wide + 1], line[2:]
    for q in range(wide):
        even[q] = image[2 * q]
    inside = odd[1:]
    for q in range(len(image) // 2):
        inside[q] = image[2 * q + 1]
    return odd[:wide], even[:wide], odd[1:]


@compiled
def mean_pool(images: Any, pooled: Any, stride: int) -> None:
    """The mean of what is inside the image."""
    count, channels, rows, columns = images.shape
    line = np.zeros(columns + 3, images.dtype)
    shares = _column_shares(pooled[0, 0, 0], columns, stride)
    for n in range(count):
        for c in range(channels):
            for h in range(pooled.shape[2]):
                top, bottom = max(h * stride - 1, 0), min(h * stride + 2, rows)
                line[:] = 0
                inside = line[1:]
                for row in range(top, bottom):
                    image = images[n, c, row]
                    for q in range(columns):
                        inside[q] += image[q]
                result = pooled[n, c, h]
                share = images.dtype.type(1 / (bottom - top))
                if stride == 1:
                    for q in range(columns):
                        result[q] = (line[q] + line[q + 1] + line[q + 2]) * shares[q] * share
                else:
                    for q in range(len(result)):
                        at = q * stride
                        total = line[at] + line[at + 1] + line[at + 2]
                        result[q] = total * shares[q] * share


@compiled
def mean_pool_back(slopes: Any, to_images: Any, stride: int) -> None:
    """Add each slope to its window in equal parts."""
    count, channels, rows, columns = to_images.shape
    line = np.zeros(columns + 3, slopes.dtype)
    shares = _column_shares(slopes[0, 0, 0], columns, stride)
    for n in range(count):
        for c in range(channels):
            for h in range(slopes.shape[2]):
                top, bottom = max(h * stride - 1, 0), min(h * stride + 2, rows)
                slope, share = slopes[n, c, h], slopes.dtype.type(1 / (bottom - top))
                line[:] = 0
                for j in range(3):
                    shifted = line[j:]
                    if stride == 1:
                        for q in range(len(shares)):
                            shifted[q] += slope[q] * shares[q] * share
                    else:
                        for q in range(len(shares)):
                            shifted[q * stride] += slope[q] * shares[q] * share
                inside = line[1:]
                for row in range(top, bottom):
                    image = to_images[n, c, row]
                    for q in range(columns):
                        image[q] += inside[q]


@njit
def _column_shares(like: Any, columns: int, stride: int) -> Any:
    """One over the number of columns that are inside the image, for each window of a row."""
    shares = np.empty(like.shape, like.dtype)
    for q in range(len(shares)):
        shares[q] = 1 / (min(q * stride + 2, columns) - max(q * stride - 1, 0))
    return shares
