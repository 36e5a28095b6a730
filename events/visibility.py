"""Who may see a webinar, and who may register for it: the one policy that every door asks.

A page that opens for whoever has its address is kept and shown to everybody (docs/decisions/0012): of its reader this
asks nothing, neither the session nor the database.
"""

import unicodedata
from collections.abc import Collection, Iterable
from datetime import timedelta
from enum import StrEnum
from secrets import compare_digest
from weakref import WeakKeyDictionary

from allauth.account.models import EmailAddress
from django.core import signing
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from events.access import access_of
from events.email_addresses import address_key, domain_of, folds, spelt_in_ascii
from events.models import Host, Invitee, Presenter, User, Webinar
from events.page_cookies import set_cookie, values_of_cookie
from events.querysets import WebinarQuerySet

Access = Webinar.Access

# So long somebody need not type a page's password again in the same browser.
ENTERED_FOR = timedelta(days=30)
_ENTERED_COOKIE = "entered"
_ENTERED_SALT = "events.visibility.entered"


class Admission(StrEnum):
    """What a reader meets at the page of a webinar."""

    OPEN = "open"
    # Whoever they are, nobody knows yet.
    SIGN_IN = "sign_in"
    # Signed in, with an address that does not let them in.
    REFUSED = "refused"
    PASSWORD = "password"  # noqa: S105 - none itself
    # For them there is no such page.
    HIDDEN = "hidden"


def admission(webinar: Webinar, request: HttpRequest) -> Admission:
    """Whether the reader may see the webinar, and if not, what they lack."""
    if webinar.status == Webinar.Status.DRAFT:
        return Admission.OPEN if _is_organizer(webinar, request) else Admission.HIDDEN
    if not webinar.is_restricted or _is_organizer(webinar, request):
        return Admission.OPEN
    if webinar.access == Access.PASSWORD:
        return Admission.OPEN if _has_entered(webinar, request) else Admission.PASSWORD
    if not request.user.is_authenticated:
        return Admission.SIGN_IN
    return Admission.OPEN if own_addresses(webinar, request) else Admission.REFUSED


def may_see(webinar: Webinar, request: HttpRequest) -> bool:
    return admission(webinar, request) == Admission.OPEN


def own_addresses(webinar: Webinar, request: HttpRequest) -> frozenset[str] | None:
    """The addresses with which the reader may register; None where any will do.

    For members and invited people: those of their own that are proved and let them in. An organizer of the host may
    use each of their own.
    """
    if webinar.access not in {Access.MEMBERS, Access.INVITED}:
        return None
    proved = proved_addresses(request)
    if _is_organizer(webinar, request):
        return frozenset(proved)
    if webinar.access == Access.MEMBERS:
        return frozenset(email for email in proved if _is_among(email, webinar.host.domains))
    keys = {address_key(email) for email in proved}
    invited = set(Invitee.objects.filter(webinar=webinar, email_key__in=keys).values_list("email_key", flat=True))
    return frozenset(email for email in proved if address_key(email) in invited)


# Asked for by the door, the form and the page.
_proved_by_request: WeakKeyDictionary[HttpRequest, list[str]] = WeakKeyDictionary()


def proved_addresses(request: HttpRequest) -> list[str]:
    """The addresses that whoever is signed in has proved to be theirs, the one that we write to first."""
    if not isinstance(request.user, User):
        return []
    proved = _proved_by_request.get(request)
    if proved is None:
        rows = EmailAddress.objects.filter(user=request.user, verified=True).order_by("-primary", "email")
        proved = _proved_by_request[request] = _plain(rows.values_list("email", flat=True))
    return proved


def open_to(addresses: Iterable[str]) -> WebinarQuerySet:
    """The published webinars for members and for invited people that the owner of these addresses may see.

    The addresses must be proved. Takes one query for the domains beside that of the webinars.
    """
    known = _plain(addresses)
    hosts = [host.pk for host in _hosts_with_members() if any(_is_among(email, host.domains) for email in known)]
    invited = Invitee.objects.filter(email_key__in={address_key(email) for email in known}).values("webinar")
    return Webinar.objects.filter(
        Q(access=Access.MEMBERS, host__in=hosts) | Q(access=Access.INVITED, pk__in=invited),
        status=Webinar.Status.PUBLISHED,
    )


def may_have_an_account(email: str) -> bool:
    """Whether there is something to sign in for with the address: an invitation, or a host whose member it is."""
    if folds(email):
        return False
    if Invitee.objects.filter(email_key=address_key(email)).exists():
        return True
    return any(_is_among(email, host.domains) for host in _hosts_with_members())


def presenters_with_page() -> QuerySet[Presenter]:
    """Those who appear in a webinar that everybody may see: the others' pages would tell of those who may not."""
    return Presenter.objects.filter(appearances__webinar__in=Webinar.objects.reachable()).distinct()


# ---------- passwords ----------


def is_password(webinar: Webinar, typed: str) -> bool:
    """Whether that is what opens the page. Takes as long for a nearly right one as for any other."""
    given, right = (unicodedata.normalize("NFC", text.strip()).encode() for text in (typed, webinar.access_password))
    return bool(right) and compare_digest(given, right)


def remember_password(response: HttpResponse, webinar: Webinar) -> HttpResponse:
    """Let this browser in for a month, or until the password is another one: the webinar's pages in every language."""
    proof = signing.dumps(webinar.pk, salt=_salt(webinar))
    set_cookie(response, webinar, _ENTERED_COOKIE, proof, kept_for=ENTERED_FOR)
    return response


def _has_entered(webinar: Webinar, request: HttpRequest) -> bool:
    return any(_is_proof(webinar, cookie) for cookie in values_of_cookie(request, _ENTERED_COOKIE))


def _is_proof(webinar: Webinar, cookie: str) -> bool:
    try:
        opened: object = signing.loads(cookie, salt=_salt(webinar), max_age=ENTERED_FOR)
    except signing.BadSignature:
        return False
    return bool(webinar.access_password) and opened == webinar.pk


def _salt(webinar: Webinar) -> str:
    """With the password in it, what was signed for one is worth nothing under the next, whichever key signs."""
    return f"{_ENTERED_SALT}:{webinar.access_password}"


# ---------- members and organizers ----------


def _is_organizer(webinar: Webinar, request: HttpRequest) -> bool:
    return access_of(request).may(webinar.host_id)


def _plain(addresses: Iterable[str]) -> list[str]:
    """Without those that would be taken for another's as soon as letter case is left aside."""
    return [email for email in addresses if not folds(email)]


def _is_among(email: str, domains: Collection[str]) -> bool:
    """Whether the address is at exactly one of the domains, as mail servers spell them: what looks alike is not."""
    domain = spelt_in_ascii(domain_of(email))
    return bool(domain) and domain in {spelt_in_ascii(one) for one in domains}


def _hosts_with_members() -> Iterable[Host]:
    """The hosts that have a webinar for members. There are few beside the addresses that may be asked about."""
    for_members = Webinar.objects.filter(host=OuterRef("pk"), access=Access.MEMBERS)
    return Host.objects.exclude(member_domains="").filter(Exists(for_members)).only("member_domains").order_by()
