"""What an extractor's options say that an utterance becomes is what its class says."""

import pytest

from emonas.kinds import all_kinds, kind_module


@pytest.mark.parametrize("kind", all_kinds("extractor"))
def test_a_vector_has_no_frame_rate(kind):
    module = kind_module("extractor", kind)
    rates = [
        made.frame_rate
        for made in vars(module).values()
        if isinstance(made, type)
        and made.__module__ == module.__name__
        and isinstance(getattr(made, "frame_rate", None), float)
    ]
    assert (module.Options.gives == "vector") == (0.0 in rates)
