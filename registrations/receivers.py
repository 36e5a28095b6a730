"""What registrations do when the catalogue changes: each receiver is one call long."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from events.models import Session
from events.scheduling import PlannedTime
from events.signals import places_added, session_cancelled, session_rescheduled
from registrations import notifications, signup


@receiver(session_rescheduled)
def on_session_rescheduled(session: Session, previous: PlannedTime, now: datetime, **_: Any) -> None:
    notifications.tell_rescheduled(session, previous=previous, now=now)


@receiver(session_cancelled)
def on_session_cancelled(session: Session, now: datetime, **_: Any) -> None:
    notifications.tell_session_cancelled(session, now=now)


@receiver(places_added)
def on_places_added(session: Session, now: datetime, **_: Any) -> None:
    signup.promote_waiting(session, now=now)
