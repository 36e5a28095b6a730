"""A small chaos with everything in it, so that the large one cannot rot: see docs/benchmarks.md."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.services


@pytest.fixture
def hurried(services: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of the chaos: the test's own database and Redis, and shorter times."""
    return services | {"DJANGO_SETTINGS_MODULE": "benchmarks.hurried", "BENCHMARK_FOLDER": str(tmp_path)}


def test_nothing_is_lost_while_workers_are_killed_and_redis_is_emptied(hurried: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.chaos", str(tmp_path)]
    few = ["--registrations", "100", "--kills", "3", "--seconds", "10"]

    done = subprocess.run([*command, *few], cwd=ROOT, env=hurried, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 registrations" in done.stdout
    assert "3 kills" in done.stdout
    assert "lost: 0; other faults: 0" in done.stdout
