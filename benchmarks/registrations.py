"""Registrations per second over HTTP, beside the database's own rate of committing one inserted row."""

import sys
import time
from pathlib import Path
from statistics import median

from benchmarks import form, servers, wrk
from events.models import Session
from registrations.models import Message, OfferCode, Registration
from webinar_site.demonstration.border_security import CASPIAN_SLUG

ROUNDS = 3
SCRIPT = str(Path(__file__).with_name("register.lua"))
# As many as the web server has threads, and so connections to the database.
DATABASE_CLIENTS = 8


def measure(site: str, *, folder: Path, insert: Path, seconds: int) -> None:
    """Each takes a place and writes its calendar entry, its offer code and its mail, in one transaction."""
    session = open_session()
    body = form.filled_in(site, session)
    post(site, body, run="warm", seconds=1)
    before = _settled_count()
    answered, ours, theirs = 0, [], []
    for number in range(ROUNDS):
        theirs.append(servers.pgbench(insert, folder=folder, clients=DATABASE_CLIENTS, seconds=seconds))
        load = post(site, body, run=str(number), seconds=seconds)
        ours.append(load.per_second)
        answered += load.requests
    written = _check(answered, before)
    ratio = median(mine / bare for mine, bare in zip(ours, theirs, strict=True))
    print(f"  database: {median(theirs):,.0f} single-row inserts a second, each committed, {DATABASE_CLIENTS} clients")
    print(
        f"  registrations: {median(ours):,.0f} a second, {ratio:.1%} of that; {written:,} written, each with its mail"
    )


def open_session() -> Session:
    """The demonstration's next session, with room for everybody."""
    session = Session.objects.filter(webinar__slug=CASPIAN_SLUG).earliest("starts_at")
    Session.objects.filter(pk=session.pk).update(capacity=None)
    return session


def post(site: str, body: str, *, run: str, seconds: int) -> wrk.Load:
    """Somebody new with each request. Stops the run when anything else than the way to the next page was answered."""
    return wrk.load(site, seconds=seconds, script=SCRIPT, arguments=(form.PATH, body, run))


def _settled_count() -> tuple[int, int, int]:
    """Registrations, codes and mails, once the requests that wrk gave up on are through."""
    earlier, count = None, _count()
    while earlier != count:
        time.sleep(0.5)
        earlier, count = count, _count()
    return count


def _count() -> tuple[int, int, int]:
    return Registration.objects.count(), OfferCode.objects.count(), Message.objects.count()


def _check(answered: int, before: tuple[int, int, int]) -> int:
    """How many were written. A rate of anything else than whole registrations would be no rate."""
    written, codes, messages = (now - then for now, then in zip(_settled_count(), before, strict=True))
    # wrk hangs up on the answers that it still waits for at the end of each round.
    if not answered <= written <= answered + ROUNDS * wrk.CONNECTIONS or not written == codes == messages:
        sys.exit(f"{answered} answers, {written} registrations, {codes} codes, {messages} mails: something is missing.")
    return written
