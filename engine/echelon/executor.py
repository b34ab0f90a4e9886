"""Spread one function over many shards of data: in this process, over processes of this machine, or a Dask cluster.

The data is big and stays, what changes from call to call is small. So each shard is given a worker that keeps it, and
a task carries only which shard it is for. A worker that is lost is replaced and gets its shards again.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar
from uuid import uuid4
from weakref import WeakKeyDictionary

from echelon.errors import Finding, InputError

IN_ORDER = ("", "in-order")
PROCESSES = re.compile(r"processes(?::([1-9][0-9]{0,2}))?")
ADDRESS = re.compile(r"(?:tcp|tls)://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
RETRIES = 3  # calls are made again that often after workers were lost
ANSWER_SECONDS = 5.0  # for a Dask scheduler to answer and to have a worker
RETURN_SECONDS = 30.0  # for a Dask cluster that lost all its workers to have one again

Result = TypeVar("Result")


def check(text: str) -> None:
    """Raise InputError if `text` names no executor or one that is not installed; nothing is started or asked."""
    if text in IN_ORDER or PROCESSES.fullmatch(text):
        return
    address = ADDRESS.fullmatch(text)
    if address is None or not 1 <= int(address[1]) <= 65535:
        remedy = 'Write "in-order", "processes", "processes:N" (N from 1 to 999) or "tcp://host:port"'
        raise _wrong(text, "names no executor", remedy)
    if find_spec("distributed") is None:
        raise _wrong(text, "is a Dask cluster, but Dask is not installed", 'Run: pip install "echelon[cluster]"')


class Shards:
    """Data in parts that workers keep for as long as this object lives; functions must not change it."""

    def __init__(self, data: Iterable[Any]):
        self.data = tuple(data)
        self.run = uuid4().hex

    def __len__(self) -> int:
        return len(self.data)


class Workers:
    """What `text` names, ready to work: a context manager, for use by one thread at a time.

    `count` is how many shards are worked on at once. Raises InputError where `check` does, and if a cluster does not
    answer. A script that uses processes needs `if __name__ == "__main__":` around what it does.
    """

    def __init__(self, text: str):
        check(text)
        processes = PROCESSES.fullmatch(text)
        self._crew: _Crew
        if text in IN_ORDER:
            self._crew = _InOrder()
        elif processes:
            self._crew = _Processes(int(processes[1] or _processors()))
        else:
            self._crew = _Cluster(text)
        self.count = self._crew.count

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, or leave the cluster; nothing of this run stays behind."""
        self._crew.close()

    def map(self, function: Callable[..., Result], shards: Shards, *arguments: Any) -> list[Result]:
        """`function(data, *arguments)` for the data of each shard, in the order of the shards.

        `function` is one of a module's own. Raises what it raises, for the first shard that fails; where workers are
        lost again and again, the error of the last loss.
        """
        results: dict[int, Result] = {}
        for retry in range(RETRIES + 1):
            try:
                self._round(function, shards, arguments, results)
                break
            except self._crew.lost:
                if retry == RETRIES:
                    raise
        return [results[number] for number in range(len(shards))]

    def each(
        self, function: Callable[..., Result], data: Any, tasks: Sequence[Any], fresh_after: int = 0
    ) -> Iterator[tuple[int, Result | BaseException]]:
        """`function(data, task)` for each task, as they are done: (number of the task, result). Every worker keeps the
        data; whichever is idle gets the next task, and a process is replaced after `fresh_after` of them (0: never).

        Raises what the function raises. Where a task loses its workers again and again, its result is the last loss.
        """
        shards = Shards([data] * self.count)
        waiting, idle = deque(range(len(tasks))), deque(range(self.count))
        losses, done = Counter[int](), Counter[int]()
        busy: dict[Any, tuple[int, int]] = {}
        try:
            while waiting or busy:
                while waiting and idle:
                    number, place = waiting.popleft(), idle.popleft()
                    busy[self._crew.submit(function, shards, place, (tasks[number],))] = (number, place)
                for future in self._crew.finished(busy):
                    number, place = busy.pop(future)
                    result, lost = self._result(future)
                    losses[number] += lost
                    done[place] += 1
                    if fresh_after and done[place] % fresh_after == 0:
                        self._crew.renew(place)
                    idle.append(place)
                    if lost and losses[number] <= RETRIES:
                        waiting.appendleft(number)
                    else:
                        yield number, result
        except BaseException:
            self._crew.abort(shards, {place: future for future, (_, place) in busy.items()})
            raise

    def _result(self, future: Any) -> tuple[Any, bool]:
        """(result, False), or (the loss, True) if the worker was lost."""
        try:
            return future.result(), False
        except self._crew.lost as loss:
            return loss, True

    def _round(
        self, function: Callable[..., Result], shards: Shards, arguments: tuple[Any, ...], results: dict[int, Result]
    ) -> None:
        """Call the function for all shards without a result; raises one of `lost` after the others are done."""
        futures: dict[int, Any] = {}
        loss: BaseException | None = None
        try:
            for number in range(len(shards)):
                if number not in results:
                    futures[number] = self._crew.submit(function, shards, number, arguments)
            for number, future in futures.items():
                try:
                    results[number] = future.result()
                except self._crew.lost as error:
                    loss = error
        except BaseException:
            self._crew.abort(shards, futures)
            raise
        if loss:
            raise loss


