"""Addresses of people: what tells one from another, what cannot be one, and whose domain it is at."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 254  # RFC 5321 4.5.3.1.3, without the angle brackets
# Within quotation marks, a stroke before a letter says nothing (RFC 5321 4.1.2).
_QUOTED_LETTER = re.compile(r"\\(.)")


def address_key(email: str) -> str:
    """What tells one address from another: without space around it, in one letter case."""
    return email.strip().lower()


def wire_key(email: str) -> str:
    """`address_key` with the domain as mail servers spell it, so that what came by mail equals what was typed here."""
    local, at, domain = address_key(email).rpartition("@")
    return f"{local}{at}{spelt_in_ascii(domain) or domain}"


def mailbox_key(email: str) -> str:
    """What tells one mailbox from another, as far as anybody can see: what stands after a plus sorts its owner's mail.

    Quotation marks, and another spelling of the domain, lead to the same. Only for counting: two addresses of one
    mailbox are still two addresses.
    """
    local, _at, domain = address_key(email).rpartition("@")
    domain = spelt_in_ascii(domain) or domain
    if len(local) > 2 and local.startswith('"') and local.endswith('"'):
        local = _QUOTED_LETTER.sub(r"\1", local[1:-1])
    local = local.partition("+")[0] or local
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def domain_of(email: str) -> str:
    """What stands after the last @, in one letter case; empty where there is none."""
    _local, at, domain = address_key(email).rpartition("@")
    return domain if at else ""


def folds(email: str) -> bool:
    """Whether a letter of it becomes a plain one in one letter case, and it another's, as the Kelvin sign."""
    return any(not letter.isascii() and letter.lower().isascii() for letter in email)


def spelt_in_ascii(domain: str) -> str:
    """The domain as mail servers spell it (RFC 3490), empty where it cannot be spelt so or would become another.

    The newer rules (RFC 5891) keep what the older ones fold: faß.de would reach whoever has fass.de.
    """
    try:
        spelt = domain.encode("idna")
        is_same = domain.isascii() or spelt.decode("idna").lower() == domain.lower()
    except UnicodeError:
        return ""
    return spelt.decode("ascii") if is_same else ""


def check_email(email: str) -> None:
    """Raise ValidationError with what is wrong with the address, where no mail could reach it."""
    if len(email) > MAX_LENGTH:
        raise ValidationError(
            _("This has %(length)s characters; at most %(limit)s are taken"),
            code="too_long",
            params={"length": len(email), "limit": MAX_LENGTH},
        )
    fault = _email_fault(email)
    if fault:
        raise ValidationError(fault, code="email")


def _email_fault(email: str) -> str:
    local, at, domain = email.rpartition("@")
    if not at:
        return gettext("The email address has no @ sign. It should look like name@example.org")
    if any(mark.isspace() for mark in email):
        return gettext("The email address has a space in it. It should look like name@example.org")
    if "." not in domain.strip("."):
        return gettext("The email address has no ending. It should look like name@example.org")
    if not local.isascii():
        return gettext("Before the @ sign, only the letters a to z work here. Use another address.")
    # Django's pattern ignores case so thoroughly that it takes ſ for s and the Kelvin sign for k. It takes a machine's
    # number in brackets, too, which would lead mail into the network that the site runs in.
    if domain.startswith("[") or not _is_email(email):
        return gettext("The email address has a mistake in it. It should look like name@example.org")
    if not _is_email(f"{local}@{spelt_in_ascii(domain)}"):
        return gettext("The email address has a mistake in it. It should look like name@example.org")
    return ""


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
