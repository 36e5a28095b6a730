"""Starts private servers and measures the site on them: python -m benchmarks [NAME]..."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import servers

NAMES = ("pages", "registrations", "mails", "calendars", "places")
# Minutes long: only where asked for.
LONG_NAMES = ("mailing", "chaos")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"some of {', '.join(NAMES)}; all of them unless told. Or {', '.join(LONG_NAMES)}",
    )
    parser.add_argument("--seconds", type=int, default=5, help="for each round of a web measurement")
    parser.add_argument(
        "--mails",
        type=int,
        default=500,
        help="for each round of the measurements of mails and invites; mailing: in all, 10,000 unless told",
    )
    parser.add_argument(
        "--large",
        action="store_true",
        help="places: also beside a million registrations; mailing: also 100,000 mails. Both take some minutes",
    )
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - {*NAMES, *LONG_NAMES}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(NAMES + LONG_NAMES)}")
    # Under /tmp whatever TMPDIR says: a socket's path must be short, and the user postgres must get there.
    with tempfile.TemporaryDirectory(prefix="webinar-bench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with servers.postgres(folder) as database_url, servers.redis(folder) as redis_url:
            port = servers.free_port()
            environment = {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
                "BENCHMARK_FOLDER": name,
                "SITE_URL": f"http://127.0.0.1:{port}",
                # As in production: limits and all.
                "DEBUG": "false",
                "SECRET_KEY": "of this run only, and never of another",
                "DEFAULT_FROM_EMAIL": "Webinars <webinars@example.org>",
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                # Nobody listens there: the mail measurement names a port of its own.
                "EMAIL_URL": "smtp://127.0.0.1:9",
                "MEDIA_ROOT": f"{name}/media",
            }
            command = [sys.executable, "-m", "benchmarks.measure", str(chosen.seconds), str(chosen.mails)]
            command.append("large" if chosen.large else "small")
            done = subprocess.run([*command, *(chosen.names or NAMES)], cwd=servers.ROOT, env=environment, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
