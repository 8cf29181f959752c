"""The engine, imported by the first task: Dask takes a second to import, and a finished study does not need it."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from rarelabels.study.engine import Engine

T = TypeVar("T")
R = TypeVar("R")
Event = dict[str, Any]


class Workers:
    """A :class:`rarelabels.study.engine.Engine` that the first task imports and starts; a context manager.

    Args:
        count: workers to start on this machine; as many as cores if None.
        scheduler: address of a running Dask scheduler, whose workers are used instead.
    """

    def __init__(self, count: int | None = None, scheduler: str | None = None) -> None:
        self._count, self.scheduler = count, scheduler
        self._open = ExitStack()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def begin(self, modules: Sequence[str]) -> None:
        """Start the workers in the background; see :meth:`rarelabels.study.engine.Engine.begin`."""
        self._engine.begin(modules)

    @property
    def count(self) -> int:
        """The number of workers, or of those that will be started."""
        return self._engine.count if self.scheduler else self._count or os.cpu_count() or 1

    def is_open_to_others(self) -> bool:
        """Return whether anybody on other machines can use the scheduler, and so run code as its user.

        A scheduler that this command starts is not open: only its workers have the keys, see ``tls_keys``.
        """
        place = urlsplit(self.scheduler or "")
        return bool(self.scheduler) and place.scheme != "tls" and not _is_loopback(place.hostname or "")

    def other_machines(self) -> list[str]:
        """Return the names of the other machines that have workers."""
        return self._engine.other_machines() if self.scheduler else []

    def map(
        self,
        function: Callable[[T, Callable[[Event], None]], R],
        tasks: Sequence[T],
        on_event: Callable[[int, Event], None],
        group: Callable[[T], Hashable] = lambda _: None,
    ) -> Iterator[tuple[int, R | None]]:
        """Yield (position of the task, result) as tasks end; see :meth:`rarelabels.study.engine.Engine.map`."""
        if tasks:
            yield from self._engine.map(function, tasks, on_event, group)

    @cached_property
    def _engine(self) -> Engine:
        from rarelabels.study.engine import Engine

        return self._open.enter_context(Engine(self._count, self.scheduler))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
