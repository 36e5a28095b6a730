"""Which mails somebody may be sent: the one place that says so, for one person and for many.

What is necessary for a place goes to whoever holds it. All else (`Message.OPTIONAL_KINDS`) is about the webinar that
they registered for, and goes to those who want it.
"""

from registrations import stops
from registrations.models import Message, Registration
from registrations.querysets import RegistrationQuerySet


def is_necessary(kind: Message.Kind) -> bool:
    """Whether it is sent for the place itself, or for signing in, and cannot be stopped without giving that up."""
    return kind not in Message.OPTIONAL_KINDS


def may_be_sent(kind: Message.Kind, registration: Registration) -> bool:
    """Whether that person may be sent such a mail, save what `stops` has read with the message already."""
    if is_necessary(kind):
        return True
    return not registration.is_erased and registration.awaits != Registration.Awaits.PROOF


def willing(people: RegistrationQuerySet, kind: Message.Kind) -> RegistrationQuerySet:
    """Those of these people who may be sent such a mail, and whose address takes it."""
    if is_necessary(kind):
        return people
    known = people.filter(erased_at__isnull=True).exclude(awaits=Registration.Awaits.PROOF)
    return stops.willing(known)
