"""Which rows: who holds a place, who waits, and which mails are due."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

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

    def active(self) -> Self:
        """All but the cancelled."""
        return self.exclude(status="cancelled")

    def for_address(self, email_key: str) -> Self:
        return self.filter(email_key=email_key)


class MessageQuerySet(models.QuerySet[Any]):
    """Messages of the outbox."""

    def open(self) -> Self:
        return self.filter(state__in=["queued", "claimed", "sending"])

    def claimable(self, now: datetime) -> Self:
        """Due, or left behind by a worker whose claim has run out; and nothing earlier to the same person is open.

        The last part keeps the order: no update overtakes the invite that it updates.
        """
        earlier = (
            self.model.objects.open().filter(registration=OuterRef("registration"), pk__lt=OuterRef("pk")).order_by()
        )
        return (
            self.filter(
                Q(state="queued", due_at__lte=now) | Q(state__in=["claimed", "sending"], claimed_until__lte=now)
            )
            .filter(Q(registration__isnull=True) | ~Exists(earlier))
            .order_by("due_at", "pk")
        )
