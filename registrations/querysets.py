"""Which rows: who holds a place, who waits, and which mails are due."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, When

if TYPE_CHECKING:
    from registrations.models import Registration


class RegistrationQuerySet(models.QuerySet[Any]):
    """Registrations."""

    def confirmed(self) -> Self:
        return self.filter(status="confirmed")

    def waiting(self) -> Self:
        """Those who wait, in the order in which they came."""
        return self.filter(status="waitlisted").order_by("waiting_since", "pk")

    def queued_up_to(self, registration: "Registration") -> Self:
        """Those of the same queue up to this one, itself included: their number is its place in the line."""
        return self.waiting().filter(
            Q(waiting_since__lt=registration.waiting_since)
            | Q(waiting_since=registration.waiting_since, pk__lte=registration.pk),
            session_id=registration.session_id,
        )

    def position_of(self, registration: "Registration") -> int | None:
        """The place in the queue, counted from 1; None for whoever does not wait."""
        return self.queued_up_to(registration).count() if registration.is_waitlisted else None

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
        return self.filter(state__in=["queued", "claimed", "sending"])

    def due(self, now: datetime) -> Self:
        """Queued and due, and in order: what a person is waiting for in front of a screen before what tells many."""
        is_awaited = Case(When(kind__in=AWAITED_KINDS, then=0), default=1, output_field=models.IntegerField())
        return self.filter(state="queued", due_at__lte=now)._first_in_line().order_by(is_awaited, "due_at", "pk")

    def abandoned(self, now: datetime) -> Self:
        """Left behind by a worker whose claim has run out."""
        left_behind = Q(state__in=["claimed", "sending"], claimed_until__lte=now)
        return self.filter(left_behind)._first_in_line().order_by("claimed_until", "pk")

    def claimable(self, now: datetime) -> Self:
        """Due or abandoned."""
        due = Q(state="queued", due_at__lte=now)
        return self.filter(due | Q(state__in=["claimed", "sending"], claimed_until__lte=now))._first_in_line()

    def _first_in_line(self) -> Self:
        """Nothing earlier to the same person is open: no update overtakes the invite that it updates."""
        earlier = (
            self.model.objects.open().filter(registration=OuterRef("registration"), pk__lt=OuterRef("pk")).order_by()
        )
        return self.filter(Q(registration__isnull=True) | ~Exists(earlier))