class _Crew(Protocol):
    """Workers of one kind: `submit` answers with a future, whose error is one of `lost` if its worker was lost."""

    count: int
    lost: tuple[type[BaseException], ...]

    def submit(self, function: Callable[..., Any], shards: Shards, number: int, arguments: tuple[Any, ...]) -> Any: ...

    def finished(self, futures: Iterable[Any]) -> list[Any]:
        """Those of these futures that are done, once one is."""

    def renew(self, number: int) -> None:
        """Give the place of this number, idle now, a new process where that can be: memory that the old one lost track
        of comes back."""

    def abort(self, shards: Shards, futures: Mapping[int, Any]) -> None:
        """Stop what is under way, after an error or an interrupt."""

    def close(self) -> None: ...


class _InOrder:
    """This process, one shard after the other."""

    count = 1
    lost: tuple[type[BaseException], ...] = ()

    def submit(self, function: Callable[..., Any], shards: Shards, number: int, arguments: tuple[Any, ...]) -> Any:
        future: Future[Any] = Future()
        future.set_result(function(shards.data[number], *arguments))
        return future

    def finished(self, futures: Iterable[Any]) -> list[Any]:
        return list(futures)

    def renew(self, number: int) -> None:
        pass

    def abort(self, shards: Shards, futures: Mapping[int, Any]) -> None:
        pass

    def close(self) -> None:
        pass


class _Processes:
    """Processes of this machine. Each has its own pool of one, so that a shard always meets the same process."""

    lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)

    def __init__(self, count: int):
        self.count = count
        self._lanes = [_Lane() for _ in range(count)]

    def submit(self, function: Callable[..., Any], shards: Shards, number: int, arguments: tuple[Any, ...]) -> Any:
        return self._lanes[number % self.count].submit(function, shards, number, arguments)

    def finished(self, futures: Iterable[Any]) -> list[Any]:
        return list(wait(futures, return_when=FIRST_COMPLETED).done)

    def renew(self, number: int) -> None:
        self._lanes[number % self.count].stop()

    def abort(self, shards: Shards, futures: Mapping[int, Any]) -> None:
        busy = {number % self.count for number, future in futures.items() if not future.done()}
        for number, lane in enumerate(self._lanes):
            if number in busy:
                lane.kill()
            lane.forget(shards)

    def close(self) -> None:
        for lane in self._lanes:
            lane.stop()


class _Lane:
    """One worker process, started when first needed, and the numbers of the shards that it was sent."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._sent: WeakKeyDictionary[Shards, set[int]] = WeakKeyDictionary()

    def submit(
        self, function: Callable[..., Any], shards: Shards, number: int, arguments: tuple[Any, ...]
    ) -> Future[Any]:
        """The future of one call, in a new process if the last one was lost."""
        try:
            return self._submit(function, shards, number, arguments)
        except BrokenProcessPool:
            self.stop()
            return self._submit(function, shards, number, arguments)

    def _submit(
        self, function: Callable[..., Any], shards: Shards, number: int, arguments: tuple[Any, ...]
    ) -> Future[Any]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin)
        sent = self._sent.setdefault(shards, set())
        data = () if number in sent else (shards.data[number],)
        runs = frozenset(living.run for living in self._sent)
        future = self._pool.submit(_work, function, shards.run, number, data, arguments, runs)
        sent.add(number)
        return future

    def forget(self, shards: Shards) -> None:
        """Send these shards again when they are next needed."""
        self._sent.pop(shards, None)

    def stop(self) -> None:
        """End the process once it has done what was submitted."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None
        self._sent.clear()

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        if self._pool is not None:
            processes = list((self._pool._processes or {}).values())  # kill_workers() is public from Python 3.14
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.kill()
                process.join()
        self._pool = None
        self._sent.clear()


