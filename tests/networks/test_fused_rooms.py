"""What fused cells keep: rooms in memory, compiled loops on disk."""

from pathlib import Path

import numpy as np
import pytest
import torch

from emonas.networks.fused_cells import layout, maps, pools, products, rooms
from emonas.networks.fused_cells.layout import laid_size
from emonas.networks.fused_cells.rooms import forget_rooms, give_back, take_room
from emonas.networks.fused_recipes import tiles
from emonas.networks.fused_recipes.back import walk_back
from emonas.networks.fused_recipes.there import walk
from emonas.networks.search_cells import SearchNetwork
from emonas.networks.source_stamp import source_stamp
from emonas.networks.streams import Stream
from emonas.search.bilevel import statistics_kept


def test_rooms_are_used_again_where_they_are_free():
    size = (2, 3, *laid_size(5, 4))
    room = take_room("laid", size, np.dtype(np.float32))
    assert room.shape == size
    assert not room.any()
    give_back("laid", room)
    assert take_room("gathered", size, np.dtype(np.float32)) is not room
    assert take_room("laid", size, np.dtype(np.float64)) is not room
    assert take_room("laid", size, np.dtype(np.float32)) is room
    assert take_room("laid", size, np.dtype(np.float32)) is not room


def test_forgotten_rooms_are_not_used_again():
    size, dtype = (1, 2, *laid_size(3, 4)), np.dtype(np.float32)
    room = take_room("laid", size, dtype)
    give_back("laid", room)
    forget_rooms()
    assert take_room("laid", size, dtype) is not room


def held():
    return sum(room.nbytes for free in rooms._FREE.values() for room in free)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return SearchNetwork(2, 2, 2, 2, fused=True).train()


def step(network, images, learns=True):
    frames = torch.randn(images, 8, 6, generator=torch.Generator().manual_seed(images))
    with statistics_kept(network), torch.set_grad_enabled(learns):
        logits = network(Stream(frames, torch.full((images,), 8))).logits
    if not learns:
        return logits
    return torch.autograd.grad(logits.square().sum(), list(network.weights()))


def test_a_smaller_batch_does_not_keep_the_rooms_of_the_others(network):
    forget_rooms()
    before = step(network, 5)
    largest = held()
    step(network, 2)
    assert 0 < held() < largest
    again = step(network, 5)
    assert held() == largest
    assert all(torch.equal(*pair) for pair in zip(before, again, strict=True))


def test_images_from_which_nothing_is_learnt_keep_no_room(network):
    """Those that they take are free again at once."""
    step(network, 5)
    free = held()
    for _ in range(2):
        step(network, 5, learns=False)
        assert held() == free
    forget_rooms()
    step(network, 5, learns=False)
    assert held() > 0


def test_a_kept_loop_is_named_by_the_sources_of_all():
    """So that what is kept on disk has none of what stood in another file before."""
    cells = (layout.lay, products.add_sums, maps.make_map(3), pools.max_pool)
    for module, loops in ((layout, cells), (tiles, (walk, walk_back, tiles.pack))):
        stamp = str(source_stamp(Path(module.__file__).parent))
        for loop in loops:
            assert loop.py_func.__qualname__.endswith(stamp)


def test_a_stamp_changes_with_any_file(tmp_path):
    (tmp_path / "one.py").write_text("1")
    before = source_stamp(tmp_path)
    (tmp_path / "two.py").write_text("2")
    source_stamp.cache_clear()
    assert source_stamp(tmp_path) != before
