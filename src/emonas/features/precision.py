"""In which precision pretrained networks compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "float32"]


def computes_in_half(precision: Precision, device: torch.device) -> bool:
    """Whether a network computes in float16: on a GPU, where nobody asks for float32."""
    return precision == "auto" and device.type == "cuda"
