"""Registrations per second over HTTP, beside the database's own rate of committing one inserted row."""

import http.client
import re
import sys
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

from django.db import connection

from benchmarks import servers, wrk
from events.models import Session
from registrations.models import Message, OfferCode, Registration
from webinar_site.demonstration.border_security import CASPIAN_SLUG

ROUNDS = 3
SCRIPT = str(Path(__file__).with_name("register.lua"))
# As many as the web server has threads, and so connections to the database.
DATABASE_CLIENTS = 8


def measure(site: str, *, folder: Path, seconds: int) -> None:
    """Each takes a place and writes its calendar entry, its offer code and its mail, in one transaction."""
    insert = _prepare_insert(folder)
    session = Session.objects.filter(webinar__slug=CASPIAN_SLUG).earliest("starts_at")
    Session.objects.filter(pk=session.pk).update(capacity=None)
    _register(site, session, run="warm", seconds=1)
    before = _settled_count()
    answered, ours, theirs = 0, [], []
    for number in range(ROUNDS):
        theirs.append(servers.pgbench(insert, folder=folder, clients=DATABASE_CLIENTS, seconds=seconds))
        load = _register(site, session, run=str(number), seconds=seconds)
        ours.append(load.per_second)
        answered += load.requests
    written = _check(answered, before)
    ratio = median(mine / bare for mine, bare in zip(ours, theirs, strict=True))
    print(f"  database: {median(theirs):,.0f} single-row inserts a second, each committed, {DATABASE_CLIENTS} clients")
    print(
        f"  registrations: {median(ours):,.0f} a second, {ratio:.1%} of that; {written:,} written, each with its mail"
    )


def _prepare_insert(folder: Path) -> Path:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL)")
    script = folder / "insert.sql"
    script.write_text("INSERT INTO bare (name, at) VALUES ('A visitor', now());\n")
    return script


def _register(site: str, session: Session, *, run: str, seconds: int) -> wrk.Load:
    cookie, token = _form_token(site)
    before = urlencode(
        {"csrfmiddlewaretoken": token, "session": session.pk, "time_zone": "Asia/Tashkent", "name": "Anna Karimova"}
    )
    path = f"/webinars/{CASPIAN_SLUG}/register/"
    arguments = (path, cookie, f"{before}&email=", "", run)
    return wrk.load(site, seconds=seconds, script=SCRIPT, arguments=arguments)


def _form_token(site: str) -> tuple[str, str]:
    """The cookie and the token that a form sends back, empty where the site needs none."""
    visit = http.client.HTTPConnection(urlsplit(site).netloc)
    visit.request("GET", f"/webinars/{CASPIAN_SLUG}/")
    response = visit.getresponse()
    cookie = (response.getheader("Set-Cookie") or "").split(";")[0]
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', response.read().decode())
    visit.close()
    return cookie, token[1] if token else ""


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
