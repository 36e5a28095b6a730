"""The address that a calendar answers to: one for each registration, where its domain takes tags (RFC 5233).

`rsvp@example.org` becomes `rsvp+<tag>@example.org`, which the mailbox of the first receives as well. The tag names the
registration and is signed, so that an answer that comes to it was written by somebody who has the invite. It is the
entry's ORGANIZER and the From of the mails about it, which calendars want to be the same.
"""

import re

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from events.email_addresses import domain_of

_SALT = "registrations.reply_addresses"
# 80 bits, in letters and digits: servers on the way may change the case of what stands before the @.
_SIGNATURE_DIGITS = 20
_MARK = "+"
_TAG = re.compile(rf"[0-9a-z]+-[0-9a-f]{{{_SIGNATURE_DIGITS}}}", re.ASCII | re.IGNORECASE)
# RFC 5321 4.5.3.1.1
_MOST_IN_LOCAL_PART = 64


def personal(address: str, reference: str) -> str:
    """The address of that registration beside `address`, or `address` itself where its domain takes no tags."""
    if domain_of(address) not in settings.SUBADDRESS_DOMAINS:
        return address
    local, _at, domain = address.rpartition("@")
    tagged = f"{local}{_MARK}{reference.lower()}-{_signature(reference, settings.SECRET_KEY)}"
    return f"{tagged}@{domain}" if len(tagged) <= _MOST_IN_LOCAL_PART else address


def looks_personal(address: str) -> bool:
    """Whether it is written as the address of some registration, be it signed by us or by somebody else."""
    local, _at, _domain = address.strip().rpartition("@")
    _name, _mark, tag = local.rpartition(_MARK)
    return _TAG.fullmatch(tag) is not None


def read_reference(address: str) -> str | None:
    """The reference of the registration whose address that is; None for any other address, and for a forged one."""
    reference, signature = _parts(address)
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    is_ours = any(constant_time_compare(signature, _signature(reference, key)) for key in keys)
    return reference if reference and is_ours else None


def named_reference(address: str) -> str:
    """The reference that an address bears, whoever signed it; empty where it bears none."""
    return _parts(address)[0]


def _parts(address: str) -> tuple[str, str]:
    """The reference and the signature of an address; both empty where it is written in another way."""
    local, _at, _domain = address.strip().rpartition("@")
    _name, mark, tag = local.rpartition(_MARK)
    if not (mark and _TAG.fullmatch(tag)):
        return "", ""
    reference, _dash, signature = tag.rpartition("-")
    return reference.upper(), signature.lower()


def _signature(reference: str, secret: str) -> str:
    return salted_hmac(_SALT, reference, secret=secret, algorithm="sha256").hexdigest()[:_SIGNATURE_DIGITS]
