"""Images whose rows stand one behind the other, and compiled loops that lay them so.

A laid image is (channels, BORDER + rows + BORDER + 1, BORDER + columns): pixel (h, q) stands at
[h + BORDER, q + BORDER], and all else is zero. What is left of a row is thus right of the row
before, and a loop runs over all rows at once: `q` counts on into the next rows, because an image is
in one piece. What such a loop leaves between the rows, `clear_between` makes zero again.

Dealt images are stride^2 parts, (stride^2, images, channels, ...), each laid: part i * stride + j
has the pixels (i + h stride, j + q stride), so that a strided convolution reads neighbours too.

All compiled loops take some images of a batch. A number without a point is an integer, and a
float32 times an integer is a double: hence `dtype.type(0)`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

from emonas.networks.source_stamp import stamp_loop

BORDER = 4
"""Zeros around a laid image: as far as a dilated kernel of 5 reaches."""


def laid_size(rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns of a laid image."""
    return rows + 2 * BORDER + 1, columns + BORDER


def compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """Compile on first use, and keep the result on disk until any file beside this one changes.

    Sums may be taken in any order, and a product with a sum in one rounding.
    """
    stamp_loop(loop, Path(__file__).parent)
    flags = {"reassoc", "contract", "nsz", "arcp"}
    made: Callable[..., None] = njit(fastmath=flags, nogil=True, cache=True)(loop)
    return made


@compiled
def lay(images: Any, laid: Any) -> None:
    """Put (images, channels, rows, columns) between borders, which are zero already."""
    count, channels, rows, columns = images.shape
    for n in range(count):
        for c in range(channels):
            for h in range(rows):
                for q in range(columns):
                    laid[n, c, h + BORDER, q + BORDER] = images[n, c, h, q]


@compiled
def lift(laid: Any, images: Any) -> None:
    """What `lay` has put there."""
    count, channels, rows, columns = images.shape
    for n in range(count):
        for c in range(channels):
            for h in range(rows):
                for q in range(columns):
                    images[n, c, h, q] = laid[n, c, h + BORDER, q + BORDER]


@compiled
def deal(images: Any, dealt: Any, start: int, stride: int) -> None:
    """Deal out the positive part of images, to those from `start` on; of an odd side the parts that
    have a pixel less end with a zero, because a room may have held another there.
    """
    count, channels, rows, columns = images.shape
    zero = images.dtype.type(0)
    for n in range(count):
        for c in range(channels):
            for h in range(rows):
                image = images[n, c, h]
                if stride == 1:
                    line = dealt[0, start + n, c, h + BORDER, BORDER:]
                    for q in range(columns):
                        line[q] = max(image[q], zero)
                else:
                    part, row = h % 2 * 2, h // 2 + BORDER
                    even = dealt[part, start + n, c, row, BORDER:]
                    odd = dealt[part + 1, start + n, c, row, BORDER:]
                    for q in range(columns // 2):
                        even[q] = max(image[2 * q], zero)
                        odd[q] = max(image[2 * q + 1], zero)
                    if columns % 2 > 0:
                        even[columns // 2] = max(image[columns - 1], zero)
                        odd[columns // 2] = zero
            if stride > 1 and rows % 2 > 0:
                for part in range(2, 4):
                    line = dealt[part, start + n, c, rows // 2 + BORDER, BORDER:]
                    for q in range(len(line)):
                        line[q] = zero


@compiled
def add_gathered(slopes: Any, images: Any, to_images: Any, stride: int) -> None:
    """Add the slopes of dealt images to those of the images, where these are positive."""
    count, channels, rows, columns = images.shape
    zero = images.dtype.type(0)
    for n in range(count):
        for c in range(channels):
            for h in range(rows):
                image, result = images[n, c, h], to_images[n, c, h]
                if stride == 1:
                    line = slopes[0, n, c, h + BORDER, BORDER:]
                    for q in range(columns):
                        result[q] += line[q] if image[q] > 0 else zero
                else:
                    part, row = h % 2 * 2, h // 2 + BORDER
                    even, odd = (
                        slopes[part, n, c, row, BORDER:],
                        slopes[part + 1, n, c, row, BORDER:],
                    )
                    for q in range(columns // 2):
                        result[2 * q] += even[q] if image[2 * q] > 0 else zero
                        result[2 * q + 1] += odd[q] if image[2 * q + 1] > 0 else zero
                    if columns % 2 > 0:
                        last = columns - 1
                        result[last] += even[columns // 2] if image[last] > 0 else zero


@compiled
def keep_positive(slopes: Any, laid: Any) -> None:
    """Make slopes zero where an image is."""
    for n in range(len(slopes)):
        flat, image = slopes[n].reshape(-1), laid[n].reshape(-1)
        zero = flat.dtype.type(0)
        for q in range(len(flat)):
            flat[q] = flat[q] if image[q] > 0 else zero


@njit(nogil=True)
def clear_between(image: Any) -> None:
    """Make zero what is between the rows of one image (channels, ...)."""
    channels, height, _ = image.shape
    for c in range(channels):
        for h in range(BORDER, height - BORDER):
            for q in range(BORDER):
                image[c, h, q] = 0
