"""What torch is told before anything is computed."""

import torch

from emonas.learning.devices import prepare
from emonas.learning.options import RuntimeOptions


def test_a_card_computes_in_float32_as_a_processor_does():
    """TF32 has ten bits of a product: what it answers is no longer within 1e-4 of a processor."""
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.matmul.allow_tf32 = True
    prepare(RuntimeOptions(device="cpu"), 0)
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
