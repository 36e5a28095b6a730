"""What somebody meets who may not see a webinar, and how they get in."""

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from events import addresses, limits
from events.models import Invitee, User, Webinar
from tests.builders import make_host, make_organizer, make_session, make_webinar

pytestmark = pytest.mark.django_db

SECRET = "open, sesame"


def person(*emails: str, verified: bool = True) -> User:
    user = User.objects.create_user(emails[0])
    for email in emails:
        EmailAddress.objects.create(user=user, email=email, verified=verified, primary=email == emails[0])
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def for_members() -> Webinar:
    return make_webinar(host=make_host(name="Border Review", member_domains="example.org"), access="members")


def with_password(**fields: Any) -> Webinar:
    return make_webinar(access="password", access_password=SECRET, **fields)


def words_of(response) -> str:
    main = response.content.decode().split("<main", 1)[1].split("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def enter(client: Client, webinar: Webinar, password: str = SECRET, **sent: str):
    return client.post(reverse("webinar_password", args=[webinar.slug]), {"password": password, **sent})


def link(response, words: str) -> str:
    found = re.search(rf'href="([^"]+)">{words}</a>', response.content.decode())
    assert found is not None, words
    return found[1]


# ---------- signing in ----------


def test_members_are_told_whose_they_must_be_and_come_back_after_signing_in(client):
    webinar = for_members()

    response = client.get(f"{webinar.get_absolute_url()}programme/?tz=Asia/Tokyo")

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "This page is for members of Border Review" in words_of(response)
    login = urlsplit(link(response, "Sign in").replace("&amp;", "&"))
    assert login.path == reverse("account_login")
    assert parse_qs(login.query) == {"next": [f"{webinar.get_absolute_url()}programme/?tz=Asia/Tokyo"]}


def test_invited_people_are_not_told_by_whom(client):
    webinar = make_webinar(host=make_host(name="Border Review"), access="invited")

    response = client.get(webinar.get_absolute_url())

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "This page is for people who were invited" in words_of(response)
    assert "Border Review" not in response.content.decode()


def test_somebody_with_another_address_is_told_with_which_they_are_signed_in():
    client = signed_in(person("anna@home.example"))

    response = client.get(for_members().get_absolute_url())

    words = words_of(response)
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "You are signed in as anna@home.example ." in words
    assert "This is not an address of the members of Border Review." in words
    assert link(response, "Sign in with another address").startswith(f"{reverse('account_logout')}?next=")
    assert link(response, "Your addresses") == reverse("account_email")


def test_somebody_with_several_addresses_is_told_of_all():
    client = signed_in(person("anna@home.example", "anna@roads.example"))

    words = words_of(client.get(make_webinar(access="invited").get_absolute_url()))

    assert "these addresses are yours: anna@home.example, anna@roads.example" in words
    assert "None of them is on the list of those who were invited." in words


def test_somebody_who_proved_no_address_is_told_so():
    client = signed_in(person("anna@example.org", verified=False))

    response = client.get(for_members().get_absolute_url())

    words = words_of(response)
    assert "none of your addresses is confirmed yet" in words
    assert "anna@example.org" not in words
    assert link(response, "Confirm your address") == reverse("account_email")
    assert words.index("Confirm your address") < words.index("Sign in with another address")


def test_whoever_asks_for_another_address_comes_back_to_the_page():
    client = signed_in(person("anna@home.example"))
    webinar = for_members()
    leave = link(client.get(webinar.get_absolute_url()), "Sign in with another address")

    left = client.post(leave)

    assert left["Location"] == webinar.get_absolute_url()
    assert "Sign in" in words_of(client.get(left["Location"]))


def test_organizers_are_told_that_others_see_less():
    webinar = for_members()
    make_session(webinar)

    page = words_of(signed_in(make_organizer(webinar.host)).get(webinar.get_absolute_url()))
    member_s = words_of(signed_in(person("anna@example.org")).get(webinar.get_absolute_url()))

    assert "You see this page as an organizer." in page
    assert "You see this page as an organizer." not in member_s


def test_a_page_that_is_not_for_everybody_is_read_with_one_statement_more_for_each_thing_it_asks(
    django_assert_max_num_queries,
):
    webinar = make_webinar(access="invited")
    Invitee.objects.create(webinar=webinar, email="anna@home.example")
    client = signed_in(person("anna@home.example"))

    # The session, the reader, their addresses twice (the form asks again), the list twice.
    with django_assert_max_num_queries(8 + 6):
        assert client.get(webinar.get_absolute_url()).status_code == HTTPStatus.OK


# ---------- the password ----------


def test_page_with_a_password_asks_for_it(client):
    response = client.get(with_password().get_absolute_url())

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "This page has a password" in words_of(response)
    assert 'type="password"' in response.content.decode()


def test_password_opens_every_page_of_the_webinar_and_leads_to_the_one_that_was_asked_for(client):
    webinar = with_password()
    make_session(webinar)
    path = f"{webinar.get_absolute_url()}programme/?tz=Asia/Tokyo"
    form = client.get(path).content.decode()
    sent = re.search(r'name="next" value="([^"]+)"', form)
    assert sent is not None

    entered = enter(client, webinar, next=sent[1].replace("&amp;", "&"))

    assert (entered.status_code, entered["Location"]) == (HTTPStatus.SEE_OTHER, path)
    for page in (path, webinar.get_absolute_url(), f"/ar{webinar.get_absolute_url()}"):
        assert client.get(page).status_code == HTTPStatus.OK
    assert Client().get(path).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/webinars/other/",
        "/admin/",
        "javascript:alert(1)",
        "\\\\evil.example",
        "\r\nSet-Cookie: a=b",
        "",
    ],
)
def test_password_leads_nowhere_else(client, elsewhere):
    webinar = with_password()

    entered = enter(client, webinar, next=elsewhere)

    assert entered["Location"] == webinar.get_absolute_url()


