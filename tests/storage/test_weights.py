import pytest
import torch

from emonas.errors import EmonasError
from emonas.storage.weights import read_weights, write_weights


def state():
    torch.manual_seed(1)
    return {
        "b.weight": torch.randn(3, 4).T,
        "a.steps": torch.tensor(7),
        "ü": torch.nn.Parameter(torch.randn(2)),
        "empty": torch.zeros(0, 3),
    }


def test_tensors_come_back_with_shape_and_type(tmp_path):
    write_weights(tmp_path / "a b" / "w.safetensors", state())
    back = read_weights(tmp_path / "a b" / "w.safetensors")
    assert set(back) == set(state())
    for name, tensor in state().items():
        assert back[name].dtype == tensor.dtype
        assert torch.equal(back[name], tensor.detach())


def test_order_does_not_change_the_bytes(tmp_path):
    write_weights(tmp_path / "a.safetensors", state())
    write_weights(tmp_path / "b.safetensors", dict(reversed(state().items())))
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_no_weights_at_all_are_a_file(tmp_path):
    write_weights(tmp_path / "w.safetensors", {})
    assert read_weights(tmp_path / "w.safetensors") == {}


@pytest.mark.parametrize("kept", [0, 4, 60, -1])
def test_damage_is_told_with_the_name(tmp_path, kept):
    path = tmp_path / "w.safetensors"
    write_weights(path, state())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(EmonasError, match=r"w\.safetensors.*make it again"):
        read_weights(path)
    with pytest.raises(EmonasError, match=r"none\.safetensors"):
        read_weights(tmp_path / "none.safetensors")
