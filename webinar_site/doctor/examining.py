"""The checks in their order, who makes them and when, and what is kept of what they saw.

The quick ones are made whenever somebody looks, and by the schedule each minute. The slow ones read many rows, or ask
the mail server and the DNS, all at once and for a limited time: the schedule makes them, and whoever asks for it.
"""

import functools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import dns.resolver
import redis
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.models import Finding
from webinar_site import heartbeats
from webinar_site.doctor import addresses, basics, domains, mail_server, mailings, probing, programs
from webinar_site.doctor.addresses import Senders
from webinar_site.doctor.deadline import Deadline
from webinar_site.doctor.domains import Dns
from webinar_site.doctor.seen import Line, Seen, amber, red

# For all slow checks together.
SLOW_SECONDS = 12
# Beyond that, for those that do not look at the time themselves.
GRACE_SECONDS = 2


class Look:
    """One examination: what its checks have in common is found out once."""

    def __init__(
        self, *, now: datetime, seconds: float = SLOW_SECONDS, resolver: dns.resolver.Resolver | None = None
    ) -> None:
        self.now = now
        self.deadline = Deadline(seconds)
        self.dns = Dns(self.deadline, resolver)

    @functools.cached_property
    def heard(self) -> heartbeats.Heard | None:
        """None where the broker does not answer."""
        try:
            return heartbeats.listen()
        except redis.RedisError:
            return None

    @functools.cached_property
    def senders(self) -> Senders:
        return addresses.senders(now=self.now)


class Pace(Enum):
    """Quick: takes a moment. Broad: reads many rows. Far: leaves the machine, and knows no database."""

    QUICK = "quick"
    BROAD = "broad"
    FAR = "far"


@dataclass(frozen=True)
class Check:
    """A thing that the site needs, and how it is looked at. `topic` names it for good."""

    topic: str
    name: Any
    look: Callable[[Look], Seen]
    pace: Pace = Pace.QUICK


def _ahead(look: Look) -> timedelta | None:
    return look.heard.broker_is_ahead if look.heard is not None else None


def _of_domains(topic: str, name: Any, ask: Callable[[Dns, str], Seen]) -> Check:
    return Check(topic, name, lambda look: domains.check_each(ask, look.senders.domains, look.dns), Pace.FAR)


# In the order in which they are told: what others need comes first.
CHECKS = [
    Check("database", gettext_lazy("Database"), lambda look: basics.check_database()),
    Check("migrations", gettext_lazy("Migrations"), lambda look: basics.check_migrations()),
    Check("broker", gettext_lazy("Broker"), lambda look: programs.check_broker(look.heard)),
    Check("workers", gettext_lazy("Workers"), lambda look: programs.check_workers(look.heard)),
    Check("schedule", gettext_lazy("Schedule"), lambda look: programs.check_schedule(look.heard)),
    Check("mailings", gettext_lazy("Mails to many"), lambda look: mailings.check_mailings(now=look.now)),
    Check(
        "mail-server",
        gettext_lazy("Mail server"),
        lambda look: mail_server.check_mail_server(look.senders.every, look.deadline),
        Pace.FAR,
    ),
    Check(
        "addresses",
        gettext_lazy("From and ORGANIZER"),
        lambda look: addresses.check_addresses(look.senders),
        Pace.BROAD,
    ),
    _of_domains("mx", gettext_lazy("Where answers arrive (MX)"), domains.mx),
    _of_domains("spf", "SPF", domains.spf),
    _of_domains("dkim", "DKIM", domains.dkim),
    _of_domains("dmarc", "DMARC", domains.dmarc),
    Check("clocks", gettext_lazy("Clocks"), lambda look: basics.check_clocks(broker_is_ahead=_ahead(look))),
    Check("zone-rules", gettext_lazy("Zone rules"), lambda look: basics.check_zone_rules()),
    Check("tzdata", gettext_lazy("Age of the zone rules"), lambda look: basics.check_age_of_zone_rules(now=look.now)),
    Check(
        "sessions",
        gettext_lazy("Sessions and zone rules"),
        lambda look: basics.check_sessions_agree(now=look.now),
        Pace.BROAD,
    ),
    Check("media", gettext_lazy("Pictures"), lambda look: basics.check_media_folder()),
    Check("probe", gettext_lazy("Invite to yourself"), lambda look: probing.check_probe(now=look.now)),
]


# ---------- looking ----------


def examine(look: Look) -> list[Line]:
    """Run every check, in their order. One that fails is red, and the rest go on."""
    seen = {line.topic: line for line in (*examine_quickly(look), *examine_slowly(look))}
    return [seen[check.topic] for check in CHECKS]


def examine_quickly(look: Look) -> list[Line]:
    """Those that take a moment."""
    return [_line(check, look) for check in _of_pace(Pace.QUICK)]


def examine_slowly(look: Look) -> list[Line]:
    """Those that take longer, but never much longer than the look's deadline."""
    return [*(_line(check, look) for check in _of_pace(Pace.BROAD)), *_all_at_once(_of_pace(Pace.FAR), look)]


def _of_pace(pace: Pace) -> list[Check]:
    return [check for check in CHECKS if check.pace is pace]


def _line(check: Check, look: Look) -> Line:
    return Line(check.topic, str(check.name), _made(check, look), look.now)


def _made(check: Check, look: Look) -> Seen:
    try:
        return check.look(look)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the doctor is asked for
        return red(
            _("This could not be looked at (%(error)s).") % {"error": type(error).__name__},
            _("Mend what is red above, and ask again."),
        )


def _all_at_once(checks: list[Check], look: Look) -> list[Line]:
    """Each in a thread of its own. One that hangs is left to itself, and ends with its own timeouts or the process."""
    found: dict[str, Seen] = {}
    try:
        # Read here: the threads have no connection to the database, and need none.
        look.senders  # noqa: B018
    except Exception:  # noqa: BLE001 - each of the checks meets it again, and tells it
        return [_line(check, look) for check in checks]

    def make(check: Check) -> None:
        found[check.topic] = _made(check, look)

    threads = [threading.Thread(target=make, args=(check,), daemon=True) for check in checks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(look.deadline.left + GRACE_SECONDS)
    return [Line(check.topic, str(check.name), found.get(check.topic) or _no_answer(), look.now) for check in checks]


def _no_answer() -> Seen:
    return amber(_("It did not answer in time."), _("Look again in a while."))


# ---------- keeping ----------


def keep(lines: Iterable[Line]) -> None:
    """Let these stand for what was last seen, beside what is kept of other checks. Two at once do no harm."""
    rows = [
        Finding(
            topic=line.topic,
            light=line.seen.light,
            what=line.seen.what,
            to_do=line.seen.to_do,
            looked_at=line.looked_at,
        )
        for line in lines
    ]
    with transaction.atomic():
        Finding.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["topic"],
            update_fields=["light", "what", "to_do", "looked_at"],
        )
        # Those of checks that an earlier release made would stay red for ever.
        Finding.objects.exclude(topic__in=[check.topic for check in CHECKS]).delete()


def kept() -> dict[str, Line]:
    """What was last seen, by topic, in one query."""
    names = {check.topic: str(check.name) for check in CHECKS}
    return {
        row.topic: Line(row.topic, names[row.topic], Seen(Finding.Light(row.light), row.what, row.to_do), row.looked_at)
        for row in Finding.objects.filter(topic__in=names)
    }
