"""Whether the addresses agree: From and ORGANIZER, the mail server's login, and the entries that people have."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.functions import Concat, Left, Length, Right, StrIndex
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events.email_addresses import address_key, domain_of
from events.models import Host
from registrations import reply_addresses
from registrations.models import Probe, Registration
from webinar_site.doctor.seen import Seen, amber, green, together

# Names that say of themselves that nobody reads what is sent there.
_NOBODY = re.compile(r"(no|do[-_.]?not|dont)[-_.]?reply\b", re.IGNORECASE)
# More are counted as so many.
MOST_ENTRIES = 10_000


@dataclass(frozen=True)
class Senders:
    """The addresses that mails come from: of each whose, and the earlier ones that entries to come still bear."""

    owners: dict[str, list[str]]
    earlier: Counter[str]
    answered: frozenset[str]

    @property
    def present(self) -> list[str]:
        return list(self.owners)

    @property
    def every(self) -> list[str]:
        return [*self.owners, *self.earlier]

    @property
    def domains(self) -> list[str]:
        return list(dict.fromkeys(domain_of(address) for address in self.every))


def senders(*, now: datetime) -> Senders:
    """Read them, in three queries."""
    site = site_address()
    owners: dict[str, list[str]] = {site: [_("the site")]}
    for name, address in Host.objects.exclude(sender_email="").values_list("name", "sender_email"):
        owners.setdefault(address_key(address), []).append(name)
    answered = Probe.objects.exclude(answered_at=None).values_list("sender_email", flat=True)
    return Senders(owners, _earlier(now), frozenset(address_key(address) for address in answered))


def site_address() -> str:
    return address_key(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])


def _earlier(now: datetime) -> Counter[str]:
    """The addresses, without their tags, of entries in sessions to come that are not their host's any more."""
    found = _with_earlier_organizer(now).values_list("organizer", flat=True)[:MOST_ENTRIES]
    return Counter(address_key(_untagged(address)) for address in found)


def _with_earlier_organizer(now: datetime) -> QuerySet[Registration]:
    """Compared in the database: neither the host's address nor that with a tag behind its name."""
    host = "session__webinar__host__sender_email"
    present = Case(When(**{host: "", "then": Value(site_address())}), default=F(host), output_field=CharField())
    at = StrIndex(F("present"), Value("@"))
    entries = Registration.objects.filter(session__ends_at__gt=now, entry__in=["tentative", "confirmed"])
    return (
        entries.exclude(organizer="")
        .order_by()
        .annotate(present=present)
        .annotate(mailbox=Left("present", at - 1), at_domain=Right("present", Length("present") - at + 1))
        .exclude(organizer__iexact=F("present"))
        .exclude(Q(organizer__istartswith=Concat("mailbox", Value("+"))) & Q(organizer__iendswith=F("at_domain")))
    )


def _untagged(address: str) -> str:
    if reply_addresses.read_reference(address) is None:
        return address
    local, _at, domain = address.rpartition("@")
    return f"{local.rpartition('+')[0]}@{domain}"


def check_addresses(found: Senders) -> Seen:
    """What can be known from here: an answer to an invite that was sent from an address proves more than its name."""
    doubts = [doubt for address in found.present for doubt in _doubts(address, found)]
    return together([_named(found), *doubts, *_earlier_entries(found)])


def _named(found: Senders) -> Seen:
    tagged = [domain for domain in found.domains if domain in settings.SUBADDRESS_DOMAINS]
    owned = "; ".join(f"{address} ({', '.join(owners[:5])})" for address, owners in found.owners.items())
    said = _("From and ORGANIZER are the same in every mail: %(addresses)s.") % {"addresses": owned}
    if tagged:
        said += " " + _("Each invite is answered at an address of its own at %(domains)s.") % {
            "domains": ", ".join(tagged)
        }
    return green(said)


def _doubts(address: str, found: Senders) -> Iterable[Seen]:
    if address in found.answered:
        return
    prove = _("Send yourself an invite from it, and answer it: that proves that it is well.")
    if _NOBODY.match(address):
        yield amber(
            _("%(address)s looks like an address that nobody reads, and calendars answer to it.")
            % {"address": address},
            _("Take an address that receives. If it does: %(prove)s") % {"prove": prove},
        )
    known = {domain_of(site_address()), domain_of(settings.EMAIL_HOST_USER or "")} - {""}
    if settings.EMAIL_URL and not any(_are_related(domain_of(address), domain) for domain in known):
        yield amber(
            _("%(address)s is at another domain than the site's own address and the mail server's login.")
            % {"address": address},
            _("See that the mail server may send for it, and signs with its key. %(prove)s") % {"prove": prove},
        )


def _earlier_entries(found: Senders) -> Iterable[Seen]:
    for address, count in found.earlier.items():
        words = ngettext(
            "%(count)d entry of a session to come bears an earlier address: %(address)s.",
            "%(count)d entries of sessions to come bear an earlier address: %(address)s.",
            count,
        )
        yield amber(
            words % {"count": count, "address": address},
            _("Keep that mailbox until these sessions are over: calendars take updates from no other."),
        )


def _are_related(one: str, other: str) -> bool:
    """The same domain, or one below the other: receivers take these for one owner's (RFC 7489 3.1)."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
