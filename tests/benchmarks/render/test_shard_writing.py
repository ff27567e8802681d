"""The benchmark's own loops from plans to shards: they run, and write what they say."""

from __future__ import annotations

from benchmarks.render.shard_writing import stock_writing, worker_memory


def test_a_loop_around_stock_pyrender_writes_a_shard() -> None:
    assert stock_writing(32, finest=False, batches=1, processes=1) > 1


def test_a_workers_peak_is_taken_after_each_number_of_batches() -> None:
    first, last = worker_memory(32, (1, 3))
    assert 50 < first <= last < first + 50
