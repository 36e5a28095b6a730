"""What the DNS says of a sender's domain: MX (RFC 5321 5), SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489).

Each question has its own check, and each domain its own answer. What cannot be looked up is said so, and is no fault of
the domain. What can be seen from here is what is published; which servers sign and send is for a mail to prove.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from django.conf import settings
from django.utils.translation import gettext as _

from events.email_addresses import spelt_in_ascii
from events.validators import foreign_text
from webinar_site.doctor.deadline import Deadline
from webinar_site.doctor.seen import Seen, amber, each_named, green, red

ANSWER_SECONDS = 4
# Hosts with addresses of their own may be many; the first tell whether the DNS is cared for.
MOST_DOMAINS = 20
# The octets of an RSA key as it is published, of 1,024 and of 2,048 bits: receivers take no shorter one than the first,
# and signers should use none shorter than the second (RFC 8301 3.2).
RSA_1024_OCTETS, RSA_2048_OCTETS = 162, 294


class LookUpError(Exception):
    """Nobody answered, or not as expected. The text says how."""


class Dns:
    """Asks the DNS, and for no longer than there is time."""

    def __init__(self, deadline: Deadline, resolver: dns.resolver.Resolver | None = None) -> None:
        self._deadline = deadline
        self._resolver = resolver

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name, each in one piece; none where there are none. Raises LookUpError."""
        texts: Any = self.records(name, "TXT")
        return [b"".join(text.strings).decode(errors="replace") for text in texts]

    def records(self, name: str, kind: str) -> list[dns.rdata.Rdata]:
        """Its records of that kind; none where there is no such name either. Raises LookUpError."""
        if self._deadline.is_over:
            raise LookUpError(_("the time was up"))
        try:
            resolver = self._resolver or _resolver()
            patience = min(ANSWER_SECONDS, self._deadline.left)
            answer = resolver.resolve(dns.name.from_text(name), kind, lifetime=patience, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise LookUpError(type(error).__name__) from error
        return list(answer)


def _resolver() -> dns.resolver.Resolver:
    """As the machine is set up, unless the settings name other servers. Raises NoResolverConfiguration."""
    resolver = dns.resolver.Resolver(configure=not settings.NAME_SERVERS)
    if settings.NAME_SERVERS:
        resolver.nameservers = settings.NAME_SERVERS
    return resolver


def check_each(look: Callable[[Dns, str], Seen], domains: Iterable[str], dns_: Dns) -> Seen:
    """One question about each of the domains."""
    if not settings.EMAIL_URL:
        return green(_("Not looked up: without EMAIL_URL nothing is sent."))
    asked = list(domains)
    found = {domain: _looked_up(look, dns_, domain) for domain in asked[:MOST_DOMAINS]}
    if len(asked) > MOST_DOMAINS:
        more = _("%(count)d more were not looked up.") % {"count": len(asked) - MOST_DOMAINS}
        found[_("Other domains")] = amber(more, _("Look at them by hand."))
    return each_named(found)


def _looked_up(look: Callable[[Dns, str], Seen], dns_: Dns, domain: str) -> Seen:
    try:
        return look(dns_, spelt_in_ascii(domain) or domain)
    except LookUpError as error:
        return amber(
            _("It could not be looked up: %(reason)s.") % {"reason": error},
            _("Look again in a while. If it stays so, see whether this machine can ask the DNS (/etc/resolv.conf)."),
        )


# ---------- MX ----------


def mx(dns_: Dns, domain: str) -> Seen:
    """Whether mails to the domain arrive anywhere: calendars answer there."""
    facts = {"domain": domain}
    servers: Any = dns_.records(domain, "MX")
    names = [server.exchange.to_text().rstrip(".") for server in sorted(servers, key=lambda mx: mx.preference)]
    if "" in names:
        return red(
            _("%(domain)s says that it receives no mail (a null MX).") % facts,
            _("Take an address at a domain that receives: what people answer in their calendars is sent to it."),
        )
    if names:
        return green(_("Mails to %(domain)s go to %(servers)s.") % {**facts, "servers": ", ".join(names)})
    if dns_.records(domain, "A") or dns_.records(domain, "AAAA"):
        return amber(
            _("%(domain)s has no MX: mails go to the machine of that name itself.") % facts,
            _("Publish an MX record, unless that machine is your mail server."),
        )
    return red(
        _("%(domain)s has neither an MX nor an address: no mail arrives there.") % facts,
        _("Look for a mistake in the address, or publish an MX record: answers from calendars are lost."),
    )


# ---------- SPF ----------


def spf(dns_: Dns, domain: str) -> Seen:
    """Whether the domain says which servers send for it. Whether ours is among them is not worked out."""
    records = [text for text in dns_.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    facts = {"domain": domain, "record": foreign_text(" | ".join(records))}
    if not records:
        return red(
            _("%(domain)s has no SPF record: receivers cannot tell our mails from forged ones.") % facts,
            _("Publish a TXT record as your mail server's operator gives it: v=spf1 include:… -all"),
        )
    if len(records) > 1:
        return red(
            _("%(domain)s has several SPF records, and so none that counts: %(record)s") % facts,
            _("Make one record of them: what each includes, one after the other, and one “all” at the end."),
        )
    return _spf_record(records[0].lower().split(), facts)


def _spf_record(terms: list[str], facts: dict[str, str]) -> Seen:
    if "+all" in terms or "all" in terms:
        return red(
            _("SPF of %(domain)s lets everybody send in its name: %(record)s") % facts,
            _("Write -all or ~all at its end."),
        )
    if "-all" in terms or "~all" in terms or any(term.startswith("redirect=") for term in terms):
        return green(_("SPF of %(domain)s: %(record)s") % facts)
    return amber(
        _("SPF of %(domain)s does not say what to think of all other servers: %(record)s") % facts,
        _("Write -all or ~all at its end."),
    )


# ---------- DKIM ----------


def dkim(dns_: Dns, domain: str) -> Seen:
    """Whether a key stands where receivers look for it. Under which names, only whoever signs knows."""
    if not settings.DKIM_SELECTORS:
        return amber(
            _("Not checked: under which name the key stands cannot be found out from here."),
            _("Name your selector in DKIM_SELECTORS: it stands as s=… in the DKIM-Signature of a mail that you sent."),
        )
    found = {name: _key(dns_, name, domain) for name in settings.DKIM_SELECTORS}
    there = {name: seen for name, seen in found.items() if seen is not None}
    if not there:
        return red(
            _("%(domain)s has no key under any of: %(names)s.")
            % {"domain": domain, "names": ", ".join(settings.DKIM_SELECTORS)},
            _("Publish the TXT record <selector>._domainkey.%(domain)s as your mail server's operator gives it.")
            % {"domain": domain},
        )
    return each_named(there)


def _key(dns_: Dns, selector: str, domain: str) -> Seen | None:
    """What is to be said of the key of that name, None where there is none."""
    name = f"{selector}._domainkey.{domain}"
    keys = [tags for tags in map(_tags, dns_.texts(name)) if "p" in tags and tags.get("v", "DKIM1") == "DKIM1"]
    if not keys:
        return None
    facts = {"name": name}
    anew = _("Have a new key made, publish it, and let the mail server sign with it.")
    published = "".join(keys[0]["p"].split())
    if not published:
        return red(_("The key at %(name)s is withdrawn.") % facts, anew)
    try:
        octets = len(base64.b64decode(published, validate=True))
    except binascii.Error:
        return red(_("The key at %(name)s cannot be read.") % facts, _("Publish it again, whole and without marks."))
    if keys[0].get("k", "rsa") != "rsa":
        return green(_("There is a key at %(name)s.") % facts)
    if octets < RSA_1024_OCTETS:
        return red(_("The key at %(name)s is so short that receivers do not take it.") % facts, anew)
    if octets < RSA_2048_OCTETS:
        return amber(_("The key at %(name)s is shorter than 2,048 bits.") % facts, anew)
    return green(_("There is a key at %(name)s.") % facts)


# ---------- DMARC ----------


def dmarc(dns_: Dns, domain: str) -> Seen:
    """What the domain wants done with mails that fail both; where it says nothing, a domain above it may."""
    for name in _and_above(domain):
        records = [text for text in dns_.texts(f"_dmarc.{name}") if _tags(text).get("v") == "DMARC1"]
        if records:
            return _dmarc_record(records, name, domain)
    return amber(
        _("%(domain)s has no DMARC record: large receivers want one from whoever sends many mails.")
        % {"domain": domain},
        _("Publish a TXT record at _dmarc.%(domain)s, to begin with: v=DMARC1; p=none; rua=mailto:…")
        % {"domain": domain},
    )


def _dmarc_record(records: list[str], name: str, domain: str) -> Seen:
    facts = {"name": f"_dmarc.{name}", "record": foreign_text(" | ".join(records))}
    if len(records) > 1:
        return red(
            _("%(name)s has several DMARC records, and so none that counts: %(record)s") % facts,
            _("Leave one of them."),
        )
    tags = _tags(records[0])
    policy = tags.get("p", "") if name == domain else tags.get("sp", tags.get("p", ""))
    if policy.lower() not in {"none", "quarantine", "reject"}:
        return amber(
            _("The DMARC record at %(name)s names no policy: %(record)s") % facts,
            _("Write p=none, p=quarantine or p=reject after v=DMARC1;"),
        )
    return green(_("DMARC at %(name)s, policy %(policy)s: %(record)s") % {**facts, "policy": policy.lower()})


def _and_above(domain: str) -> list[str]:
    """The domain and those above it that somebody can own, which have a dot."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]


def _tags(record: str) -> dict[str, str]:
    """The names and values of a record such as v=DKIM1; k=rsa; p=… (RFC 6376 3.2), as far as it is one."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}
