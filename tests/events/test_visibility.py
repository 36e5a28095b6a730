"""Who may see a webinar, and which addresses they may register: the policy itself. Its doors: tests/test_doors.py."""

import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from events import visibility
from events.models import Host, Invitee, User, Webinar
from events.visibility import Admission, admission, may_have_an_account, open_to, own_addresses
from tests.builders import make_host, make_organizer, make_webinar

pytestmark = pytest.mark.django_db

RESTRICTED = ["members", "invited", "password"]
SECRET = "open, sesame"
KELVIN_SIGN = "\u212a"


def request_of(user: User | None = None, cookies: dict[str, str] | None = None) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user or AnonymousUser()
    request.session = SessionStore()
    request.COOKIES.update(cookies or {})
    return request


def person(*emails: str, verified: bool = True) -> User:
    user = User.objects.create_user(emails[0])
    for email in emails:
        EmailAddress.objects.create(user=user, email=email, verified=verified, primary=email == emails[0])
    return user


def restricted(access: str, *, invited: tuple[str, ...] = (), **fields: Any) -> Webinar:
    webinar = make_webinar(access=access, access_password=SECRET if access == "password" else "", **fields)
    for email in invited:
        Invitee.objects.create(webinar=webinar, email=email)
    return webinar


def members_of(domains: str) -> Webinar:
    return restricted("members", host=make_host(member_domains=domains))


def cookies_of(webinar: Webinar) -> dict[str, str]:
    """What a browser has kept that was let in by the password."""
    response = visibility.remember_password(HttpResponse(), webinar)
    return {name: cookie.value for name, cookie in response.cookies.items()}


@pytest.mark.parametrize("access", ["everyone", "unlisted"])
def test_pages_for_everybody_ask_nothing_of_their_reader(access: str, django_assert_num_queries: Any) -> None:
    webinar = make_webinar(access=access)
    nobody = RequestFactory().get("/")

    with django_assert_num_queries(0):
        assert admission(webinar, nobody) == Admission.OPEN
        assert own_addresses(webinar, nobody) is None

    assert not hasattr(nobody, "user")


def test_drafts_are_hidden_from_all_but_organizers_of_their_host() -> None:
    draft = make_webinar(status=Webinar.Status.DRAFT, access="everyone")

    assert admission(draft, request_of()) == Admission.HIDDEN
    assert admission(draft, request_of(make_organizer())) == Admission.HIDDEN
    assert admission(draft, request_of(make_organizer(draft.host))) == Admission.OPEN


@pytest.mark.parametrize("access", RESTRICTED)
def test_organizers_of_the_host_see_every_page_of_theirs(access: str) -> None:
    webinar = restricted(access)

    assert admission(webinar, request_of(make_organizer(webinar.host, role="viewer"))) == Admission.OPEN
    assert admission(webinar, request_of(make_organizer())) != Admission.OPEN


@pytest.mark.parametrize(
    ("access", "met"),
    [("members", Admission.SIGN_IN), ("invited", Admission.SIGN_IN), ("password", Admission.PASSWORD)],
)
def test_strangers_are_told_what_they_lack(access: str, met: Admission) -> None:
    assert admission(restricted(access), request_of()) == met


# ---------- members ----------


@pytest.mark.parametrize(
    ("domains", "email"),
    [
        ("example.org", "anna@example.org"),
        ("Example.ORG", "anna@EXAMPLE.org"),
        ("roads.example\n  example.org  \n", "anna@example.org"),
        ("müller.example", "anna@müller.example"),
        ("müller.example", "anna@xn--mller-kva.example"),
        ("xn--mller-kva.example", "anna@Müller.example"),
    ],
)
def test_members_are_those_at_a_domain_of_the_host(domains: str, email: str) -> None:
    member = person(email)

    assert admission(members_of(domains), request_of(member)) == Admission.OPEN


@pytest.mark.parametrize(
    ("domains", "email"),
    [
        ("example.org", "anna@mail.example.org"),
        ("mail.example.org", "anna@example.org"),
        ("example.org", "anna@notexample.org"),
        ("example.org", "anna@example.org.evil.example"),
        ("example.org", '"anna@example.org"@evil.example'),
        ("example.org", "anna@ехample.org"),  # the first two letters are Cyrillic
        ("example.org", "anna@exampl\u0435.org"),
        ("fass.example", "anna@faß.example"),
        ("kiosk.example", f"anna@{KELVIN_SIGN}iosk.example"),
        ("roads.example", "anna@road\u017f.example"),  # a long s
        ("roads.example", "anna@ｒoads.example"),  # a wide r
        ("mail.example", "anna@ma\u0131l.example"),  # i without its dot
        ("mail.example", "anna@MA\u0130L.example"),  # I with one
        ("example.org", "example.org"),
        ("", "anna@example.org"),
        ("", "anna@"),
        ("\n \n", "anna"),
        ("*.org", "anna@example.org"),
    ],
)
def test_what_only_looks_like_a_domain_of_members_is_none(domains: str, email: str) -> None:
    webinar, other = members_of(domains), person(email)

    assert admission(webinar, request_of(other)) == Admission.REFUSED
    assert own_addresses(webinar, request_of(other)) == frozenset()
    assert not open_to([email]).exists()
    assert not may_have_an_account(email)


