"""What stops mails to somebody: an address that does not take them, and their own word.

An address is noted when a mail server says for good that it takes nothing; then nothing goes there, from any host,
until it is corrected: by its owner, who says so on their page, proves it or signs in with a code that was sent to it,
or by an organizer. Whoever registers later than that, once more too, is believed to know their address, for all that is
theirs. Their own word is for one host, and only for what nobody needs for a place (`Message.OPTIONAL_KINDS`); see
docs/decisions/0027.
"""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from events.email_addresses import address_key, wire_key
from events.models import Webinar
from registrations.models import BouncedAddress, Message, Registration, Unsubscription
from registrations.querysets import MessageQuerySet, RegistrationQuerySet

ADDRESS_FAILS = "The address does not take mail."
UNWANTED = "Its reader has unsubscribed from such mails."

# Those reasons by which rows are found; the sentences are for people alone.
CODES = {
    ADDRESS_FAILS: Message.CancelledBecause.ADDRESS_FAILS,
    UNWANTED: Message.CancelledBecause.UNWANTED,
}

How = Unsubscription.How

# X.0.0 says nothing: Exim's reports bear it whatever the server said.
_STATUS = re.compile(r"(?<![\d.])[245]\.(?!0\.0(?!\d))\d{1,3}\.\d{1,3}(?![\d.])")
# What can be said of nothing but the reader's own address (RFC 3463 3.2, 3.3): no such mailbox (1), no such domain (2),
# not an address (3), moved without a trace (6), a domain that takes no mail at all (10, RFC 7505), and a mailbox that
# is closed. All others may be about us or the way, which would silence every reader at once: see decision 27.
_THE_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})


# ---------- asked when a mail is sent ----------


def annotated(messages: MessageQuerySet) -> MessageQuerySet:
    """The same rows, each knowing whether anything stops it: no statement more."""
    email_key, host = OuterRef("registration__email_key"), OuterRef("registration__webinar__host")
    unwanted = Unsubscription.objects.filter(email_key=email_key, host=host)
    return messages.annotate(address_fails=Exists(_failing(email_key)), is_unwanted=Exists(unwanted))


def in_sql(person: str, *, is_optional: bool) -> list[str]:
    """What stops a mail to that registration, as conditions for a statement that is written by hand.

    The same as `annotated` reads; a test holds the one to the other.
    """
    bounced, unwanted, webinar = (each._meta.db_table for each in (BouncedAddress, Unsubscription, Webinar))
    theirs = f"email_key = {person}.email_key"
    # Nothing in them comes from outside.
    since = (
        f"SELECT 1 FROM {Registration._meta.db_table} later"  # noqa: S608
        f" WHERE later.email_key = {bounced}.email_key AND later.registered_at > {bounced}.noted_at"
    )
    fails = f"SELECT 1 FROM {bounced} WHERE {theirs} AND NOT EXISTS ({since})"  # noqa: S608
    host = f"(SELECT host_id FROM {webinar} WHERE id = {person}.webinar_id)"  # noqa: S608
    is_unwanted = f"SELECT 1 FROM {unwanted} WHERE {theirs} AND host_id = {host}"  # noqa: S608
    return [fails, is_unwanted] if is_optional else [fails]


def reason(message: Message) -> str:
    """Why an annotated message is not to be sent; empty where nothing stops it."""
    if message.address_fails:
        return ADDRESS_FAILS
    if message.is_unwanted and message.kind in Message.OPTIONAL_KINDS:
        return UNWANTED
    return ""


def willing(people: RegistrationQuerySet) -> RegistrationQuerySet:
    """Those of these people who may be sent what nobody needs for a place."""
    host = OuterRef("webinar__host")
    theirs = Unsubscription.objects.filter(email_key=OuterRef("email_key"), host=host)
    return people.exclude(Exists(theirs)).exclude(Exists(_failing(OuterRef("email_key"))))


def failing(people: QuerySet[Registration]) -> QuerySet[Registration]:
    """Those of these people whose address does not take mail."""
    return people.filter(Exists(_failing(OuterRef("email_key"))))


def failing_address(registration: Registration) -> BouncedAddress | None:
    """What is known of an address that does not take mail; None where it takes it, as far as anybody knows."""
    return _failing(registration.email_key).first()


def _failing(email_key: Any) -> QuerySet[BouncedAddress]:
    """What is noted of the address and stands: nobody has registered with it since, for any webinar."""
    since = Registration.objects.filter(email_key=OuterRef("email_key"), registered_at__gt=OuterRef("noted_at"))
    return BouncedAddress.objects.filter(~Exists(since), email_key=email_key)


# ---------- what comes back ----------


