"""Starts programs, watches over them, and leaves none behind. What the programs do is not known here.

Processes are left behind in three ways, and each has its answer:
- Ctrl-C reaches every process of a terminal at once, in no order. So each program gets a session of its own, the
  terminal's signals come to us alone, and we stop the programs in the order that suits them.
- Whoever is killed with -9 can stop nobody. So the kernel is asked to send TERM to the programs when we die.
- A program's own children can outlive it. So what is left of its process group is killed after it.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_STDIN = 0
_POLL_SECONDS = 0.1
_TAIL_LINES = 15
_LEFTOVER_SECONDS = 2


class StopRequested(Exception):
    """Somebody pressed Ctrl-C, sent TERM, or closed the terminal."""


class ProgramFailed(Exception):
    """A program ended that should not have, or not in this way. The message can be shown to a person."""


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    # How long it may take to stop before it is killed.
    patience_seconds: float = 10
    # It finishes its work in children that must not be told to stop themselves.
    stops_its_own_children: bool = False


@dataclass
class ProcessTree:
    """The programs of one command. Of the main thread only: the kernel's promise is bound to it."""

    environment: Mapping[str, str]
    folder: Path
    log_dir: Path
    # A lock that stays held until the last program has closed it, even when we are long dead.
    lock: int | None = None
    _running: list[tuple[Program, subprocess.Popen[bytes]]] = field(default_factory=list)
    _signals: list[int] = field(default_factory=list)
    _watches_terminal: bool = False

    def heed_signals(self) -> None:
        """From here on a signal raises StopRequested at the next wait, and a second Ctrl-C ends all patience."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Whoever starts us with nohup wants us to outlive the terminal.
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            signal.signal(number, self._remember_signal)
            # A make or ssh between us and the terminal keeps its HUP to itself, so we also look.
            self._watches_terminal = number == signal.SIGHUP and os.isatty(_STDIN)

    def start(self, program: Program) -> None:
        """Start a program that is meant to run until stop()."""
        self._running.append((program, self._spawn(program)))

    def run(self, program: Program) -> None:
        """Run a program to its end. Raises ProgramFailed when it does not end well, StopRequested when told to stop."""
        self.start(program)
        process = self._running[-1][1]
        self.wait(lambda: process.poll() is not None, finishing=program)
        self._running.pop()
        if process.returncode != 0:
            raise ProgramFailed(self._obituary(program, process.returncode))

    def wait(self, until: Callable[[], bool], *, finishing: Program | None = None) -> None:
        """Wait until something is true, while every program lives, except one that is expected to finish."""
        while True:
            if self._signals or (self._watches_terminal and not os.isatty(_STDIN)):
                raise StopRequested
            for program, process in self._running:
                if program is not finishing and process.poll() is not None:
                    raise ProgramFailed(self._obituary(program, process.returncode))
            if until():
                return
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop what runs, the last started first, and return when nothing is left. May be called twice."""
        while self._running:
            self._stop(*self._running[-1])
            self._running.pop()

    def log_of(self, program: Program) -> Path:
        return self.log_dir / f"{program.name}.log"

    def tail_of(self, program: Program) -> str:
        """The last lines that the program wrote."""
        lines = self.log_of(program).read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join(f"  {line}" for line in lines)

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        self.log_dir.mkdir(parents=True, exist_ok=True)
        with self.log_of(program).open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - the command comes from our own code
                program.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if self.lock is None else (self.lock,),
                preexec_fn=_dies_with(os.getpid()),
            )

    def _stop(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            if program.stops_its_own_children:
                process.terminate()
            else:
                _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + program.patience_seconds
        while process.poll() is None and time.monotonic() < deadline and self._signals.count(signal.SIGINT) < 2:
            time.sleep(_POLL_SECONDS)
        _signal_group(process, signal.SIGKILL)
        process.wait()
        # Its children are not ours to wait for. In a container nobody may collect them, so not for ever.
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while _signal_group(process, signal.SIGKILL) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def _remember_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _obituary(self, program: Program, returncode: int) -> str:
        how = f"with status {returncode}" if returncode >= 0 else f"by signal {signal.Signals(-returncode).name}"
        return f"{program.name} ended {how}. The end of {self.log_of(program)}:\n{self.tail_of(program)}"


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Signal a program and all its children. False when nobody is left."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _dies_with(parent: int) -> Callable[[], None] | None:
    """What a child does between fork and exec, so that it is told when its parent dies. Linux alone can do this."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask_the_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have died before the kernel knew.
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel
