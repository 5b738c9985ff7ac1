"""The order of pictures: permutations, end to end, in pieces, by blocks and by process."""

from collections import OrderedDict

import numpy as np
import pytest

from training.data import Blocks, Indices, stream
from training.data.order import evenly_spaced
from training.distributed import ProcessGroup

BLOCKS = Blocks(rows=(7, 5, 9, 1, 8, 6, 4), window=2)
COUNT = sum(BLOCKS.rows)


def block_of(rows: Indices, blocks: Blocks) -> Indices:
    return np.searchsorted(np.cumsum(blocks.rows), rows, side="right")


@pytest.mark.parametrize("blocks", [None, BLOCKS, Blocks(rows=BLOCKS.rows, window=1), Blocks(rows=(40,), window=1)])
def test_each_epoch_is_a_permutation(blocks: Blocks | None) -> None:
    epochs = stream(COUNT, 0, 3 * COUNT, 4, blocks).reshape(3, COUNT)
    for epoch in epochs:
        assert sorted(epoch) == list(range(COUNT))
    assert len({tuple(epoch) for epoch in epochs}) == 3


@pytest.mark.parametrize("blocks", [None, BLOCKS])
@pytest.mark.parametrize("piece", [1, 3, 13, 40, 97])
def test_pieces_are_the_whole(blocks: Blocks | None, piece: int) -> None:
    whole = stream(COUNT, 0, 200, 1, blocks)
    pieces = [stream(COUNT, start, min(piece, 200 - start), 1, blocks) for start in range(0, 200, piece)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_seeds_differ_and_a_changed_copy_changes_no_later_answer() -> None:
    first = stream(COUNT, 0, COUNT, 0, BLOCKS)
    assert list(first) != list(stream(COUNT, 0, COUNT, 1, BLOCKS))
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(stream(COUNT, 0, COUNT, 0, BLOCKS), kept)


def test_a_reader_that_keeps_two_windows_reads_each_block_about_once_an_epoch() -> None:
    blocks, epochs = Blocks(rows=(10,) * 40, window=4), 5
    kept: OrderedDict[int, None] = OrderedDict()
    reads = 0
    for block in block_of(stream(400, 0, 400 * epochs, 3, blocks), blocks).tolist():
        reads += block not in kept
        kept[block] = None
        kept.move_to_end(block)
        if len(kept) > 2 * blocks.window + 2:
            kept.popitem(last=False)
    assert 40 * epochs - 40 <= reads <= 40 * epochs


def test_blocks_that_fit_into_one_window_are_mixed_in_full() -> None:
    np.testing.assert_array_equal(stream(40, 0, 90, 2, Blocks(rows=(10,) * 4, window=4)), stream(40, 0, 90, 2))


@pytest.mark.parametrize(("count", "world"), [(256, 2), (118, 8), (7, 3), (2, 4)])
def test_the_parts_of_all_processes_are_the_batch_of_one(count: int, world: int) -> None:
    batch = stream(1000, 5 * count, count, 9, Blocks(rows=(100,) * 10, window=3))
    parts = [batch[ProcessGroup(rank=rank, world_size=world).share(count)] for rank in range(world)]
    np.testing.assert_array_equal(np.concatenate(parts), batch)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("blocks", [None, Blocks(rows=(100,) * 100, window=4)])
def test_a_sample_comes_from_all_over_and_from_few_blocks(blocks: Blocks | None) -> None:
    sample = evenly_spaced(10_000, 64, blocks)
    assert len(set(sample.tolist())) == len(sample) == 64
    assert sample[0] < 100
    assert sample[-1] > 9_900
    if blocks:
        assert len(set(block_of(sample, blocks).tolist())) == 4
        assert len(set(block_of(evenly_spaced(10_000, 2000, blocks), blocks).tolist())) == 20
    assert evenly_spaced(5, 64, None).tolist() == list(range(5))