def test_path_with_line_breaks_stays_one_header(client):
    webinar = with_password()

    entered = enter(client, webinar, next=f"{webinar.get_absolute_url()}?a=\r\nSet-Cookie: b=c")

    assert entered.status_code == HTTPStatus.SEE_OTHER
    assert "\n" not in entered["Location"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("open, barley", "This is not the password. Capital letters count."),
        ("", "Enter the password of the page"),
        ("x" * 5000, "This is not the password. Capital letters count."),
        ("open\x00", "This is not the password. Capital letters count."),
    ],
)
def test_wrong_password_is_said_beside_the_field(client, typed, words):
    webinar = with_password()

    response = enter(client, webinar, typed, next=webinar.get_absolute_url())

    page = response.content.decode()
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert f'<p class="err">{words}</p>' in page
    assert 'aria-invalid="true"' in page
    assert "<title>Error:" in page
    assert f'name="next" value="{webinar.get_absolute_url()}"' in page
    assert client.get(webinar.get_absolute_url()).status_code == HTTPStatus.FORBIDDEN


def test_eleventh_try_waits_though_it_were_right(client):
    webinar = with_password()
    for _try in range(10):
        assert enter(client, webinar, "open, barley").status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    wrong, right = enter(client, webinar, "open, barley"), enter(client, webinar)

    for response in (wrong, right):
        assert response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert 0 < int(response["Retry-After"]) <= 15 * 60
        assert "This was tried too often. Try again in 15 minutes." in words_of(response)
    assert client.get(webinar.get_absolute_url()).status_code == HTTPStatus.FORBIDDEN


def test_tries_count_for_each_page_and_each_source(client):
    webinar, other = with_password(), with_password()
    for _try in range(11):
        enter(client, webinar, "open, barley")

    assert enter(client, other).status_code == HTTPStatus.SEE_OTHER
    assert enter(Client(REMOTE_ADDR="192.0.2.7"), webinar).status_code == HTTPStatus.SEE_OTHER


