"""Text in another language says so, and the foot of each page leads to it in the site's other languages."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from events.templatetags.languages import PageLanguage, lang_attributes, page_languages
from tests.builders import form_data, make_session


def switch_of(content: bytes) -> dict[str, str]:
    """Each language's code and its address, as the foot of a page has them; the present one's with a mark."""
    links = re.findall(r'<a href="([^"]+)" lang="(\w+)" hreflang="(\w+)"( aria-current="page")?>', content.decode())
    assert all(lang == hreflang for _url, lang, hreflang, _current in links)
    return {lang: url + ("!" if current else "") for url, lang, _hreflang, current in links}


def test_lang_attributes_name_another_language() -> None:
    assert lang_attributes("ru") == ' lang="ru" dir="auto"'


def test_lang_attributes_of_the_page_itself_are_nothing() -> None:
    assert lang_attributes("") == ""


@pytest.mark.django_db
def test_each_language_is_offered_under_its_own_name(client: Client) -> None:
    content = client.get("/").content.decode()

    assert re.findall(r'hreflang="\w+"[^>]*>([^<]+)<', content.split("<footer")[1]) == ["English", "العربية"]


@pytest.mark.django_db
def test_the_switch_leads_to_the_same_page_in_the_other_language(client: Client) -> None:
    webinar = make_session().webinar

    in_english = client.get(f"/webinars/{webinar.slug}/")
    in_arabic = client.get(f"/ar/webinars/{webinar.slug}/")

    assert switch_of(in_english.content) == {
        "en": f"/webinars/{webinar.slug}/!",
        "ar": f"/ar/webinars/{webinar.slug}/",
    }
    assert switch_of(in_arabic.content) == {
        "en": f"/webinars/{webinar.slug}/",
        "ar": f"/ar/webinars/{webinar.slug}/!",
    }


@pytest.mark.django_db
def test_the_switch_keeps_what_was_asked_of_the_page(client: Client) -> None:
    content = client.get("/?q=border&tz=Asia/Tashkent").content

    assert switch_of(content)["ar"] == "/ar/?q=border&amp;tz=Asia/Tashkent"


@pytest.mark.django_db
def test_the_switch_of_the_sign_in_page_takes_where_it_leads_along(client: Client) -> None:
    content = client.get("/ar/my/", follow=True).content

    assert switch_of(content)["en"] == "/accounts/login/?next=/my/"


@pytest.mark.django_db
def test_a_page_that_is_not_there_leads_home_in_the_other_language(client: Client) -> None:
    content = client.get("/ar/nothing-here/").content

    assert switch_of(content) == {"en": "/", "ar": "/ar/!"}


def test_a_page_with_one_address_offers_no_other_language(rf: RequestFactory) -> None:
    request: Any = rf.get("/sitemap.xml")
    request.resolver_match = object()

    assert page_languages(Context({"request": request})) == []


def test_without_a_request_no_language_is_offered() -> None:
    assert page_languages(Context({})) == []


def test_the_present_language_is_the_page_s(rf: RequestFactory) -> None:
    request: Any = rf.get("/ar/my/")
    request.resolver_match, request.user = object(), AnonymousUser()

    with override("ar"):
        languages = page_languages(Context({"request": request}))

    assert languages == [
        PageLanguage("en", "English", "/my/", is_present=False),
        PageLanguage("ar", "العربية", "/ar/my/", is_present=True),
    ]


@pytest.mark.django_db
def test_nothing_is_guessed_from_what_the_browser_prefers(client: Client) -> None:
    response = client.get("/", headers={"accept-language": "ar"})

    assert response.status_code == 200
    assert b'<html lang="en" dir="ltr">' in response.content


@pytest.mark.django_db
def test_what_is_sent_stays_in_the_language_of_its_page(client: Client) -> None:
    session = make_session(local_date=timezone.localdate() + timedelta(days=30))
    with override("ar"):
        path = reverse("register", args=[session.webinar.slug])

    response = client.post(
        path,
        form_data(session, name="ليلى حسن", email="layla@example.org"),
        headers={"sec-fetch-site": "same-origin"},
    )

    assert response.headers["Location"] == f"/ar/webinars/{session.webinar.slug}/registered/"
    assert session.registrations.get().language == "ar"
