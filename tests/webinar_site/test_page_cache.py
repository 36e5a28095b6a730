"""Whole pages that are kept: who gets them, and that none outlives its truth. Each client is a process of its own."""

import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from events import freshness, scheduling
from events.models import Session, User, Webinar
from registrations import signup
from registrations.views import registering
from tests.builders import make_organizer, make_session, make_webinar
from webinar_site import page_cache
from webinar_site.page_cache import PageCacheMiddleware

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]


@pytest.fixture(autouse=True)
def kept_pages(settings, redis_broker: str, monkeypatch) -> Iterator[None]:
    settings.PAGES_REDIS_URL = redis_broker
    monkeypatch.setattr(freshness, "_asks_again_at", 0.0)
    monkeypatch.setattr(freshness, "_owes_a_change", False)
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


def came_through_the_cache(response: HttpResponseBase) -> bool:
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

    assert came_through_the_cache(page)
    assert not page.cookies
    assert b"csrf" not in page.content
    assert b'name="email"' in page.content


def test_reader_who_has_the_page_is_told_so(path):
    reader = Client()
    etag = reader.get(path)["ETag"]

    again = reader.get(path, headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == etag
    assert "Content-Encoding" not in again.headers
    assert reader.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_copy_of_a_framed_card_may_still_be_framed(session):
    card = reverse("webinar_embed", args=[session.webinar.slug])
    partner_s_reader = Client()
    first = partner_s_reader.get(card)

    again = partner_s_reader.get(card, headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 304
    for name in ("Content-Security-Policy", "Cross-Origin-Resource-Policy"):
        assert again[name] == first[name]
    assert "X-Frame-Options" not in again.headers
    assert "frame-ancestors *" in first["Content-Security-Policy"]


def test_card_is_kept_once_for_all_zones(session, django_assert_num_queries):
    card = reverse("webinar_embed", args=[session.webinar.slug])
    reader = Client()
    reader.get(card)
    reader.cookies["tz"] = "Asia/Tashkent"

    with django_assert_num_queries(0):
        assert reader.get(card).status_code == 200


def test_page_is_compressed_for_whoever_takes_it(path):
    reader = Client()

    plain = reader.get(path)
    compressed = reader.get(path, headers={"Accept-Encoding": "gzip, br"})

    assert gzip.decompress(compressed.content) == plain.content
    assert compressed["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in plain["Vary"]


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip; q=1.0, identity", True),
        ("gzip;q=0, identity", False),
        ("gzip; Q=0.000", False),
        ("br, x-gzip", False),
        ("gzip-x", False),
        ("*", False),
        ("", False),
    ],
)
def test_compression_is_asked_for(path, accepted, is_taken):
    page = Client().get(path, headers={"Accept-Encoding": accepted})

    assert ("Content-Encoding" in page.headers) is is_taken


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

    assert not came_through_the_cache(chosen)
    assert chosen.cookies["tz"].value == "Asia/Tashkent"


def test_address_with_a_sender_s_counting_gets_the_kept_page_and_is_not_kept(path):
    reader = Client()
    counted = {"utm_source": "mail", "fbclid": "x"}

    before = reader.get(path, counted)
    reader.get(path)
    after = reader.get(path, counted)

    assert (came_through_the_cache(before), came_through_the_cache(after)) == (False, True)
    assert b"utm_source" not in after.content


def test_address_with_another_query_is_read_anew(path):
    reader = Client()
    reader.get(path)

    assert not came_through_the_cache(reader.get(path, {"utm_source": "mail", "x": "1"}))


@pytest.mark.parametrize("cookie", ["sessionid", "messages"])
def test_page_for_somebody_known_is_read_anew(path, cookie):
    reader = Client()
    reader.get(path)
    reader.cookies[cookie] = "something"

    assert not came_through_the_cache(reader.get(path))


def test_draft_is_never_kept(session, path):
    Webinar.objects.update(status=Webinar.Status.DRAFT)
    organizer, reader = Client(), Client()
    organizer.force_login(make_organizer(session.webinar.host))

    draft = organizer.get(path)

    assert draft["Cache-Control"] == "private, no-store"
    assert not getattr(draft, "is_shared", False)
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


def test_whatever_strangers_and_attendees_send_to_the_admin_throws_nothing_away(path):
    attendee = Client()
    attendee.force_login(User.objects.create_user("anna@example.org"))
    before = freshness.generation()

    for visitor in (Client(), attendee):
        for send in (visitor.post, visitor.put, visitor.options):
            send("/admin/login/", {"login": "x"})
            send("/admin/events/webinar/")
            send("/admin/nothing/")

    assert freshness.generation() == before


def test_what_is_refused_of_an_organizer_throws_nothing_away(session):
    organizer = Client(enforce_csrf_checks=True)
    organizer.force_login(make_organizer(session.webinar.host))
    before = freshness.generation()

    assert organizer.post("/admin/events/webinar/").status_code == 403

    assert freshness.generation() == before


def test_foreign_names_are_refused_though_the_page_is_kept(path):
    reader = Client()
    reader.get(path)

    assert reader.get(path, headers={"Host": "evil.example"}).status_code == 400
    assert reader.post("/admin/", headers={"Host": "evil.example"}).status_code == 400


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


def test_change_that_failed_throws_nothing_away(session):
    before = freshness.generation()
    full = Session.objects.get(pk=session.pk)
    full.capacity = 0

    with pytest.raises(ValidationError):
        scheduling.save_session(full, by=None, now=timezone.now())
    with transaction.atomic():
        scheduling.cancel_session(session, by=None, now=timezone.now())
        transaction.set_rollback(True)

    assert freshness.generation() == before


def test_change_is_told_only_once_it_is_stored(session):
    before = freshness.generation()

    with transaction.atomic():
        scheduling.cancel_session(session, by=None, now=timezone.now())
        assert freshness.generation() == before

    assert freshness.generation() != before


def kept_by(middleware: PageCacheMiddleware, path: str) -> page_cache.KeptPage:
    return middleware.pages[(path, page_cache.EVERY_ZONE)]


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
    middleware = PageCacheMiddleware(lambda request: registering.webinar(request, webinar.slug))

    middleware(RequestFactory().get(webinar.get_absolute_url()))

    assert middleware.pages[(webinar.get_absolute_url(), None)].until == Session.objects.get(pk=session.pk).starts_at


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
    assert not any(came_through_the_cache(page) for page in pages)


def test_edit_that_redis_did_not_hear_of_is_told_before_anything_is_shown(
    session, path, settings, tmp_path, monkeypatch
):
    reader = Client()
    reader.get(path)
    before, there = freshness.generation(), settings.PAGES_REDIS_URL
    settings.PAGES_REDIS_URL = f"unix://{tmp_path}/none.sock"
    scheduling.cancel_session(session, by=None, now=timezone.now())
    settings.PAGES_REDIS_URL = there

    during = freshness.generation()
    monkeypatch.setattr(freshness, "_asks_again_at", 0.0)

    assert during is None
    assert freshness.generation() not in {before, None}


def test_slow_answer_to_a_reader_does_not_swallow_an_edit(session, monkeypatch):
    before = freshness.generation()
    monkeypatch.setattr(freshness, "_asks_again_at", time.monotonic() + 10)

    scheduling.cancel_session(session, by=None, now=timezone.now())

    monkeypatch.setattr(freshness, "_asks_again_at", 0.0)
    assert freshness.generation() != before


def test_one_reader_makes_the_page_anew_and_the_others_wait(path):
    made = []

    def slow_page(_request):
        made.append(time.monotonic())
        time.sleep(0.2)
        response = HttpResponse("words")
        freshness.share(response)
        return response

    middleware = PageCacheMiddleware(slow_page)
    middleware(RequestFactory().get("/page/"))
    freshness.throw_away()

    with ThreadPoolExecutor(8) as readers:
        answers = list(readers.map(lambda _number: middleware(RequestFactory().get("/page/")), range(8)))

    assert len(made) == 2
    assert {answer.content for answer in answers} == {b"words"}


def test_nobody_waits_for_what_will_not_be_kept():
    status, together = 200, threading.Barrier(1)

    def page(_request):
        # Breaks, and fails the test, where they come one after the other.
        together.wait(timeout=20)
        response = HttpResponse("words", status=status)
        freshness.share(response)
        return response

    def all_at_once(ask):
        with ThreadPoolExecutor(6) as readers:
            return [answer.status_code for answer in readers.map(lambda _number: middleware(ask()), range(6))]

    middleware, factory = PageCacheMiddleware(page), RequestFactory()
    middleware(factory.get("/page/"))
    freshness.throw_away()

    together = threading.Barrier(6)
    assert all_at_once(lambda: factory.get("/page/", {"utm_source": "mail"})) == [200] * 6
    assert all_at_once(lambda: factory.head("/page/")) == [200] * 6
    status, together = 410, threading.Barrier(1)
    middleware(factory.get("/page/"))
    together = threading.Barrier(6)
    assert all_at_once(lambda: factory.get("/page/")) == [410] * 6
