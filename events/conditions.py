"""What an offer asks for, in words."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import formats
from events.models import OfferCondition

Kind = OfferCondition.Kind


def condition_text(kind: str, *, minutes: int | None = None, until: date | None = None) -> str:
    """One way to earn an offer, as a sentence without its full stop: "Watch the replay by 11 November 2020"."""
    if kind == Kind.REGISTERED:
        return _("Register for a session")
    if kind == Kind.ATTENDED:
        if not minutes:
            return _("Attend a session live")
        return ngettext(
            "Attend a session live for at least %(count)d minute",
            "Attend a session live for at least %(count)d minutes",
            minutes,
        ) % {"count": minutes}
    if kind == Kind.ASKED:
        return _("Send the presenters a question before the day")
    if kind == Kind.REPLAY:
        return (
            _("Watch the replay by %(date)s") % {"date": formats.plain_date(until)} if until else _("Watch the replay")
        )
    if kind == Kind.SURVEY:
        return _("Answer the survey")
    return str(kind)
