"""Registering by many at once: whether every promise holds, and how quick it is beside bare inserts."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from django.db import connection

from benchmarks import servers

SHOWN_FAULTS = 10
LARGE = "webinar_site_large"


@dataclass(frozen=True)
class Crowd:
    """What came of one run of `benchmarks.crowd`."""

    people: int
    cancelling: int
    confirmed: int
    waiting: int
    clients: int
    seconds: float
    faults: list[str]

    @property
    def per_second(self) -> float:
        return self.people / self.seconds


def measure(*, folder: Path, insert: Path, seconds: int, is_large: bool) -> None:
    """One crowd between two rounds of bare inserts by as many clients. Stops the run where a promise is broken."""
    connection.close()
    if is_large:
        servers.copy_database(LARGE, folder=folder)
    crowd = _run_crowd()
    rounds = [servers.pgbench(insert, folder=folder, clients=crowd.clients, seconds=seconds) for _round in range(2)]
    print(
        f"  {crowd.people:,} people registered while {crowd.cancelling} cancelled, {crowd.clients} clients: "
        f"{crowd.confirmed:,} confirmed, {crowd.waiting:,} wait in order, no deadlock, no error"
    )
    print(f"  database: {mean(rounds):,.0f} single-row inserts a second, each committed, {crowd.clients} clients")
    print(f"  registrations: {crowd.per_second:,.0f} a second, {crowd.per_second / mean(rounds):.1%} of that")
    if is_large:
        _measure_large()


def _measure_large() -> None:
    """The same crowd beside a million others, and beside almost nobody, in turn."""
    large = {"DATABASE_URL": os.environ["DATABASE_URL"].replace("/webinar_site?", f"/{LARGE}?")}
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "benchmarks.bulk"], cwd=servers.ROOT, env={**os.environ, **large}, check=True)
    print(f"  a million registrations written in {time.monotonic() - began:,.0f} seconds")
    rates: dict[bool, list[float]] = {True: [], False: []}
    for is_large in (False, True, True, False):
        rates[is_large].append(_run_crowd(large if is_large else {}).per_second)
    ratio = mean(rates[True]) / mean(rates[False])
    print(f"  registrations: {mean(rates[False]):,.0f} a second beside almost nobody", end="")
    print(f", {mean(rates[True]):,.0f} beside a million, {ratio:.1%} of that")


def _run_crowd(environment: Mapping[str, str] | None = None) -> Crowd:
    command = [sys.executable, "-m", "benchmarks.crowd"]
    environ = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=servers.ROOT, env=environ, check=True, stdout=subprocess.PIPE, text=True)
    crowd = Crowd(**json.loads(done.stdout))
    for fault in crowd.faults[:SHOWN_FAULTS]:
        print(f"  BROKEN: {fault}")
    if crowd.faults:
        sys.exit(f"{len(crowd.faults):,} promises were broken.")
    return crowd
