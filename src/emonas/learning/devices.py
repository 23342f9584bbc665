"""Devices, seeds and threads."""

import torch

from emonas.errors import EmonasError
from emonas.learning.options import RuntimeOptions


def prepare(runtime: RuntimeOptions, seed: int) -> torch.device:
    """Seed torch, set its threads, and choose the device. A GPU computes in float32 as a processor
    does, not in TF32, whose factors keep ten bits: what is trained there is used elsewhere.
    Pretrained encoders that are features have a `precision` of their own.

    Raises:
        EmonasError: a GPU is asked for where there is none.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(runtime.torch_threads)
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    there = torch.cuda.is_available()
    if runtime.device == "cuda" and not there:
        raise EmonasError("runtime.device: cuda, but torch finds no GPU; set it to auto or cpu")
    return torch.device("cuda" if there and runtime.device != "cpu" else "cpu")


def peak_memory(device: torch.device) -> float:
    """The peak memory of the process so far, in MiB: the GPU's where there is one."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
