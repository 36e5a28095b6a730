"""One worker's share of the outbox, as often as it is told: python -m benchmarks.drainer

For each line on standard input it sends whatever is due until nothing is left, and answers with a line of JSON: how
many it sent, and how much memory it then takes, in megabytes.
"""

import json
import logging
import sys
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402 - models can be imported once Django is set up

from registrations import delivery  # noqa: E402


def main() -> None:
    logging.disable(logging.INFO)
    connection.ensure_connection()
    print("ready", flush=True)
    for _line in sys.stdin:
        sent = delivery.drain(seconds=3600)
        print(json.dumps({"sent": sent, "megabytes": resident_megabytes()}), flush=True)


def resident_megabytes() -> float:
    """VmRSS of proc(5)."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
