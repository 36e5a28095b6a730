"""Which rows: what is public, coming, past, and whose it is."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db import models
from django.db.models.functions import Coalesce, Greatest

if TYPE_CHECKING:
    from events.models import Webinar  # noqa: F401 - WebinarQuerySet names it in a text


# Who can view: whoever finds the address, or is given it.
OPEN_TO_ALL = ("everyone", "unlisted")
# So long calendars go on showing what is over, and what was called off: every one that follows sees the withdrawal.
IN_CALENDARS_FOR = timedelta(days=30)


def is_listed(webinar: str = "") -> models.Q:
    """`WebinarQuerySet.listed`, for a query of other rows: `webinar` is the way to the webinar, such as "webinar__"."""
    return models.Q(**{f"{webinar}access": "everyone"}) & ~models.Q(**{f"{webinar}status": "draft"})


def is_in_calendars(now: datetime, session: str = "") -> models.Q:
    """`SessionQuerySet.in_calendars`, for a query of other rows: `session` is the way to the session."""
    since = now - IN_CALENDARS_FOR
    stands = models.Q(**{f"{session}state": "scheduled", f"{session}ends_at__gt": since})
    return stands | _was_cancelled_after(since, session)


def _was_cancelled_after(moment: datetime, session: str = "") -> models.Q:
    return models.Q(**{f"{session}state": "cancelled", f"{session}revised_at__gt": moment})


class WebinarQuerySet(models.QuerySet["Webinar"]):
    """Webinars."""

    def published(self) -> Self:
        """Those with a page, though it may open for some people alone (events/visibility.py)."""
        return self.exclude(status="draft")

    def reachable(self) -> Self:
        """Those whose page opens for whoever has the address."""
        return self.published().filter(access__in=OPEN_TO_ALL)

    def listed(self) -> Self:
        """Those that lists, feeds, sitemaps and search engines may name."""
        return self.filter(is_listed())

    def with_next_session(self, now: datetime) -> Self:
        """Annotate `next_starts_at` (the first session that has not ended) and `last_ends_at`; null where none.

        Cancelled sessions do not count, save that a webinar with no others ends when its last would have ended.
        """
        is_planned = ~models.Q(sessions__state="cancelled")
        return self.annotate(
            next_starts_at=models.Min("sessions__starts_at", filter=is_planned & models.Q(sessions__ends_at__gt=now)),
            last_ends_at=Coalesce(models.Max("sessions__ends_at", filter=is_planned), models.Max("sessions__ends_at")),
        )

    def with_last_change(self) -> Self:
        """Annotate `changed_at`: when its page or one of its sessions was last changed."""
        return self.annotate(
            changed_at=Greatest("updated_at", Coalesce(models.Max("sessions__revised_at"), "updated_at"))
        )

    def in_the_news(self, now: datetime, *, new_for: timedelta) -> Self:
        """Those with a session still to end, and those that were made lately; what changed last stands first."""
        is_new = models.Q(created_at__gt=now - new_for)
        return (
            self.with_next_session(now)
            .with_last_change()
            .filter(models.Q(last_ends_at__gt=now) | is_new)
            .order_by("-changed_at", "pk")
        )

    def upcoming(self, now: datetime) -> Self:
        """With a session still to end, soonest first; what was called off stays until it would have ended."""
        first_called_off = models.Min("sessions__starts_at", filter=models.Q(sessions__ends_at__gt=now))
        return (
            self.with_next_session(now)
            .filter(last_ends_at__gt=now)
            .order_by(Coalesce("next_starts_at", first_called_off), "pk")
        )

    def past(self, now: datetime) -> Self:
        """Whose every session has ended, latest first."""
        return self.with_next_session(now).filter(last_ends_at__lte=now).order_by("-last_ends_at", "pk")


class SeriesQuerySet(models.QuerySet[Any]):
    """Series."""

    def reachable(self) -> Self:
        """Those with a page: there is none before a webinar of it is published that everybody may see."""
        webinars: WebinarQuerySet = apps.get_model("events", "Webinar")._default_manager.all()
        return self.filter(models.Exists(webinars.reachable().filter(series=models.OuterRef("pk"))))


class SessionQuerySet(models.QuerySet[Any]):
    """Sessions."""

    def scheduled(self) -> Self:
        return self.filter(state="scheduled")

    def upcoming(self, now: datetime) -> Self:
        """Not ended yet, soonest first."""
        return self.filter(ends_at__gt=now).order_by("starts_at", "pk")

    def in_calendars(self, now: datetime) -> Self:
        """What a calendar that follows shows: those to come and of the last 30 days, and for 30 days the cancelled."""
        return self.filter(is_in_calendars(now))

    def to_copy(self, now: datetime) -> Self:
        """What a file has that nothing updates: all that were not cancelled, whenever they are, and those lately."""
        return self.filter(models.Q(state="scheduled") | _was_cancelled_after(now - IN_CALENDARS_FOR))


class OfferQuerySet(models.QuerySet[Any]):
    """Offers."""

    def active(self, now: datetime | models.Expression) -> Self:
        """Those that can be earned at that moment."""
        return self.filter(
            models.Q(valid_from__isnull=True) | models.Q(valid_from__lte=now),
            models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=now),
            is_active=True,
        )

    def covering(
        self, *, webinar: int | models.Expression, series: int | models.Expression | None, host: int | models.Expression
    ) -> Self:
        """Those whose scope covers a webinar, the narrowest first, by the ids of it, of its series and its host."""
        covers = (
            models.Q(scope="site")
            | models.Q(scope="host", host_id=host)
            | models.Q(scope="webinar", webinar_id=webinar)
        )
        if series is not None:
            covers |= models.Q(scope="series", series_id=series)
        rank = models.Case(
            *(models.When(scope=scope, then=place) for place, scope in enumerate(("webinar", "series", "host"))),
            default=3,
            output_field=models.IntegerField(),
        )
        return self.filter(covers).order_by(rank, "pk")