def test_an_address_that_nobody_proved_lets_nobody_in() -> None:
    webinar = members_of("example.org")

    assert admission(webinar, request_of(person("anna@example.org", verified=False))) == Admission.REFUSED


def test_members_of_another_host_are_none() -> None:
    webinar, _other = members_of("example.org"), members_of("roads.example")

    assert admission(webinar, request_of(person("anna@roads.example"))) == Admission.REFUSED


# ---------- invited people ----------


@pytest.mark.parametrize("email", ["anna@example.org", "Anna@Example.org"])
def test_invited_people_are_those_on_the_list_in_any_letter_case(email: str) -> None:
    webinar = restricted("invited", invited=("ANNA@example.org",))

    assert admission(webinar, request_of(person(email))) == Admission.OPEN
    assert own_addresses(webinar, request_of(User.objects.get())) == frozenset({email})


@pytest.mark.parametrize("email", ["boris@example.org", f"{KELVIN_SIGN}ate@example.org", "anna+1@example.org"])
def test_others_are_not_invited(email: str) -> None:
    webinar = restricted("invited", invited=("anna@example.org", "kate@example.org"))

    assert admission(webinar, request_of(person(email))) == Admission.REFUSED
    assert not open_to([email]).exists()
    assert not may_have_an_account(email)


def test_an_invitation_is_for_its_own_webinar() -> None:
    restricted("invited", invited=("anna@example.org",))
    other = restricted("invited")

    assert admission(other, request_of(person("anna@example.org"))) == Admission.REFUSED


def test_a_list_of_invited_people_counts_only_where_the_webinar_is_for_them() -> None:
    webinar = restricted("members", invited=("anna@example.org",))

    assert admission(webinar, request_of(person("anna@example.org"))) == Admission.REFUSED
    assert list(open_to(["anna@example.org"])) == []


# ---------- passwords ----------


def test_whoever_entered_the_password_is_let_in_in_every_language() -> None:
    webinar = restricted("password")
    cookies = cookies_of(webinar)

    assert set(cookies) == {f"entered-{code}" for code, _name in settings.LANGUAGES}
    for name, proof in cookies.items():
        assert admission(webinar, request_of(cookies={name: proof})) == Admission.OPEN


def test_another_password_shuts_the_page() -> None:
    webinar = restricted("password")
    cookies = cookies_of(webinar)

    webinar.access_password = "open, barley"

    assert admission(webinar, request_of(cookies=cookies)) == Admission.PASSWORD


def test_a_password_is_for_its_own_webinar_though_another_has_the_same() -> None:
    webinar, other = restricted("password"), restricted("password")

    assert admission(other, request_of(cookies=cookies_of(webinar))) == Admission.PASSWORD


@pytest.mark.parametrize("kind", ["members", "invited"])
def test_a_password_opens_no_page_of_another_kind(kind: str) -> None:
    webinar = restricted("password")
    cookies = cookies_of(webinar)

    webinar.access = kind

    assert admission(webinar, request_of(cookies=cookies)) == Admission.SIGN_IN


def test_a_browser_keeps_the_password_for_thirty_days(monkeypatch: pytest.MonkeyPatch) -> None:
    webinar = restricted("password")
    cookies = cookies_of(webinar)
    now = time.time()

    for days, met in ((29, Admission.OPEN), (31, Admission.PASSWORD)):
        monkeypatch.setattr(time, "time", lambda days=days: now + timedelta(days=days).total_seconds())
        assert admission(webinar, request_of(cookies=cookies)) == met


@pytest.mark.parametrize(
    "forged",
    ["", "1", "1:2:3", "eyJh:1:2", signing.dumps(1), "\x00"],
    ids=["none", "a number", "three numbers", "half a proof", "signed for something else", "no text"],
)
def test_nobody_makes_the_proof_of_a_password(forged: str) -> None:
    webinar = restricted("password")

    assert admission(webinar, request_of(cookies={"entered-en": forged})) == Admission.PASSWORD


