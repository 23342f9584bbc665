"""Multiply-accumulates of torch's recurrent layers, counted at once instead of step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

RECURRENCES = (torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu)


class CountRecurrences(TorchFunctionMode):
    """While it is entered, layers over padded batches give shapes alone, and `macs` grows.

    On shapes alone torch computes every step of such a layer by itself, so that the count of one
    long utterance takes seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """The function's own answer, or shapes where it is a recurrence over a padded batch."""
        if func not in RECURRENCES or not isinstance(args[2], (list, tuple)):
            return func(*args, **(kwargs or {}))
        frames, start, weights, *_, bidirectional, _ = args
        # Every step multiplies each matrix once: those of the frame, and those of the state.
        steps = frames.shape[0] * frames.shape[1]
        self.macs += steps * sum(weight.numel() for weight in weights if weight.dim() == 2)
        return _shapes(frames, start, 2 if bidirectional else 1)


def _shapes(
    frames: Tensor, start: Tensor | tuple[Tensor, ...], directions: int
) -> tuple[Tensor, ...]:
    """What such layers give: the states of the last one, and what each direction ends with."""
    last = start if isinstance(start, tuple) else (start,)
    width = last[0].shape[-1] * directions
    return frames.new_empty((*frames.shape[:2], width)), *(state.clone() for state in last)
