"""Unguessable links to one's own registration, and to the calendar of all of them.

A token is the random reference of the registration, or of the calendar, and a signature over it. Each purpose has its
own salt: the joining link travels with the calendar entry and may be forwarded with it, so it must not open the
registration.
"""

from django.core import signing
from django.urls import reverse

from events.links import absolute
from registrations.models import CalendarFeed, Registration

_SEPARATOR = "."
_MANAGE = "registrations.manage"
_JOIN = "registrations.join"
_CALENDAR = "registrations.calendar"
_UNSUBSCRIBE = "registrations.unsubscribe"


class BadTokenError(LookupError):
    """The token was not made by us, or what it opened is gone. Which of these is nobody's business."""


def manage_token(registration: Registration) -> str:
    return _signer(_MANAGE).sign(registration.reference)


def join_token(registration: Registration) -> str:
    return _signer(_JOIN).sign(registration.reference)


def read_manage_token(token: str) -> Registration:
    """The registration that the token opens, with its session, webinar and host. Raises BadTokenError."""
    return _read(token, _MANAGE)


def read_join_token(token: str) -> Registration:
    """The registration that may join by the token, with its session, webinar and host. Raises BadTokenError."""
    return _read(token, _JOIN)


def unsubscribe_token(registration: Registration) -> str:
    return _signer(_UNSUBSCRIBE).sign(f"{registration.reference}-{registration.webinar.host_id}")


def read_unsubscribe_token(token: str) -> Registration:
    """The registration whose owner may stop its host's mails by the token, with its webinar. Raises BadTokenError.

    It stops those of the host that sent the mail, and opens nothing.
    """
    reference, _dash, host = _unsigned(token, _UNSUBSCRIBE).partition("-")
    found = _registration(reference)
    if str(found.webinar.host_id) != host:
        raise BadTokenError
    return found


def calendar_reference(token: str) -> str:
    """The reference of the calendar that the token opens, if there still is one. Asks nothing. Raises BadTokenError."""
    return _unsigned(token, _CALENDAR)


def calendar_url(feed: CalendarFeed) -> str:
    """The whole address of somebody's own calendar, in the language of the moment: whoever has it reads it."""
    return absolute(reverse("own_calendar", args=[_signer(_CALENDAR).sign(feed.reference)]))


def manage_url(registration: Registration) -> str:
    """The whole address of the page on which its owner sees and changes the registration."""
    return absolute(reverse("registration", args=[manage_token(registration)]))


def join_url(registration: Registration) -> str:
    """The whole address through which its owner joins."""
    return absolute(reverse("join", args=[join_token(registration)]))


def unsubscribe_url(registration: Registration) -> str:
    """The whole address at which its owner stops what nobody needs for a place, in the language of the moment."""
    return absolute(reverse("unsubscribe", args=[unsubscribe_token(registration)]))


def survey_url(registration: Registration) -> str:
    """The whole address at which its owner answers the survey."""
    return absolute(reverse("registration_survey", args=[manage_token(registration)]))


def replay_url(registration: Registration) -> str:
    """The whole address at which its owner watches the replay."""
    return absolute(reverse("registration_replay", args=[manage_token(registration)]))


def _signer(salt: str) -> signing.Signer:
    return signing.Signer(salt=salt, sep=_SEPARATOR)


def _unsigned(token: str, salt: str) -> str:
    try:
        return _signer(salt).unsign(token)
    except signing.BadSignature as error:
        raise BadTokenError from error


def _read(token: str, salt: str) -> Registration:
    return _registration(_unsigned(token, salt))


def _registration(reference: str) -> Registration:
    try:
        return Registration.objects.select_related("session__webinar__host", "webinar__host", "webinar__series").get(
            reference=reference, erased_at__isnull=True
        )
    except Registration.DoesNotExist as error:
        raise BadTokenError from error
