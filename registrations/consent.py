"""Which mails somebody may be sent: the one place that says so, for one person and for many.

What is necessary for a place goes to whoever holds it. All else is about the webinar that they registered for, and goes
to those who want it.
"""

from registrations.models import Message, Registration
from registrations.querysets import RegistrationQuerySet

Kind = Message.Kind

# What nobody who holds a place needs: reminding, thanking, asking, offering, announcing.
OPTIONAL_KINDS = frozenset(
    {
        Kind.REMINDER,
        Kind.STARTING,
        Kind.CAME,
        Kind.MISSED,
        Kind.SURVEY,
        Kind.REPLAY,
        Kind.OFFER_EARNED,
        Kind.ANNOUNCEMENT,
    }
)


def is_necessary(kind: Message.Kind) -> bool:
    """Whether it is sent for the place itself, or for signing in, and cannot be stopped without giving that up."""
    return kind not in OPTIONAL_KINDS


def may_be_sent(kind: Message.Kind, registration: Registration) -> bool:
    """Whether that person may be sent such a mail. `willing` finds the same people."""
    if is_necessary(kind):
        return True
    return not registration.is_erased and registration.awaits != Registration.Awaits.PROOF


def willing(people: RegistrationQuerySet, kind: Message.Kind) -> RegistrationQuerySet:
    """Those of these people who may be sent such a mail. `may_be_sent` says it of one."""
    if is_necessary(kind):
        return people
    return people.filter(erased_at__isnull=True).exclude(awaits=Registration.Awaits.PROOF)