def test_a_proof_changed_by_one_letter_is_none() -> None:
    webinar = restricted("password")
    proof = cookies_of(webinar)["entered-en"]

    for place in (0, len(proof) // 2, len(proof) - 2):
        changed = f"{proof[:place]}{'A' if proof[place] != 'A' else 'B'}{proof[place + 1 :]}"
        assert admission(webinar, request_of(cookies={"entered-en": changed})) == Admission.PASSWORD


def test_the_cookie_goes_to_the_pages_of_the_webinar_alone(settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    webinar = restricted("password")

    cookies = visibility.remember_password(HttpResponse(), webinar).cookies

    path = webinar.get_absolute_url()
    assert {name: cookie["path"] for name, cookie in cookies.items()} == {
        "entered-en": path,
        "entered-ar": f"/ar{path}",
    }
    for cookie in cookies.values():
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
        assert cookie["max-age"] == 30 * 24 * 60 * 60
        assert SECRET not in cookie.value


@pytest.mark.parametrize("typed", ["Open, sesame", "open, sesam", f"{SECRET}!", "open,  sesame", ""])
def test_a_password_is_compared_to_the_letter(typed: str) -> None:
    webinar = restricted("password")

    assert visibility.is_password(webinar, SECRET)
    assert not visibility.is_password(webinar, typed)


def test_space_around_a_password_comes_from_copying_it() -> None:
    assert visibility.is_password(restricted("password"), f"  {SECRET}\n")


def test_a_password_with_accents_is_the_same_however_a_keyboard_sends_it() -> None:
    webinar = make_webinar(access="password", access_password="caf\u00e9")

    assert visibility.is_password(webinar, "cafe\u0301")


def test_an_empty_password_opens_nothing() -> None:
    webinar = Webinar(pk=1, host=make_host(), status="published", access="password", access_password="")

    assert not visibility.is_password(webinar, "")
    assert admission(webinar, request_of(cookies=cookies_of(Webinar(pk=1, slug="x")))) == Admission.PASSWORD


# ---------- which addresses ----------


@pytest.mark.parametrize("access", ["everyone", "unlisted", "password"])
def test_any_address_may_be_registered_where_no_address_was_asked_for(access: str) -> None:
    assert own_addresses(restricted(access), request_of(person("anna@example.org"))) is None


def test_members_and_invited_register_those_of_their_addresses_that_let_them_in() -> None:
    anna = person("anna@example.org", "anna@roads.example", "anna@home.example")
    EmailAddress.objects.create(user=anna, email="other@example.org", verified=False)
    members, invited = members_of("example.org\nroads.example"), restricted("invited", invited=("anna@home.example",))

    assert own_addresses(members, request_of(anna)) == frozenset({"anna@example.org", "anna@roads.example"})
    assert own_addresses(invited, request_of(anna)) == frozenset({"anna@home.example"})
    assert own_addresses(members, request_of()) == frozenset()


def test_organizers_register_themselves() -> None:
    webinar = restricted("members")
    organizer = make_organizer(webinar.host)

    assert own_addresses(webinar, request_of(organizer)) == frozenset({organizer.email})


# ---------- what is open to somebody ----------


def test_what_is_open_to_somebody_are_published_webinars_for_members_and_invited_people() -> None:
    members = members_of("example.org")
    invited = restricted("invited", invited=("anna@home.example",))
    for access in ("everyone", "unlisted", "password"):
        restricted(access, host=members.host)
    make_webinar(host=members.host, access="members", status=Webinar.Status.DRAFT)
    make_webinar(host=members.host, access="members", status=Webinar.Status.CANCELLED)
    members_of("roads.example")
    restricted("invited", invited=("boris@home.example",))

    assert set(open_to(["anna@example.org", "Anna@home.example"])) == {members, invited}
    assert list(open_to(["anna@example.org"])) == [members]
    assert list(open_to([])) == []


def test_a_webinar_to_which_several_addresses_lead_is_there_once() -> None:
    invited = restricted("invited", invited=("anna@example.org", "anna@home.example"))

    assert list(open_to(["anna@example.org", "anna@home.example"])) == [invited]


@pytest.mark.parametrize("count", [1, 4])
def test_what_is_open_is_found_with_two_statements(count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        members_of(f"roads{number}.example")

    with django_assert_num_queries(2):
        assert len(open_to([f"anna@roads{number}.example" for number in range(count)])) == count


def test_invited_people_and_members_may_have_an_account() -> None:
    members_of("example.org")
    make_host(member_domains="idle.example")
    restricted("invited", invited=("anna@home.example",))

    assert may_have_an_account("boris@Example.org")
    assert may_have_an_account(" Anna@home.example ")
    assert not may_have_an_account("boris@home.example")
    # Nothing of that host is for members.
    assert not may_have_an_account("boris@idle.example")


def test_domains_of_members_are_read_line_by_line() -> None:
    assert Host(member_domains=" Example.org \n\nroads.example").domains == ["example.org", "roads.example"]
