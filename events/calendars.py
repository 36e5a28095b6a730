"""The calendars of a host, a series and a webinar, to subscribe to: what each shows, and how to tell that it changed.

Whoever follows one asks every hour, and it changes a few times a week. So what it is made of is counted in one
statement, and the calendar itself is written only for those who have another (docs/decisions/0020).
"""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, DurationField, F, QuerySet, Sum, Value

from events.models import Host, Series, Session, Webinar
from events.querysets import SessionQuerySet, is_in_calendars, is_listed

# Moments are summed up as so much time since.
_BEFORE_ANY = Value(datetime(2020, 1, 1, tzinfo=UTC))
_COUNTED = ("shown", "shown_keys", "shown_sequences", "shown_revised", "shown_updated")


def hosts(now: datetime) -> QuerySet[Host]:
    """Hosts, with what `made_of` reads of the calendar of all their webinars."""
    return _counted(Host.objects.all(), "webinars__", now)


def series(now: datetime) -> QuerySet[Series]:
    """Series that have a page, with their hosts and the same."""
    return _counted(Series.objects.reachable().select_related("host"), "webinars__", now)


def webinars(now: datetime) -> QuerySet[Webinar]:
    """Listed webinars, with their hosts and the same. None of the others has a calendar to subscribe to."""
    return _counted(Webinar.objects.listed().select_related("host"), "", now)


def made_of(subject: Host | Series | Webinar) -> tuple[Any, ...]:
    """What tells the sessions in its calendar, as they are now, from those that were in it before.

    Sums, not the latest moment: what is saved first may be stored last, and is then not the latest when it turns up.
    """
    return tuple(getattr(subject, name) for name in _COUNTED)


def sessions_of(subject: Host | Series | Webinar, *, now: datetime) -> SessionQuerySet:
    """The sessions in its calendar, each with its webinar: those of listed webinars alone."""
    whose = {Host: "webinar__host", Series: "webinar__series", Webinar: "webinar"}[type(subject)]
    found = Session.objects.in_calendars(now).filter(is_listed("webinar__"), **{whose: subject})
    return found.select_related("webinar")


def _counted(subjects: QuerySet[Any], webinar: str, now: datetime) -> QuerySet[Any]:
    session = f"{webinar}sessions__"
    shown = is_listed(webinar) & is_in_calendars(now, session)
    return subjects.annotate(
        shown=Count(f"{session}pk", filter=shown),
        shown_keys=Sum(f"{session}pk", filter=shown),
        shown_sequences=Sum(f"{session}sequence", filter=shown),
        shown_revised=Sum(F(f"{session}revised_at") - _BEFORE_ANY, filter=shown, output_field=DurationField()),
        shown_updated=Sum(F(f"{webinar}updated_at") - _BEFORE_ANY, filter=shown, output_field=DurationField()),
    )
