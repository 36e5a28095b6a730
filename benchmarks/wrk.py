"""Asks for pages as quickly as they come, with wrk."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

CONNECTIONS = 16


@dataclass(frozen=True)
class Load:
    """What came of one round."""

    requests: int
    per_second: float


def load(
    url: str,
    *,
    seconds: int,
    script: str = "",
    arguments: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Load:
    """One round. Stops the run when a single answer was an error: an error page is quickly made."""
    command = ["wrk", "--threads", "2", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    for name, value in (headers or {}).items():
        command += ["--header", f"{name}: {value}"]
    if script:
        command += ["--script", script]
    done = subprocess.run([*command, url, "--", *arguments], check=True, capture_output=True, text=True)
    others = re.search(r"Other answers: (\d+)", done.stdout)
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout or (others and int(others[1])):
        sys.exit(f"{url} answered with errors:\n{done.stdout}")
    requests = re.search(r"(\d+) requests in", done.stdout)
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if requests is None or per_second is None:
        sys.exit(f"wrk said something else than expected:\n{done.stdout}")
    return Load(int(requests[1]), float(per_second[1]))
