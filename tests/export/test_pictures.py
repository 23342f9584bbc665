"""Pictures that show more, or other, than those that are drawn again."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from emonas.export.pictures import alike, shown_otherwise


def chunk(kind, content):
    named = kind + content
    return struct.pack(">I", len(content)) + named + struct.pack(">I", zlib.crc32(named))


TEXT = chunk(b"tEXt", b"transcript\0a secret sentence")
BEHIND = chunk(b"IDAT", b"a secret sentence")
HEADER = chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0))


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: picture[:33] + TEXT + picture[33:],
        lambda picture: picture[:-12] + TEXT + picture[-12:],
        lambda picture: picture + b"a secret sentence",
        lambda picture: picture + BEHIND,
        lambda picture: picture[:8] + HEADER + picture[33:],
        lambda picture: picture[:-20],
        lambda picture: picture[:9],
        lambda picture: b"",
    ],
    ids=["text", "text at the end", "behind", "points behind", "huge", "cut", "head", "empty"],
)
def test_a_png_has_nothing_beside_its_points_but_ours(tmp_path, change):
    told, again = tmp_path / "told.png", tmp_path / "again.png"
    Image.fromarray(np.full((9, 9, 3), 200, np.uint8)).save(again)
    told.write_bytes(again.read_bytes())
    assert alike(told, again)
    told.write_bytes(change(again.read_bytes()))
    assert not alike(told, again)


@pytest.mark.parametrize("other", [b"<svg>\xff</svg>", "<svg>\uff11</svg>".encode()])
def test_a_drawing_of_other_signs_is_another(tmp_path, other):
    (tmp_path / "told.svg").write_bytes(other)
    (tmp_path / "again.svg").write_text("<svg>1</svg>")
    assert not alike(tmp_path / "told.svg", tmp_path / "again.svg")


def test_a_page_and_a_drawing_in_no_utf_8_are_compared(tmp_path):
    shown = '<img src="data:image/svg+xml,<svg/>" alt=""> <figcaption><a href="a.svg">SVG</a>'
    (tmp_path / "index.html").write_bytes(b"\xff" + shown.encode())
    (tmp_path / "a.svg").write_bytes(b"<svg/>")
    assert shown_otherwise(tmp_path) == []
    (tmp_path / "a.svg").write_bytes(b"<svg/>\xff")
    assert shown_otherwise(tmp_path) == ["a.svg"]
