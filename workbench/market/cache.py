"""One cache for whatever is fetched: memory in front of the disk.

A kind of thing (tickers, markets) has a time to live and says whether it goes to the disk. Values are JSON, bytes or
tables; they are kept as bytes that this module packs and unpacks itself, so nothing that was put into the cache's file
by somebody else is ever carried out, and what is got from the cache can be changed without changing the cache. The disk
is a convenience: where it does not answer, the memory alone serves.
"""

from __future__ import annotations

import asyncio
import fnmatch
import functools
import inspect
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

from cachetools import TLRUCache

from workbench.errors import ConfigError, DataError
from workbench.market.cache_disk import DiskLayer
from workbench.market.cache_values import pack, unpack

__all__ = ["Cache", "CacheStats", "Kind", "cache"]

_APART: Final = "\x1f"  # between kind and key: no name has it
_MEMORY_S: Final = 10.0  # so long may the memory give what another process has invalidated
_ITEMS: Final = 4_096

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How long things of a kind are good for.

    Parameters
    ----------
    ttl_s : float
        Seconds after which they are fetched again.
    disk : bool, default True
        Whether they are kept on the disk for other processes and later sessions, too.
    """

    ttl_s: float
    disk: bool = True


_KINDS: Final[Mapping[str, Kind]] = {
    "tickers": Kind(ttl_s=10.0, disk=False),
    "markets": Kind(ttl_s=3_600.0),
}


class CacheStats(NamedTuple):
    """What a cache has done since the process began, and what lies on its disk now.

    `disk` is `"on"`, `"none"` where no folder was given, or says why it does not answer.
    """

    memory_hits: int
    disk_hits: int
    misses: int
    writes: int
    memory_items: int
    disk_items: int
    disk_bytes: int
    disk: str

    @property
    def hit_share(self) -> float:
        """Share of the questions that were answered; NaN before the first one."""
        asked = self.memory_hits + self.disk_hits + self.misses
        return (self.memory_hits + self.disk_hits) / asked if asked else float("nan")


class _Held(NamedTuple):
    """A packed value, until when it is good (seconds since 1970), and its tags."""

    content: bytes
    expires: float
    tags: tuple[str, ...]


class Cache:
    """A cache of two layers, for any number of threads and processes.

    Parameters
    ----------
    folder : path, optional
        Where the disk layer lies; without one there is only the memory.
    kinds : mapping of str to Kind, optional
        More kinds, or other times for the known ones.
    disk_bytes : int, default 256 MB
        What is used least goes when the disk layer has more.
    clock : callable, default time.time
        Seconds since 1970.

    Examples
    --------
    >>> store = Cache(kinds={"fees": Kind(ttl_s=60)})
    >>> store.put("fees", "binance", {"taker": 0.001})
    >>> store.get("fees", "binance")
    {'taker': 0.001}
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        kinds: Mapping[str, Kind] | None = None,
        disk_bytes: int = 256 << 20,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.kinds = {**_KINDS, **(kinds or {})}
        self._clock = clock
        self._lock = threading.RLock()
        self._memory: TLRUCache[str, tuple[_Held, float]] = TLRUCache(
            _ITEMS, ttu=lambda _key, value, _now: value[1], timer=clock
        )
        self._disk = None if folder is None else DiskLayer(Path(folder), disk_bytes)
        self._counts: Counter[str] = Counter()
        self._flights: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"Cache({str(self._disk.folder) if self._disk else None!r})"

    def get(self, kind: str, key: str, default: Any = None) -> Any:
        """Give a value, or `default` where there is none or it is too old.

        Raises
        ------
        ConfigError
            The kind is not known.
        """
        found = self._find(self._kind(kind), _joined(kind, key))
        if found is not None:
            try:
                return unpack(found.content)
            except DataError:  # somebody else wrote it
                self.delete(kind, key)
        self._count("misses")
        return default

    def put(self, kind: str, key: str, value: Any, *, ttl_s: float | None = None, tags: Iterable[str] = ()) -> None:
        """Keep a value.

        Parameters
        ----------
        kind, key : str
        value : JSON data, bytes, pandas.DataFrame or pyarrow.Table
        ttl_s : float, optional
            The kind's when left out.
        tags : iterable of str
            What it can be invalidated by, besides its key.

        Raises
        ------
        DataError
            The value is of another type; nothing was kept.
        """
        rules = self._kind(kind)
        held = _Held(pack(value), self._clock() + (rules.ttl_s if ttl_s is None else ttl_s), tuple(tags))
        name = _joined(kind, key)
        if rules.disk and self._disk:
            self._disk.write(name, held.content, held.expires, held.tags)
        self._remember(name, held, rules)
        self._count("writes")

    def delete(self, kind: str, key: str) -> None:
        """Forget one value."""
        self._forget([_joined(kind, key)])

    def invalidate(self, pattern: str = "*", *, kind: str | None = None, tag: str | None = None) -> int:
        """Forget what matches all that is given.

        Parameters
        ----------
        pattern : str, default "*"
            Of keys, such as `"binance:BTC*"`.
        kind, tag : str, optional

        Returns
        -------
        int
            How many values were forgotten.
        """
        names = {name for name, tags in self._all() if _matches(name, tags, pattern, kind, tag)}
        self._forget(names)
        return len(names)

    def clear(self) -> int:
        """Forget everything, and give how many values that were."""
        return self.invalidate()

    def stats(self) -> CacheStats:
        """Count what was asked and answered in this process, and what is kept."""
        items, size, state = self._disk.state() if self._disk else (0, 0, "none")
        with self._lock:
            self._memory.expire()
            return CacheStats(
                memory_hits=self._counts["memory_hits"],
                disk_hits=self._counts["disk_hits"],
                misses=self._counts["misses"],
                writes=self._counts["writes"],
                memory_items=len(self._memory),
                disk_items=items,
                disk_bytes=size,
                disk=state,
            )

    def cached(self, kind: str, *, ttl_s: float | None = None, tags: Iterable[str] = ()) -> Callable[[F], F]:
        """Decorate a function, plain or async, so that equal calls within the time to live are made once.

        Parameters
        ----------
        kind : str
        ttl_s, tags
            As in `put`.

        Notes
        -----
        The arguments must be JSON data. Calls that come while an equal one runs wait for its answer. Nothing is kept
        when the function raises, or gives None.
        """
        self._kind(kind)
        options: dict[str, Any] = {"ttl_s": ttl_s, "tags": tuple(tags)}

        def decorate(function: F) -> F:
            wrapped: Any = (
                self._cached_async(kind, function, options)
                if inspect.iscoroutinefunction(function)
                else self._cached_plain(kind, function, options)
            )
            functools.update_wrapper(wrapped, function)
            return cast(F, wrapped)

        return decorate

    def _cached_plain(self, kind: str, function: Any, options: dict[str, Any]) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            key = _key_of(function, args, kwargs)
            if (found := self.get(kind, key)) is not None:
                return found
            with self._lock:
                lock, waiting = self._flights.get((kind, key), (threading.Lock(), 0))
                self._flights[kind, key] = (lock, waiting + 1)
            try:
                with lock:
                    if (found := self.get(kind, key)) is None:
                        found = function(*args, **kwargs)
                        if found is not None:
                            self.put(kind, key, found, **options)
                    return found
            finally:
                with self._lock:
                    lock, waiting = self._flights.pop((kind, key))
                    if waiting > 1:
                        self._flights[kind, key] = (lock, waiting - 1)

        return call

    def _cached_async(self, kind: str, function: Any, options: dict[str, Any]) -> Any:
        async def ask(key: str, args: Any, kwargs: Any) -> Any:
            value = await function(*args, **kwargs)
            if value is not None:
                await asyncio.to_thread(functools.partial(self.put, kind, key, value, **options))
            return value

        async def call(*args: Any, **kwargs: Any) -> Any:
            key = _key_of(function, args, kwargs)
            if (found := await asyncio.to_thread(self.get, kind, key)) is not None:
                return found
            flight = (asyncio.get_running_loop(), kind, key)
            task = self._flights.get(flight)
            if task is None:
                task = self._flights[flight] = asyncio.ensure_future(ask(key, args, kwargs))
                task.add_done_callback(lambda _: self._flights.pop(flight, None))
            return await asyncio.shield(task)  # who gives up does not take the answer from the others

        return call

    def _kind(self, kind: str) -> Kind:
        if kind not in self.kinds:
            raise ConfigError(f"the cache knows no kind {kind!r}; it has {', '.join(self.kinds)}", kind=kind)
        return self.kinds[kind]

    def _find(self, rules: Kind, name: str) -> _Held | None:
        with self._lock:
            if (kept := self._memory.get(name)) is not None:
                self._counts["memory_hits"] += 1
                return kept[0]
        read = self._disk.read(name) if rules.disk and self._disk else None
        if read is None or read[1] <= self._clock():
            return None
        held = _Held(*read)
        self._remember(name, held, rules)
        self._count("disk_hits")
        return held

    def _remember(self, name: str, held: _Held, rules: Kind) -> None:
        soon = self._clock() + _MEMORY_S
        with self._lock:
            self._memory[name] = (held, min(held.expires, soon) if rules.disk and self._disk else held.expires)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            with self._lock:
                self._memory.pop(name, None)
            if self._disk:
                self._disk.delete(name)

    def _all(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        with self._lock:
            self._memory.expire()
            yield from [(name, held.tags) for name, (held, _) in self._memory.items()]
        yield from self._disk.names() if self._disk else ()

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1


def _joined(kind: str, key: str) -> str:
    return f"{kind}{_APART}{key}"


def _matches(name: str, tags: tuple[str, ...], pattern: str, kind: str | None, tag: str | None) -> bool:
    its_kind, _, key = name.partition(_APART)
    return kind in (None, its_kind) and (tag is None or tag in tags) and fnmatch.fnmatchcase(key, pattern)


def _key_of(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    try:
        said = json.dumps([args, kwargs], sort_keys=True)
    except (TypeError, ValueError) as error:
        raise DataError(f"{function.__qualname__}: a call with {args} {kwargs} cannot be cached: {error}") from error
    return f"{function.__module__}.{function.__qualname__}:{said}"


@functools.cache
def _of(folder: Path) -> Cache:
    return Cache(folder)


def cache() -> Cache:
    """Give the cache of the current workspace."""
    from workbench.settings import load_settings

    return _of(load_settings().data / "cache")
