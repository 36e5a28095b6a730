"""The webinars that a page names beside its own: what was chosen, else what is nearest, else what comes next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, F, Max, Min, OuterRef, Q, QuerySet, When
from django.urls import reverse

from events import formats
from events.models import Session, Webinar
from events.statements import Given, Statement

MOST_INSTEAD = 3
# What nobody chose is a guess; what somebody chose is shown.
MOST_NEAR = 3
MOST_CHOSEN = 12


@dataclass(frozen=True)
class RelatedWebinar:
    starts_at: datetime | None
    title: str
    url: str
    summary: str
    language: str
    date: str
    is_over: bool


def related_webinars(webinar: Webinar, *, is_called_off: bool, now: datetime, zone: str) -> list[RelatedWebinar]:
    """What the organizer chose, and where nothing of it can be seen, a few of what is nearest to the webinar.

    What is coming stands first, soonest before later. What was called off has what its host gives next instead of
    what is near, since what is over makes up for nothing. One query, and one more for that.
    """
    rows = _RECOMMENDED.rows(
        now=now, webinar=webinar.pk, series=webinar.series_id, host=webinar.host_id, language=webinar.language
    )
    chosen = [row for nearness, *row in rows if nearness == _CHOSEN]
    if is_called_off and not chosen:
        return _coming(webinar, now, zone)
    near = [row for _nearness, *row in rows][:MOST_NEAR]
    return sorted(
        (_related_entry(*row, now=now, zone=zone) for row in chosen or near),
        key=lambda entry: (entry.is_over, entry.starts_at or now, entry.title),
    )


_CHOSEN, _OF_SERIES, _OF_HOST, _OF_LANGUAGE = range(4)


def _write_recommended() -> QuerySet[Webinar, tuple[Any, ...]]:
    """Listed webinars by their nearness; those whose every session was called off are none to recommend."""
    now, webinar, series, host, language = (Given(name) for name in ("now", "webinar", "series", "host", "language"))
    chosen = Webinar.recommended.through._default_manager.filter(from_webinar=webinar).values("to_webinar")
    soon = Session.objects.scheduled().filter(webinar=OuterRef("pk"), ends_at__gt=now)
    is_planned = ~Q(sessions__state=Session.State.CANCELLED)
    return (
        Webinar.objects.listed()
        .filter(status=Webinar.Status.PUBLISHED)
        .exclude(pk=webinar)
        .filter(Q(pk__in=chosen) | Q(series=series) | Q(host=host) | Q(Exists(soon), language=language))
        .annotate(
            nearness=Case(
                When(pk__in=chosen, then=_CHOSEN),
                When(series=series, then=_OF_SERIES),
                When(host=host, then=_OF_HOST),
                default=_OF_LANGUAGE,
            ),
            next_starts_at=Min("sessions__starts_at", filter=is_planned & Q(sessions__ends_at__gt=now)),
            held_until=Max("sessions__ends_at", filter=is_planned),
            planned_until=Max("sessions__ends_at"),
        )
        # What was chosen may stand there before its date does.
        .filter(Q(held_until__isnull=False) | Q(planned_until=None, nearness=_CHOSEN))
        .order_by("nearness", F("next_starts_at").asc(nulls_last=True), F("held_until").desc(), "pk")
        .values_list("nearness", "slug", "title", "summary", "language", "next_starts_at", "held_until")[:MOST_CHOSEN]
    )


_RECOMMENDED = Statement(_write_recommended)


def _coming(webinar: Webinar, now: datetime, zone: str) -> list[RelatedWebinar]:
    """One query: what the host gives next, for readers of a page that has nothing to offer any more."""
    others = Webinar.objects.listed().filter(host=webinar.host_id, status=Webinar.Status.PUBLISHED)
    coming = [other for other in others.exclude(pk=webinar.pk).upcoming(now) if not _is_called_off(other, now)]
    return [_related(other, now, zone) for other in coming[:MOST_INSTEAD]]


def coming_webinars(*, now: datetime, zone: str | None) -> list[RelatedWebinar]:
    """One query: what the site gives next, for readers who have lost their way. Dates are the host's without a zone."""
    others = Webinar.objects.listed().filter(status=Webinar.Status.PUBLISHED).select_related("host").upcoming(now)
    coming = [other for other in others[: MOST_INSTEAD * 2] if not _is_called_off(other, now)]
    return [_related(other, now, other.host.shown_zone(zone)) for other in coming[:MOST_INSTEAD]]


def _is_called_off(other: Webinar, now: datetime) -> bool:
    """Whether it would still end, had its sessions not all been cancelled. Takes one `with_next_session`."""
    last_ends_at: datetime | None = other.last_ends_at  # type: ignore[attr-defined]
    return other.next_starts_at is None and last_ends_at is not None and last_ends_at > now  # type: ignore[attr-defined]


def _related(other: Webinar, now: datetime, zone: str) -> RelatedWebinar:
    next_starts_at: datetime | None = other.next_starts_at  # type: ignore[attr-defined]
    last_ends_at: datetime | None = other.last_ends_at  # type: ignore[attr-defined]
    return _related_entry(
        other.slug, other.title, other.summary, other.language, next_starts_at, last_ends_at, now=now, zone=zone
    )


def _related_entry(
    slug: str,
    title: str,
    summary: str,
    language: str,
    next_starts_at: datetime | None,
    last_ends_at: datetime | None,
    *,
    now: datetime,
    zone: str,
) -> RelatedWebinar:
    is_over = next_starts_at is None and last_ends_at is not None and last_ends_at <= now
    moment = last_ends_at if is_over else next_starts_at
    return RelatedWebinar(
        starts_at=next_starts_at,
        title=title,
        url=reverse("webinar", args=[slug]),
        summary=summary,
        language=formats.foreign_language(language),
        date=formats.short_date(moment, zone) if moment else "",
        is_over=is_over,
    )
