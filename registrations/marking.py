"""Writing the mark "sent" while the next mail is handed over.

A commit takes as long as the disk does, some milliseconds in which a mail server could be reading. So where a worker
has many mails, a thread writes the mark through a connection of its own, at once after the server's 250; the worker
waits for it only when the server has taken the next mail too. The moment in which a lost worker makes a duplicate stays
as long as it was: from the 250 to the commit.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Protocol, Self

from django.db import connection, connections

# Whoever has one mail, or a handful, is through before a second connection is there.
WRITTEN_BY_ITSELF = 5


class Marks(AbstractContextManager["Marks"], Protocol):
    """Where marks are written, one after the other. Leaving it waits for the last."""

    def write(self, mark: Callable[[], None]) -> None:
        """Have `mark` run, at once or beside what comes next. Raises what went wrong with it, or with the one before.

        Whatever went wrong before, this one is written.
        """

    def settle(self) -> bool:
        """Wait until all is written; false where it was already. Raises what went wrong with it."""


def open_marks() -> Marks:
    """Beside the next mail where the database has room for a second writer: not on SQLite, nor in a transaction."""
    is_alone = connection.vendor != "postgresql" or connection.in_atomic_block
    return _InTurn() if is_alone else _Beside()


class _InTurn:
    """One thing at a time."""

    def write(self, mark: Callable[[], None]) -> None:
        mark()

    def settle(self) -> bool:
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing waits."""


class _Beside:
    """A thread with a connection of its own, from the first mark on that is worth it. At most one mark waits."""

    def __init__(self) -> None:
        self._written = 0
        self._thread: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None

    def write(self, mark: Callable[[], None]) -> None:
        self._written += 1
        if self._written <= WRITTEN_BY_ITSELF:
            mark()
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="marks")
        try:
            self.settle()
        finally:
            self._last = self._thread.submit(mark)

    def settle(self) -> bool:
        last, self._last = self._last, None
        if last is None:
            return False
        last.result()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is None:
            return
        with ExitStack() as in_the_end:
            in_the_end.callback(self._thread.shutdown)
            # Those of the thread, which nobody else may close.
            in_the_end.callback(self._thread.submit, connections.close_all)
            self.settle()