class _Cluster:
    """The workers of a Dask cluster. Dask holds the shards: it frees them when the `Shards` or the client is gone."""

    def __init__(self, address: str):
        self._client = _connect(address)
        try:
            self.count = len(self._places(ANSWER_SECONDS))
        except TimeoutError as error:
            self._client.close()
            remedy = f"Start some: dask worker {address}"
            raise _wrong(address, "is a Dask scheduler without workers", remedy) from error
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        self.lost: tuple[type[BaseException], ...] = (CancelledError, CommClosedError, KilledWorker)
        self._closed_error = CommClosedError
        self._sent: WeakKeyDictionary[Shards, dict[int, tuple[str, Any]]] = WeakKeyDictionary()

    def submit(self, function: Callable[..., Any], shards: Shards, number: int, arguments: tuple[Any, ...]) -> Any:
        place, data = self._send(shards, number)
        where = {"workers": [place], "allow_other_workers": True}  # others, if the cluster moves the shard
        return self._client.submit(function, data, *arguments, pure=False, **where)

    def finished(self, futures: Iterable[Any]) -> list[Any]:
        from distributed import wait as wait_for

        with self._client.as_current(), suppress(CancelledError):  # one of them was: it is done
            wait_for(list(futures), return_when="FIRST_COMPLETED")
        return [future for future in futures if future.done()]

    def renew(self, number: int) -> None:
        pass  # how long a worker of the cluster lives is for its owner to say (dask worker --lifetime)

    def abort(self, shards: Shards, futures: Mapping[int, Any]) -> None:
        self._client.cancel(list(futures.values()))

    def close(self) -> None:
        self._sent.clear()
        self._client.close()

    def _send(self, shards: Shards, number: int) -> tuple[str, Any]:
        """The worker that has a shard and Dask's future of it; sent now if it was not, or was lost."""
        sent = self._sent.setdefault(shards, {})
        if number not in sent or sent[number][1].status != "finished":
            places = self._places(RETURN_SECONDS)
            place = places[number % len(places)]
            try:
                [data] = self._client.scatter([shards.data[number]], workers=[place], hash=False)
            except (KeyError, OSError) as error:  # it left after it was listed
                raise self._closed_error(f"the worker {place} is gone") from error
            sent[number] = (place, data)
        return sent[number]

    def _places(self, seconds: float) -> list[str]:
        """Addresses of the workers, each as often as it has threads. Raises TimeoutError if there are none."""
        self._client.wait_for_workers(1, timeout=seconds)
        threads = sorted(self._client.nthreads().items())
        most = max(count for _, count in threads)
        return [address for k in range(most) for address, count in threads if k < count]


def _connect(address: str) -> Any:
    """A client of the Dask scheduler at an address. Raises InputError if none answers."""
    import distributed

    try:
        return distributed.Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except Exception as error:
        remedy = "Start it (dask scheduler) or mend the address"
        remedy += "; tls:// needs the keys in Dask's own configuration" if address.startswith("tls") else ""
        raise _wrong(address, "no Dask scheduler answers at this address", remedy) from error


def _wrong(text: str, rule: str, remedy: str) -> InputError:
    return InputError([Finding("options", rule, remedy, column="executor", value=text)])


def _processors() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_kept: dict[str, dict[int, Any]] = {}  # filled in worker processes only: shards by run and number


def _work(
    function: Callable[..., Any],
    run: str,
    number: int,
    data: tuple[Any, ...],
    arguments: tuple[Any, ...],
    runs: frozenset[str],
) -> Any:
    """In a worker process: call the function for a shard that comes along or was kept, and drop all but `runs`."""
    for gone in _kept.keys() - runs:
        del _kept[gone]
    shards = _kept.setdefault(run, {})
    if data:
        shards[number] = data[0]
    return function(shards[number], *arguments)


def _begin() -> None:
    """In a worker process: leave Ctrl-C to the parent, and end when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
