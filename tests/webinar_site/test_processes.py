"""Programs are started and stopped for real here: small ones, so that it is quick."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.servers import wait_until
from webinar_site.processes import ProcessTree, Program, ProgramFailed

ROOT = Path(__file__).resolve().parent.parent.parent
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]


@pytest.fixture
def tree(tmp_path):
    tree = ProcessTree(environment=dict(os.environ), folder=tmp_path, log_dir=tmp_path / "log")
    yield tree
    tree.stop()


def processes_in(folder: Path) -> set[int]:
    """Every living process that works in a folder, whoever its parent is now."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                working_folder = (entry / "cwd").readlink()
            except OSError:  # ended, or a zombie
                continue
            if working_folder.is_relative_to(folder):
                found.add(int(entry.name))
    return found


def has_said(tree: ProcessTree, program: Program, word: str) -> bool:
    return tree.log_of(program).read_text() == f"{word}\n"


def test_run_waits_for_the_end(tree):
    tree.run(Program("greet", [sys.executable, "-c", "print('hello')"]))

    assert (tree.log_dir / "greet.log").read_text() == "hello\n"


def test_run_that_fails_shows_the_end_of_the_log(tree):
    greet = Program("greet", [sys.executable, "-c", "print('first'); print('last words'); raise SystemExit(3)"])

    with pytest.raises(ProgramFailed) as failure:
        tree.run(greet)

    assert str(failure.value) == f"greet ended with status 3. The end of {tree.log_of(greet)}:\n  first\n  last words"


def test_wait_names_the_program_that_died(tree):
    tree.start(Program("steady", SLEEP))
    tree.start(Program("doomed", [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]))

    with pytest.raises(ProgramFailed, match="doomed ended by signal SIGKILL"):
        tree.wait(lambda: False)


def test_stop_takes_the_last_started_first(tree, tmp_path):
    says_so = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit()); print('up', flush=True)\n"
    says_so += "try:\n    time.sleep(60)\nfinally:\n    open('order', 'a').write(sys.argv[1])"
    for name in ("a", "b", "c"):
        program = Program(name, [sys.executable, "-c", says_so, name])
        tree.start(program)
        wait_until(partial(has_said, tree, program, "up"))

    tree.stop()

    assert (tmp_path / "order").read_text() == "cba"
    assert processes_in(tmp_path) == set()


def test_stop_kills_who_does_not_listen(tree, tmp_path):
    deaf = Program("deaf", STUBBORN, patience_seconds=0.3)
    tree.start(deaf)
    wait_until(partial(has_said, tree, deaf, "deaf"))

    tree.stop()

    assert processes_in(tmp_path) == set()


@pytest.mark.parametrize("stops_its_own_children", [True, False])
def test_stop_leaves_no_grandchild(tree, tmp_path, stops_its_own_children):
    parent = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(60)"
    program = Program(
        "parent", [sys.executable, "-c", parent, *STUBBORN], stops_its_own_children=stops_its_own_children
    )
    tree.start(program)
    wait_until(partial(has_said, tree, program, "deaf"))

    tree.stop()

    assert processes_in(tmp_path) == set()


def test_programs_end_when_their_parent_is_killed(tmp_path):
    parent = f"""
import os, sys
from pathlib import Path
from webinar_site.processes import ProcessTree, Program
folder = Path({str(tmp_path)!r})
tree = ProcessTree(environment=dict(os.environ), folder=folder, log_dir=folder)
tree.start(Program("sleep", {SLEEP!r}))
print("started", flush=True)
tree.wait(lambda: False)
"""
    with subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(processes_in(tmp_path)) == 1

        process.kill()

        wait_until(lambda: processes_in(tmp_path) == set(), seconds=5)


WAITING = """
import os
from pathlib import Path
from webinar_site.processes import ProcessTree, StopRequested
tree = ProcessTree(environment=dict(os.environ), folder=Path("."), log_dir=Path("."))
tree.heed_signals()
print("started", flush=True)
try:
    tree.wait(lambda: False)
except StopRequested:
    print("told to stop")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_wait(number):
    with subprocess.Popen([sys.executable, "-c", WAITING], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()

        process.send_signal(number)

        assert process.stdout.read() == "told to stop\n"
        assert process.wait() == 0


def test_a_closed_terminal_ends_the_wait_even_when_nobody_passes_its_signal_on():
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", WAITING],
        cwd=ROOT,
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.close(theirs)

        os.close(ours)

        assert process.stdout.read() == "told to stop\n"
        assert process.wait() == 0