def status_in(text: str) -> str:
    """The first enhanced status code (RFC 3463) in what a server said; empty where there is none that says anything."""
    found = _STATUS.search(text)
    return found[0] if found else ""


def is_for_good(status: str) -> bool:
    """Whether the status says for sure that the address takes no mail: not for now, not this mail, not from us."""
    return status in _THE_ADDRESS


def came_back(messages: Collection[Message], *, reason: str, is_hard: bool, now: datetime) -> bool:
    """Mark mails that came back; and their address, where it takes no mail. False when that says nothing new.

    Each is marked once, and once more where only a later report says that it is the address, as where a
    provider tells of a full mailbox and then of none. What says the same again does not undo a correction.
    """
    marked = [message for message in messages if _mark(message, reason=reason, is_hard=is_hard, now=now)]
    if is_hard:
        for message in marked:
            note_address(message, reason=reason, now=now)
    return bool(marked)


def _mark(message: Message, *, reason: str, is_hard: bool, now: datetime) -> bool:
    # Whoever was erased meanwhile has an address no more, and the reason may name it.
    mail = Message.objects.filter(pk=message.pk).exclude(to_email="")
    if mail.filter(bounced_at=None).update(bounced_at=now, bounce=reason):
        return True
    before = mail.values_list("bounce", flat=True).first()
    if not is_hard or before is None or before == reason or is_for_good(status_in(before)):
        return False
    return bool(mail.filter(bounce=before).update(bounce=reason))


def note_address(message: Message, *, reason: str, now: datetime) -> None:
    """Stop further mail to whoever that mail was for, since the address takes none."""
    with transaction.atomic():
        reader = _lock(message.registration_id)
        if reader is None:
            return
        known = {"noted_at": now, "reason": reason, "message": message}
        BouncedAddress.objects.update_or_create(email_key=reader.email_key, defaults=known)


def _lock(registration_id: int | None) -> Registration | None:
    """A registration as it is now, until the end of the transaction; None where it was erased since it was read.

    What is noted of an address after it was forgotten would stay for good.
    """
    rows = Registration.objects.select_for_update(of=("self",), no_key=True).select_related("webinar")
    return rows.filter(pk=registration_id, erased_at=None).first()


def lift(email: str) -> bool:
    """The address takes mail again, as somebody says who knows. False when it was not noted."""
    return bool(BouncedAddress.objects.filter(email_key=address_key(email)).delete()[0])


def keys_of(address: str) -> set[str]:
    """How that address, as mail servers spell it, may stand beside a registration."""
    return {address_key(address), wire_key(address), _spelt_with_letters(address)}


def _spelt_with_letters(address: str) -> str:
    """The address in small letters, its domain as people type it (RFC 5891)."""
    local, at, domain = wire_key(address).rpartition("@")
    try:
        return f"{local}{at}{domain.encode('ascii').decode('idna')}"
    except UnicodeError:
        return f"{local}{at}{domain}"


# ---------- their own word ----------


def unsubscription_of(registration: Registration) -> Unsubscription | None:
    """What its owner said to that host; None where they want all mails."""
    return _of(registration).first()


def unsubscribe(registration: Registration, *, how: How, now: datetime) -> bool:
    """Send nothing more from that host to that address that is not needed for a place. False when that was so before.

    May run any number of times, at once; whoever said it first stays the one who is named. Of whoever was erased
    meanwhile nothing is noted.
    """
    said = {"asked_at": now, "how": how}
    with transaction.atomic():
        mine = _lock(registration.pk)
        if mine is None:
            return False
        _row, is_new = Unsubscription.objects.get_or_create(
            host_id=mine.webinar.host_id, email_key=mine.email_key, defaults=said
        )
    return is_new


def resubscribe(registration: Registration) -> bool:
    """Take it back. False when there was nothing to take back."""
    return bool(_of(registration).delete()[0])


def _of(registration: Registration) -> QuerySet[Unsubscription]:
    return Unsubscription.objects.filter(host=registration.webinar.host_id, email_key=registration.email_key)


# ---------- erasing ----------


def forget(email_keys: Iterable[str]) -> None:
    """Forget what is known of addresses that no registration has any more, host by host.

    Nobody can write to them by then; whoever comes back with the address starts anew. Where another registration is
    left, its owner's word stays, or they would get again what they have stopped.
    """
    keys = list(email_keys)
    left = Registration.objects.filter(email_key=OuterRef("email_key"))
    BouncedAddress.objects.filter(~Exists(left), email_key__in=keys).delete()
    Unsubscription.objects.filter(~Exists(left.filter(webinar__host=OuterRef("host"))), email_key__in=keys).delete()
