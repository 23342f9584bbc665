import pytest
import torch

from emonas.features.precision import computes_in_half


@pytest.mark.parametrize(
    ("precision", "device", "half"),
    [("auto", "cuda", True), ("float32", "cuda", False), ("auto", "cpu", False)],
)
def test_float16_is_for_gpus_where_nobody_asks_for_float32(precision, device, half):
    assert computes_in_half(precision, torch.device(device)) is half
