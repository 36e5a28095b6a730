"""Whole pages that are kept: who gets them, and that none outlives its truth. Each client is a process of its own."""

import gzip
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from events import freshness, scheduling
from events.models import Session, Webinar
from registrations import signup, views
from tests.builders import make_organizer, make_session, make_webinar
from webinar_site import page_cache
from webinar_site.page_cache import PageCacheMiddleware

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]


@pytest.fixture(autouse=True)
def kept_pages(settings, redis_broker: str, monkeypatch) -> Iterator[None]:
    settings.PAGES_REDIS_URL = redis_broker
    monkeypatch.setattr(freshness, "_asks_again_at", 0.0)
    yield
    freshness._client.cache_clear()


def coming_session(**fields) -> Session:
    start = timezone.now() + timedelta(days=30)
    planned = {"local_date": start.date(), "local_time": start.time().replace(microsecond=0), "time_zone": "UTC"}
    return make_session(**{**planned, **fields})


@pytest.fixture
def session() -> Session:
    webinar = make_webinar(title="Border Challenges")
    coming_session(webinar=webinar, label="The other one", has_waiting_list=False)
    return coming_session(webinar=webinar, capacity=2)


@pytest.fixture
def path(session: Session) -> str:
    return session.webinar.get_absolute_url()


def is_kept(response: HttpResponse) -> bool:
    return "Age" in response.headers


def register(session: Session, name: str = "anna") -> None:
    signup.register(
        Session.objects.get(pk=session.pk), name="Anna Karimova", email=f"{name}@example.org", now=timezone.now()
    )


def test_second_reader_gets_the_page_without_a_query(path, django_assert_num_queries):
    reader = Client()
    first = reader.get(path)

    with django_assert_num_queries(0):
        second = reader.get(path)

    assert second.content == first.content
    assert "Border Challenges" in second.content.decode()
    assert second["ETag"] == first["ETag"]
    assert second["Content-Security-Policy"] == first["Content-Security-Policy"]
    assert second["X-Frame-Options"] == first["X-Frame-Options"] == "DENY"


def test_kept_page_sets_no_cookie_and_carries_no_token(path):
    page = Client().get(path)

    assert is_kept(page)
    assert not page.cookies
    assert b"csrf" not in page.content
    assert b'name="email"' in page.content


