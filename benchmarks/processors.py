"""Processor time by program, from Linux' own books: what the figures would be where nobody else is at work."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    seconds: float


def seconds_of(*roots: int) -> float:
    """What these processes and all that they have started took so far."""
    children: dict[int, list[_Process]] = {}
    found = {process.pid: process for process in _processes()}
    for process in found.values():
        children.setdefault(process.parent, []).append(process)
    trees = [found[root] for root in roots if root in found]
    seconds = 0.0
    while trees:
        process = trees.pop()
        seconds += process.seconds
        trees += children.get(process.pid, [])
    return seconds


def _processes() -> Iterable[_Process]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in brackets, and may have spaces and brackets in it.
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # Fields 14 to 17 of proc(5): its own time, and that of children that it has outlived.
        yield _Process(int(path.parent.name), int(fields[1]), sum(map(int, fields[11:15])) / _TICKS)
