"""Invites that whoever runs the site sends to themselves, and what came back.

One goes every way that a registrant's invite goes, through the outbox, a worker and the mail server into a calendar,
and its answer every way that answers come. It belongs to no webinar and no person's registration.
"""

from datetime import datetime, timedelta

from django.db import transaction

from registrations import outbox, reply_addresses
from registrations.models import Message, Probe, Registration, new_reference

# When the entry stands: soon enough to be found, and not at the hour at which somebody looks for it.
BEGINS_IN = timedelta(days=1)
# Nobody looks at older ones.
MOST_KEPT = 20


@transaction.atomic
def send(to_email: str, *, sender_email: str, now: datetime) -> Probe:
    """Owe that address an invite from that sender. Every call is another entry."""
    reference = new_reference()
    message = outbox.enqueue_probe(reference, to_email=to_email, now=now)
    probe = Probe.objects.create(
        message=message,
        reference=reference,
        dtstamp=now.replace(microsecond=0),
        starts_at=(now + BEGINS_IN).replace(minute=0, second=0, microsecond=0),
        sender_email=sender_email,
        organizer=reply_addresses.personal(sender_email, reference),
    )
    kept = Probe.objects.order_by("-pk").values_list("message", flat=True)[:MOST_KEPT]
    Message.objects.filter(kind=Message.Kind.PROBE).exclude(pk__in=list(kept)).delete()
    return probe


def latest() -> Probe | None:
    """The newest, with its message."""
    return Probe.objects.select_related("message").first()


def note_answer(uid: str, *, partstat: Registration.Partstat | None, sender: str, now: datetime) -> bool:
    """Note what a calendar answered to the entry of that UID; false where it is none of these, and nothing is noted.

    Whoever knows the UID has had the invite. The last answer stands, and may come any number of times.
    """
    answer = {"partstat": partstat or "", "answered_at": now, "answered_by": sender[:254]}
    return bool(uid.startswith("doctor-") and Probe.objects.filter(uid=uid).update(**answer))


def note_bounce(message_id: str, *, reason: str, now: datetime) -> bool:
    """Note that the mail of that Message-ID came back, once; false where it is no invite of these."""
    mails = Message.objects.filter(kind=Message.Kind.PROBE, probe__isnull=False, message_id=message_id)
    if not message_id or not mails.exists():
        return False
    mails.filter(bounced_at=None).update(bounced_at=now, bounce=reason)
    return True
