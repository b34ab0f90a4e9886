"""One function over many shards: the same results wherever they are worked on, and no result lost with a worker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from echelon.errors import InputError
from echelon.executor import Shards, Workers, check

DATA = [np.arange(n, dtype=float) for n in (3, 1, 4, 1, 5)]
EXPECTED = [float((part * 2.0).sum()) for part in DATA]


def scaled_sum(part: np.ndarray, factor: float) -> float:
    return float((part * factor).sum())


def my_process(part: np.ndarray) -> int:
    return os.getpid()


def fails_on_four(part: np.ndarray) -> int:
    if len(part) == 4:
        raise ValueError("four")
    return len(part)


def dies_once(part: np.ndarray, marker: str) -> int:
    """The first worker that gets here dies without a word; later ones answer."""
    if len(part) == 4:
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return len(part)
        os.kill(os.getpid(), signal.SIGKILL)
    return len(part)


def always_dies(part: np.ndarray) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Dask cluster of two worker processes on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as running:
        yield running.scheduler_address


@pytest.mark.parametrize("executor", ["", "in-order", "processes:1", "processes:2", "processes:7"])
def test_results_are_the_same_and_in_order_whatever_the_executor(executor: str) -> None:
    """Where work is done must never change what comes out."""
    shards = Shards(DATA)
    with Workers(executor) as workers:
        assert workers.map(scaled_sum, shards, 2.0) == EXPECTED
        assert workers.map(scaled_sum, shards, 4.0) == [2 * value for value in EXPECTED]


def test_a_shard_stays_with_its_process() -> None:
    """Big data is sent once: a second call finds its shard where the first one left it."""
    shards = Shards(DATA)
    with Workers("processes:2") as workers:
        first, second = workers.map(my_process, shards), workers.map(my_process, shards)
    assert first == second
    assert len(set(first)) == 2
    assert os.getpid() not in first


@pytest.mark.parametrize("executor", ["in-order", "processes:2"])
def test_an_error_in_a_shard_is_raised_and_leaves_the_workers_usable(executor: str) -> None:
    """A bug in one shard is told as it is; it must not hang, nor poison what follows."""
    shards = Shards(DATA)
    with Workers(executor) as workers:
        with pytest.raises(ValueError, match="four"):
            workers.map(fails_on_four, shards)
        assert workers.map(scaled_sum, shards, 2.0) == EXPECTED


def test_a_worker_that_dies_is_replaced_and_its_work_done_again(tmp_path: Path) -> None:
    """A lost worker costs time, not the run."""
    shards = Shards(DATA)
    with Workers("processes:2") as workers:
        assert workers.map(dies_once, shards, str(tmp_path / "died")) == [3, 1, 4, 1, 5]
        assert workers.map(scaled_sum, shards, 2.0) == EXPECTED


def test_workers_that_always_die_end_the_run() -> None:
    """Retrying for ever would hide that something is wrong."""
    with Workers("processes:1") as workers, pytest.raises(Exception, match="terminated"):
        workers.map(always_dies, Shards(DATA[:1]))


def power(base: float, exponent: int) -> float:
    return base**exponent


def process_of(base: float, exponent: int) -> int:
    return os.getpid()


def dies_on_three(base: float, exponent: int) -> float:
    if exponent == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return base**exponent


@pytest.mark.parametrize("executor", ["in-order", "processes:2"])
def test_each_task_is_done_once_over_the_same_data(executor: str) -> None:
    """Many small tasks over one big thing: every task has its result, whoever did it."""
    with Workers(executor) as workers:
        assert dict(workers.each(power, 2.0, [3, 1, 4, 1, 5])) == {0: 8.0, 1: 2.0, 2: 16.0, 3: 2.0, 4: 32.0}
        assert list(workers.each(power, 2.0, [])) == []


def test_a_process_is_replaced_after_its_share_of_tasks() -> None:
    """Solvers lose memory by the run: a process that does a few of them and ends gives it back."""
    with Workers("processes:1") as workers:
        assert len({pid for _, pid in workers.each(process_of, 2.0, range(4), fresh_after=2)}) == 2
        assert len({pid for _, pid in workers.each(process_of, 2.0, range(4))}) == 1


def test_a_task_that_kills_its_workers_does_not_take_the_others_along() -> None:
    """One task that needs too much memory must not end a study of sixty."""
    with Workers("processes:2") as workers:
        results = dict(workers.each(dies_on_three, 2.0, [1, 2, 3, 4]))
    assert isinstance(results.pop(2), BaseException)
    assert results == {0: 2.0, 1: 4.0, 3: 16.0}


@pytest.mark.slow
def test_a_cluster_does_each_task(cluster: str) -> None:
    """Dask is one more executor."""
    with Workers(cluster) as workers:
        assert dict(workers.each(power, 2.0, [3, 1, 4])) == {0: 8.0, 1: 2.0, 2: 16.0}


@pytest.mark.slow
def test_a_cluster_gives_the_same_results(cluster: str) -> None:
    """Dask is one more executor."""
    shards = Shards(DATA)
    with Workers(cluster) as workers:
        assert workers.count == 2
        assert workers.map(scaled_sum, shards, 2.0) == EXPECTED
        with pytest.raises(ValueError, match="four"):
            workers.map(fails_on_four, shards)
        assert workers.map(scaled_sum, shards, 2.0) == EXPECTED


@pytest.mark.slow
def test_a_cluster_worker_that_dies_is_replaced(cluster: str, tmp_path: Path) -> None:
    """Its shards are sent again to another one."""
    with Workers(cluster) as workers:
        assert workers.map(dies_once, Shards(DATA), str(tmp_path / "died")) == [3, 1, 4, 1, 5]


@pytest.mark.parametrize("text", ["threads", "processes:0", "processes:-1", "processes:x", "tcp://", "tcp://host",
                                  "tcp://host:99999", "http://host:80", "processes:2; rm", "tcp://a b:80"])  # fmt: skip
def test_a_wrong_executor_is_a_finding(text: str) -> None:
    """A typo must be told before a long solve, with what may be written."""
    with pytest.raises(InputError) as caught:
        check(text)
    finding = caught.value.findings[0]
    assert (finding.table, finding.column, finding.value) == ("options", "executor", text)
    assert "processes" in finding.remedy


def test_a_scheduler_that_does_not_answer_is_a_finding() -> None:
    """An address where nothing runs is the user's to mend; it must be told soon."""
    pytest.importorskip("distributed")
    began = time.monotonic()
    with pytest.raises(InputError, match="no Dask scheduler answers"):
        Workers("tcp://127.0.0.1:9")
    assert time.monotonic() - began < 60
