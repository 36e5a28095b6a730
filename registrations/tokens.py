"""Unguessable links to one's own registration.

A token is the registration's random reference and a signature over it. Each purpose has its own salt: the joining link
travels with the calendar entry and may be forwarded with it, so it must not open the registration.
"""

from django.core import signing
from django.urls import reverse

from events.links import absolute
from registrations.models import Registration

_SEPARATOR = "."
_MANAGE = "registrations.manage"
_JOIN = "registrations.join"


class BadTokenError(LookupError):
    """The token was not made by us, or its registration is gone or erased. Which of these is nobody's business."""


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


def manage_url(registration: Registration) -> str:
    """The whole address of the page on which its owner sees and changes the registration."""
    return absolute(reverse("registration", args=[manage_token(registration)]))


def join_url(registration: Registration) -> str:
    """The whole address through which its owner joins."""
    return absolute(reverse("join", args=[join_token(registration)]))


def _signer(salt: str) -> signing.Signer:
    return signing.Signer(salt=salt, sep=_SEPARATOR)


def _read(token: str, salt: str) -> Registration:
    try:
        reference = _signer(salt).unsign(token)
        return Registration.objects.select_related("session__webinar__host", "webinar__host", "webinar__series").get(
            reference=reference, erased_at__isnull=True
        )
    except (signing.BadSignature, Registration.DoesNotExist) as error:
        raise BadTokenError from error
