"""Whether a session takes anybody, in a mark and words that go together."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import formats
from events.models import Session, Webinar


class Kind(StrEnum):
    """What may be done about a session."""

    OPEN = "open"
    FEW = "few"
    WAITING = "waiting"
    FULL = "full"
    CANCELLED = "cancelled"
    ANNOUNCED = "announced"
    CLOSED = "closed"
    PAST = "past"


# The shape beside the words, a class of the stylesheet: disc, half disc, ring, crossed square, bar.
MARKS = {
    Kind.OPEN: "",
    Kind.FEW: "few",
    Kind.WAITING: "fullup",
    Kind.FULL: "fullup",
    Kind.CANCELLED: "gone",
    Kind.ANNOUNCED: "fullup",
    Kind.CLOSED: "past",
    Kind.PAST: "past",
}
SELECTABLE = {Kind.OPEN, Kind.FEW, Kind.WAITING}


@dataclass(frozen=True)
class Availability:
    """A session's state for people who might come."""

    kind: Kind
    words: str

    @property
    def mark(self) -> str:
        return MARKS[self.kind]

    @property
    def is_selectable(self) -> bool:
        return self.kind in SELECTABLE


def availability(session: Session, *, now: datetime, zone: str) -> Availability:
    """What a session still offers; moments in the words are told in the zone. Reads `session.webinar`."""
    webinar = session.webinar
    if session.is_called_off and not session.took_place(now):
        return Availability(Kind.CANCELLED, _("Cancelled"))
    if session.has_ended(now):
        return Availability(Kind.PAST, _("Ended"))
    if not webinar.registration_is_open(now):
        return _not_open(webinar, now, zone)
    if session.is_full:
        if session.has_waiting_list:
            return Availability(Kind.WAITING, _("Full, waiting list open"))
        return Availability(Kind.FULL, _("Full"))
    return _open(session, now)


def _not_open(webinar: Webinar, now: datetime, zone: str) -> Availability:
    if webinar.registration_opens_at and now < webinar.registration_opens_at:
        when = formats.short_date(webinar.registration_opens_at, zone)
        return Availability(Kind.ANNOUNCED, _("Registration opens on %(date)s") % {"date": when})
    return Availability(Kind.CLOSED, _("Registration has closed"))


def _open(session: Session, now: datetime) -> Availability:
    if session.is_running(now):
        return Availability(Kind.OPEN, _("Running now, you can still come in"))
    if session.places_left is None:
        return Availability(Kind.OPEN, _("Places free"))
    words = ngettext("%(count)d place left", "%(count)d places left", session.places_left) % {
        "count": session.places_left
    }
    return Availability(Kind.FEW if session.is_nearly_full else Kind.OPEN, words)