def test_reader_who_has_the_page_is_told_so(path):
    reader = Client()
    etag = reader.get(path)["ETag"]

    again = reader.get(path, headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == etag


def test_page_is_compressed_for_whoever_takes_it(path):
    reader = Client()

    plain = reader.get(path)
    compressed = reader.get(path, headers={"Accept-Encoding": "gzip, br"})
    refused = reader.get(path, headers={"Accept-Encoding": "gzip;q=0, identity"})

    assert gzip.decompress(compressed.content) == plain.content == refused.content
    assert compressed["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in refused.headers
    assert "Accept-Encoding" in plain["Vary"]


def test_every_zone_has_its_own_page(path):
    reader = Client()
    reader.get(path)
    reader.cookies["tz"] = "Asia/Tashkent"

    page = reader.get(path)

    assert "Tashkent" in page.content.decode()
    assert "your time" in page.content.decode()


def test_choosing_a_zone_is_not_kept_and_remembered(path):
    reader = Client()
    reader.get(path)

    chosen = reader.get(path, {"tz": "Asia/Tashkent"})

    assert not is_kept(chosen)
    assert chosen.cookies["tz"].value == "Asia/Tashkent"


def test_address_with_a_sender_s_counting_gets_the_kept_page_and_is_not_kept(path):
    reader = Client()
    counted = {"utm_source": "mail", "fbclid": "x"}

    before = reader.get(path, counted)
    reader.get(path)
    after = reader.get(path, counted)

    assert (is_kept(before), is_kept(after)) == (False, True)
    assert b"utm_source" not in after.content


def test_address_with_another_query_is_read_anew(path):
    reader = Client()
    reader.get(path)

    assert not is_kept(reader.get(path, {"utm_source": "mail", "x": "1"}))


@pytest.mark.parametrize("cookie", ["sessionid", "messages"])
def test_page_for_somebody_known_is_read_anew(path, cookie):
    reader = Client()
    reader.get(path)
    reader.cookies[cookie] = "something"

    assert not is_kept(reader.get(path))


def test_draft_is_never_kept(session, path):
    Webinar.objects.update(status=Webinar.Status.DRAFT)
    organizer, reader = Client(), Client()
    organizer.force_login(make_organizer(session.webinar.host))

    assert organizer.get(path).status_code == 200
    assert reader.get(path).status_code == 404


def test_languages_are_kept_apart(path):
    reader = Client()
    english = reader.get(path)

    arabic = reader.get(f"/ar{path}")

    assert b'dir="rtl"' in arabic.content
    assert reader.get(path).content == english.content


def test_other_process_forgets_the_page_when_an_organizer_saves(session, path):
    reader, organizer = Client(), Client()
    reader.get(path)
    organizer.force_login(make_organizer(session.webinar.host))
    Webinar.objects.update(title="Border Security")  # stands for what the form would store

    organizer.post(reverse("admin:events_webinar_changelist"), {})

    assert "Border Security" in reader.get(path).content.decode()


def test_posts_to_the_admin_by_strangers_throw_nothing_away(path):
    reader = Client()
    reader.get(path)

    Client().post("/admin/login/", {"login": "x"})

    with_marks = reader.get(path)
    assert is_kept(with_marks)
    assert int(with_marks["Age"]) >= 0


def test_page_says_that_the_places_ran_out_at_once(session, path):
    reader = Client()
    register(session)
    assert "1 place left" in reader.get(path).content.decode()

    register(session, "boris")

    assert "Full, waiting list open" in reader.get(path).content.decode()


def test_page_says_at_once_that_a_place_came_back(session, path):
    reader = Client()
    register(session)
    register(session, "boris")
    reader.get(path)

    signup.cancel(session.registrations.get(email="anna@example.org"), now=timezone.now())

    assert "1 place left" in reader.get(path).content.decode()


def test_page_of_a_large_session_is_kept_while_many_places_are_left(path, session):
    Session.objects.filter(pk=session.pk).update(capacity=1000)
    reader = Client()
    before = reader.get(path)["ETag"]

    register(session)

    assert reader.get(path)["ETag"] == before


def test_cancelled_session_is_gone_from_the_page_at_once(session, path):
    reader = Client()
    reader.get(path)

    for each in Session.objects.all():
        scheduling.cancel_session(each, by=None, now=timezone.now())

    assert "will not take place" in reader.get(path).content.decode()


def test_page_of_a_transaction_that_failed_is_still_good(session, path):
    reader = Client()
    etag = reader.get(path)["ETag"]
    full = Session.objects.get(pk=session.pk)
    full.capacity = 0

    with pytest.raises(Exception, match="capacity"):
        scheduling.save_session(full, by=None, now=timezone.now())

    assert reader.get(path)["ETag"] == etag


def kept_by(middleware: PageCacheMiddleware, path: str) -> page_cache.KeptPage:
    return middleware.pages[(path, None)]


def answer_shared(until):
    def view(_request):
        response = HttpResponse("words")
        freshness.share(response, until=until)
        return response

    return view


def test_page_is_kept_for_a_minute_and_not_beyond_what_is_planned():
    now = timezone.now()
    factory = RequestFactory()
    starts_soon = PageCacheMiddleware(answer_shared(now + timedelta(seconds=20)))
    starts_later = PageCacheMiddleware(answer_shared(now + timedelta(hours=20)))
    for middleware in (starts_soon, starts_later):
        middleware(factory.get("/page/"))

    assert kept_by(starts_soon, "/page/").until == now + timedelta(seconds=20)
    later = kept_by(starts_later, "/page/")
    assert later.until - later.kept_at == timedelta(seconds=60)
    assert not later.is_fresh(later.generation, later.until)
    assert later.is_fresh(later.generation, later.until - timedelta(microseconds=1))


def test_landing_page_is_over_when_its_session_starts(session):
    now = timezone.now()
    Session.objects.filter(pk=session.pk).update(
        starts_at=now + timedelta(seconds=30), ends_at=now + timedelta(hours=1)
    )
    webinar = session.webinar
    middleware = PageCacheMiddleware(lambda request: views.webinar(request, webinar.slug))

    middleware(RequestFactory().get(webinar.get_absolute_url()))

    assert kept_by(middleware, webinar.get_absolute_url()).until == Session.objects.get(pk=session.pk).starts_at


def test_oldest_page_makes_room(monkeypatch):
    monkeypatch.setattr(page_cache, "MOST_PAGES", 2)
    middleware = PageCacheMiddleware(answer_shared(None))
    factory = RequestFactory()

    for path in ("/a/", "/b/", "/a/", "/c/"):
        middleware(factory.get(path))

    assert [path for path, _zone in middleware.pages] == ["/a/", "/c/"]


def test_site_works_while_redis_is_away(session, path, settings, tmp_path):
    settings.PAGES_REDIS_URL = f"unix://{tmp_path}/none.sock"
    reader = Client()

    pages = [reader.get(path) for _visit in range(2)]
    register(session)

    assert [page.status_code for page in pages] == [200, 200]
    assert not any(is_kept(page) for page in pages)
