"""What an organizer hears, when publishing, of what the doctor found: what it means for people, and what they can do.

What was last found is read in one query, and nothing is looked at here: a page must not wait for a mail server.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from events.admin.wording import ago
from events.models import Finding, User

# A worker that the schedule calls looks each minute (webinar_site/tasks.py). After that, one of the two stands still.
NOBODY_LOOKS_AFTER = timedelta(minutes=5)
# Of those who run the site, so many are told by their address.
NAMED_AT_MOST = 3

_MAIL_WAITS = gettext_noop(
    "Mail is not going out at present: whoever registers has their place, and gets mail and invite once it is mended."
)
_SPAM = gettext_noop("Mails may be taken for forged at present, and end among spam.")
_ANSWERS = gettext_noop("What people answer in their calendars may not arrive at present.")
_TIMES = gettext_noop("Clocks or the rules for time zones are not in order: times may be told wrong.")
_PICTURES = gettext_noop("Pictures cannot be stored at present.")
_PARTS = gettext_noop("Parts of the site do not work at present.")

_MEANINGS = {
    "broker": _MAIL_WAITS,
    "workers": _MAIL_WAITS,
    "schedule": _MAIL_WAITS,
    "mail-server": _MAIL_WAITS,
    "spf": _SPAM,
    "dkim": _SPAM,
    "dmarc": _SPAM,
    "mx": _ANSWERS,
    "probe": _ANSWERS,
    "addresses": _ANSWERS,
    "clocks": _TIMES,
    "zone-rules": _TIMES,
    "media": _PICTURES,
}


def warnings(*, now: datetime, reader: User | None = None) -> list[str]:
    """A sentence for each thing that is red, and what to do or whom to ask; nothing while nothing is."""
    findings = list(Finding.objects.all())
    red = [finding.topic for finding in findings if finding.light == Finding.Light.RED]
    said = list(dict.fromkeys(_(_MEANINGS.get(topic, _PARTS)) for topic in red))
    last = max((finding.looked_at for finding in findings), default=None)
    if last is None or now - last > NOBODY_LOOKS_AFTER:
        said.append(_not_looked(last, now))
    if not said:
        return []
    return [*said, _where_more_is_told(reader)]


def _where_more_is_told(reader: User | None) -> str:
    """The page is for those who run the site (docs/decisions/0024); everybody else learns who they are."""
    if reader is not None and reader.is_superuser:
        return _("The page “Doctor” says more.")
    running = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")[:NAMED_AT_MOST]
    addresses = [user.email for user in running if user.email]
    if not addresses:
        return _("Tell whoever runs the site, who finds more on the page “Doctor”.")
    return _("Tell whoever runs the site, who finds more on the page “Doctor”: %(addresses)s.") % {
        "addresses": ", ".join(addresses)
    }


def _not_looked(last: datetime | None, now: datetime) -> str:
    if last is None:
        return _(
            "Nobody has looked yet whether mail goes out. If that stays so, the worker or the schedule is missing."
        )
    return _(
        "Whether mail goes out was last looked at %(ago)s: the worker or the schedule stands still, and mail waits."
    ) % {"ago": ago(now - last)}
