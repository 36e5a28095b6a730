"""What an organizer hears, when publishing, of what the doctor found: what it means for people, and what they can do.

What was last found is read in one query, and nothing is looked at here: a page must not wait for a mail server.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from events.admin.wording import ago
from events.models import Finding

# A worker that the schedule calls looks each minute (webinar_site/tasks.py). After that, one of the two stands still.
NOBODY_LOOKS_AFTER = timedelta(minutes=5)

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


def warnings(*, now: datetime) -> list[str]:
    """A sentence for each thing that is red, and what to do; nothing while nothing is."""
    findings = list(Finding.objects.all())
    red = [finding.topic for finding in findings if finding.light == Finding.Light.RED]
    said = list(dict.fromkeys(_(_MEANINGS.get(topic, _PARTS)) for topic in red))
    last = max((finding.looked_at for finding in findings), default=None)
    if last is None or now - last > NOBODY_LOOKS_AFTER:
        said.append(_not_looked(last, now))
    if not said:
        return []
    return [*said, _("Tell whoever runs the site, who finds more on the page “Doctor”.")]


def _not_looked(last: datetime | None, now: datetime) -> str:
    if last is None:
        return _(
            "Nobody has looked yet whether mail goes out. If that stays so, the worker or the schedule is missing."
        )
    return _(
        "Whether mail goes out was last looked at %(ago)s: the worker or the schedule stands still, and mail waits."
    ) % {"ago": ago(now - last)}
