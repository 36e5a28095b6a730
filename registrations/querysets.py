"""Which rows: who holds a place, who waits, and which mails are due."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Subquery, When

if TYPE_CHECKING:
    from events.models import Session
    from registrations.models import Registration


class RegistrationQuerySet(models.QuerySet[Any]):
    """Registrations."""

    def confirmed(self) -> Self:
        return self.filter(status="confirmed")

    def with_entry(self) -> Self:
        """Those whose calendar is to show the entry (`Registration.has_entry`)."""
        return self.filter(entry__in=["tentative", "confirmed"])

    def waiting(self) -> Self:
        """Those who wait and have not been offered a place, in the order in which they came."""
        return self.filter(status="waitlisted", has_place=False).order_by("waiting_since", "pk")

    def overdue(self, now: datetime) -> Self:
        """Those whose time to act has run out, the longest ago first."""
        return self.filter(lapses_at__lte=now).order_by("lapses_at", "pk")

    def given_up(self, now: datetime, *, starting_after: datetime) -> Self:
        """Declined places whose time to be kept is over and for which somebody waits, the longest ago first.

        None that was paid, or whose host has none taken, nor of a session that begins before that moment. Nobody loses
        a place while a mail to them is on its way: it may be the one that asks, or tells of another time.
        """
        everybody = self.model.objects
        waiting = everybody.waiting().order_by()
        of_session = waiting.filter(session=OuterRef("session"))
        of_any = waiting.filter(webinar=OuterRef("webinar"), any_session=True)
        is_wanted = Exists(of_session) | Exists(of_any)
        on_its_way = Exists(everybody.filter(pk=OuterRef("pk"), messages__state__in=["queued", "sending", "retrying"]))
        return self.filter(
            is_wanted & ~on_its_way,
            status="confirmed",
            frees_at__lte=now,
            paid_at=None,
            session__state="scheduled",
            session__starts_at__gte=starting_after,
            session__capacity__isnull=False,
            webinar__host__keep_hours__isnull=False,
        ).order_by("frees_at", "pk")

    def undecided(self) -> Self:
        """Those without a place who would come to any session."""
        return self.filter(status__in=["pending", "waitlisted"], any_session=True, has_place=False)

    def waiting_for(self, session: "Session") -> Self:
        """The queue for a place in the session: those who want it, and those who want any of its webinar."""
        wanted = Q(session=session) | Q(webinar=session.webinar_id, any_session=True)
        return self.waiting().filter(wanted)

    def first_in_line(self, session: "Session") -> int | None:
        """Who is first in the queue for a place in the session. Two looks at an index, however long the queue is."""
        waiting = self.model.objects.waiting().values("pk")
        heads = Q(pk=Subquery(waiting.filter(session=session)[:1])) | Q(
            pk=Subquery(waiting.filter(webinar=session.webinar_id, any_session=True)[:1])
        )
        return self.model.objects.filter(heads).order_by("waiting_since", "pk").values_list("pk", flat=True).first()

    def position_of(self, registration: "Registration", *, now: datetime) -> int | None:
        """The place in the queue, counted from 1, in one query; None for whoever does not wait.

        For one session: how many stand there up to this one, itself included. For any session: over all coming sessions
        together, which is the most it can be.
        """
        if not registration.is_waitlisted or registration.has_place:
            return None
        line = Q(webinar=registration.webinar_id, any_session=True)
        if registration.any_session:
            line |= Q(webinar=registration.webinar_id, session__state="scheduled", session__ends_at__gt=now)
        else:
            line |= Q(session=registration.session_id)
        since = registration.waiting_since
        earlier = Q(waiting_since__lt=since) | Q(waiting_since=since, pk__lte=registration.pk)
        return self.waiting().filter(line, earlier).order_by().count()

    def active(self) -> Self:
        """All but the cancelled."""
        return self.exclude(status="cancelled")

    def for_address(self, email_key: str) -> Self:
        return self.filter(email_key=email_key)


# Somebody looks at a screen that says "we have written to you".
AWAITED_KINDS = (
    *("account", "proof", "pending", "confirmed", "waitlisted", "link_again", "session_changed", "cancelled", "erased"),
)


class MessageQuerySet(models.QuerySet[Any]):
    """Messages of the outbox."""

    def open(self) -> Self:
        return self.filter(state__in=["queued", "sending", "retrying"])

    def waiting(self) -> Self:
        """Open, and in nobody's hands."""
        return self.filter(state__in=["queued", "retrying"])

    def failed(self) -> Self:
        """Refused for good or tried too often, and those of which nobody knows whether they arrived."""
        return self.filter(state__in=["failed", "unknown"])

    def came_back(self) -> Self:
        return self.filter(bounced_at__isnull=False)

    def due(self, now: datetime) -> Self:
        """Waiting and due, and in order: what a person is waiting for in front of a screen before what tells many."""
        is_awaited = Case(When(kind__in=AWAITED_KINDS, then=0), default=1, output_field=models.IntegerField())
        return self.waiting().filter(due_at__lte=now)._first_in_line().order_by(is_awaited, "due_at", "pk")

    def abandoned(self, now: datetime) -> Self:
        """Left behind by a worker whose claim has run out."""
        return self.filter(state="sending", claimed_until__lte=now)._first_in_line().order_by("claimed_until", "pk")

    def _first_in_line(self) -> Self:
        """Nothing earlier to the same person is open: no update overtakes the invite that it updates.

        What nobody needs for a place carries no invite, and holds nothing back: a filter that refuses an announcement
        for two days must not keep anybody from hearing that the session is called off.
        """
        needed = self.model.objects.open().exclude(kind__in=sorted(self.model.OPTIONAL_KINDS))
        earlier = needed.filter(registration=OuterRef("registration"), pk__lt=OuterRef("pk")).order_by()
        return self.filter(Q(registration__isnull=True) | ~Exists(earlier))
