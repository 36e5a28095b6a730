"""What happens here when the catalogue or somebody's account changes: each receiver is a call or two long."""

from datetime import datetime
from typing import Any

from allauth.account.signals import user_logged_in
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from anymail.signals import AnymailInboundEvent, AnymailTrackingEvent
from anymail.signals import inbound as mail_handed_on
from anymail.signals import tracking as mail_tracked
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from events.models import Session, User
from events.scheduling import PlannedTime
from events.signals import places_added, session_cancelled, session_rescheduled
from registrations import accounts, attendance, inbound, notifications, signup
from registrations.inbound import handed_on

# Before any webhook is asked.
handed_on.bound_parsing()


@receiver(session_rescheduled)
def on_session_rescheduled(
    session: Session, previous: PlannedTime, previous_title: str, now: datetime, **_: Any
) -> None:
    attendance.forget_earlier_date(session, previous=previous)
    notifications.tell_rescheduled(session, previous=previous, previous_title=previous_title, now=now)


@receiver(session_cancelled)
def on_session_cancelled(session: Session, now: datetime, **_: Any) -> None:
    # First, so that nobody is told of what does not concern them: some wait for whichever session has a place.
    signup.leave_cancelled(session, now=now)
    notifications.tell_session_cancelled(session, now=now)


@receiver(places_added)
def on_places_added(session: Session, now: datetime, **_: Any) -> None:
    signup.promote_waiting(session, now=now)


@receiver(authenticator_added)
def on_authenticator_added(request: HttpRequest, authenticator: Authenticator, **_: Any) -> None:
    accounts.remember_second_step(request, authenticator)


@receiver(mail_handed_on)
def on_mail_handed_on(event: AnymailInboundEvent, **_: Any) -> None:
    # Sent by the webhooks alone, which answer only where the settings have their secret.
    inbound.receive_parsed(event.message, recipient=event.message.envelope_recipient or "", now=timezone.now())


@receiver(mail_tracked)
def on_mail_tracked(event: AnymailTrackingEvent, **_: Any) -> None:
    inbound.note_event(event, now=timezone.now())


@receiver(user_logged_in)
def on_logged_in(request: HttpRequest, user: User, **_: Any) -> None:
    accounts.note_that_mail_arrives(request, user)
