"""Whether mails to many come to an end: those of the plan, and what organizers announce."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registrations import mailings
from webinar_site.doctor.seen import Seen, amber, green

# A sweep comes every half minute and writes some ten thousand mails in one.
WRITTEN_WITHIN = timedelta(minutes=5)
NAMED_AT_MOST = 5


def check_mailings(*, now: datetime) -> Seen:
    late = mailings.unwritten_since(now - WRITTEN_WITHIN)
    if not late:
        return green(_("All mails to many that have begun are written, or were begun just now."))
    words = ngettext(
        "%(count)d mailing was begun more than 5 minutes ago, and is not written: %(numbers)s.",
        "%(count)d mailings were begun more than 5 minutes ago, and are not written: %(numbers)s.",
        len(late),
    )
    numbers = ", ".join(str(mailing.pk) for mailing in late[:NAMED_AT_MOST]) + ("…" if late[NAMED_AT_MOST:] else "")
    return amber(
        words % {"count": len(late), "numbers": numbers},
        _(
            "Look for their numbers in the worker's log: one that fails is tried again with each sweep, and the others"
            " go on. Where the log tells of none, no worker is at it, or they are long: look again in a while."
        ),
    )