def test_colleagues_behind_one_address_all_get_in():
    webinar = with_password()

    assert [enter(Client(), webinar).status_code for _person in range(30)] == [HTTPStatus.SEE_OTHER] * 30


def test_whoever_is_in_already_is_sent_to_the_page(client):
    for webinar in (make_webinar(), for_members()):
        assert enter(client, webinar)["Location"] == webinar.get_absolute_url()
        assert not client.cookies


def test_the_address_of_the_password_leads_to_the_page(client):
    webinar = with_password()

    assert client.get(reverse("webinar_password", args=[webinar.slug]))["Location"] == webinar.get_absolute_url()
    assert client.get(reverse("webinar_password", args=["never-was"])).status_code == HTTPStatus.NOT_FOUND


def test_password_cannot_be_sent_from_another_site():
    webinar = with_password()

    response = enter(Client(enforce_csrf_checks=True), webinar)

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert not response.cookies.get("entered-en")


def test_draft_with_a_password_says_nothing(client):
    webinar = with_password(status=Webinar.Status.DRAFT)

    assert enter(client, webinar)["Location"] == webinar.get_absolute_url()
    assert client.get(webinar.get_absolute_url()).status_code == HTTPStatus.NOT_FOUND


# ---------- former addresses ----------


def moved(webinar: Webinar) -> str:
    addresses.move("/webinars/border-week/", webinar.get_absolute_url(), host=webinar.host, now=timezone.now())
    return "/webinars/border-week/"


def test_former_address_has_the_same_door_and_does_not_tell_the_new_one(client):
    webinar = for_members()

    response = client.get(f"{moved(webinar)}?tz=UTC")

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "This page is for members of Border Review" in words_of(response)
    assert webinar.slug not in response.content.decode()
    assert quote("/webinars/border-week/?tz=UTC", safe="") in link(response, "Sign in").replace("/", "%2F")
    assert response["Cache-Control"] == "private, no-store"


def test_former_address_leads_on_whoever_may_see_the_page():
    webinar = for_members()
    path = moved(webinar)

    response = signed_in(person("anna@example.org")).get(path)

    assert (response.status_code, response["Location"]) == (301, webinar.get_absolute_url())
    # Another reader's browser, or a cache between, asks anew.
    assert (response["Cache-Control"], "Cookie" in response["Vary"]) == ("no-cache", True)


def test_password_is_asked_for_at_the_former_address_and_opens_that(client):
    webinar = with_password()
    path = moved(webinar)
    page = client.get(path).content.decode()
    assert 'action="/webinars/border-week/password/"' in page

    wrong = client.post(f"{path}password/", {"password": "open, barley"})
    right = client.post(f"{path}password/", {"password": SECRET})

    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert webinar.slug not in wrong.content.decode()
    assert right["Location"] == path
    assert client.get(webinar.get_absolute_url()).status_code == HTTPStatus.OK


def test_form_sent_to_a_former_address_is_not_led_on_for_a_stranger(client):
    webinar = with_password()

    response = client.post(f"{moved(webinar)}register/", {"email": "anna@example.org"})

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "Location" not in response


@pytest.mark.parametrize("page", ["", "calendar.ics", "embed/"])
def test_former_address_of_a_draft_is_not_found(client, page):
    webinar = make_webinar(status=Webinar.Status.DRAFT)

    response = client.get(f"{moved(webinar)}{page}")

    assert response.status_code == HTTPStatus.NOT_FOUND
    assert webinar.slug not in response.content.decode()


def test_limits_begin_anew_once_it_was_right():
    limit = limits.Limit("test", "2/minute")
    limits.take(limit, "a")
    limits.take(limit, "b")
    limits.take(limit, "a")

    limits.give_back(limit, "a")

    limits.take(limit, "a")
    limits.take(limit, "b")
    with pytest.raises(limits.TooManyError):
        limits.take(limit, "b")
