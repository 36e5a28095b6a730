"""Every door of the site, for every kind of webinar and every kind of visitor: what is seen there, and what must not.

DOORS has a row for each name of an address, and for answers that have none; a name without a row fails. A row says what
is asked and who may see anything of the webinar there; the marks in its texts, wherever they turn up (body or header,
HTML, JSON, XML or calendar), say whether anything was seen.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone, translation

from events import freshness, visibility
from events.models import FormerAddress, Invitee, Presenter, Series, Session, User, Webinar
from events.syndication.cards import card_of
from events.views.crawlers import SITEMAPS
from registrations import own_calendar, tokens
from registrations.models import Registration
from tests.builders import (
    form_data,
    make_appearance,
    make_host,
    make_offer,
    make_organizer,
    make_presenter,
    make_registration,
    make_session,
    make_webinar,
)
from tests.posting import posted

pytestmark = pytest.mark.django_db

SITE = "https://webinars.example.org"
PASSWORD = "sapodilla"
# Words that stand nowhere else on the site, each in another text of the webinar.
SLUG, SERIES, PRESENTER = "feijoa", "Jabuticaba", "Loquat"
WEBINAR = {"Kumquat", "Tamarillo", "Medlar", "Quince", "Persimmon", "Cherimoya", "rambutan", "salak", PASSWORD, SLUG}
SUBJECTS = {SERIES, "series-of", PRESENTER, "soursop"}
MARKS = WEBINAR | SUBJECTS


class Kind(StrEnum):
    DRAFT = "draft"
    EVERYONE = "everyone"
    UNLISTED = "unlisted"
    MEMBERS = "members"
    INVITED = "invited"
    PASSWORD = "password"


class Who(StrEnum):
    STRANGER = "stranger"
    # A member, somebody invited, somebody who entered the password.
    ENTITLED = "entitled"
    # The same for another webinar.
    WRONG = "wrong"
    ORGANIZER = "organizer"
    # Has registered, and is let in by nothing else any more.
    HOLDER = "holder"


RESTRICTED = (Kind.MEMBERS, Kind.INVITED, Kind.PASSWORD)
REACHABLE = (Kind.EVERYONE, Kind.UNLISTED)


@dataclass
class World:
    """A webinar of one kind with everything that could tell of it, and the people around."""

    kind: Kind
    webinar: Webinar
    coming: Session
    series: Series
    presenter: Presenter
    other: Webinar
    own: Registration
    people: dict[Who, User]
    another_password: str

    def token(self, who: Who, make: Callable[[Registration], str] = tokens.manage_token) -> str:
        """The holder's, and for everybody else one that differs in a letter."""
        token = make(self.own)
        return token if who == Who.HOLDER else f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}"


Ask = Callable[[World, Client, Who], HttpResponseBase]
Sees = Callable[[Kind, Who], set[str]]


@dataclass(frozen=True)
class Door:
    """What is asked, and which marks somebody may meet there: where there are any, at least one is met.

    `closed`: the answer where there are none; None where it is none of the webinar's business.
    """

    sees: Sees
    asks: tuple[Ask, ...]
    closed: Callable[[Kind], HTTPStatus] | None = None
    # A picture has no words, and an answer that only leads on has none either.
    tells: bool = True


# ---------- who may see ----------


def admitted(kind: Kind, who: Who) -> bool:
    if kind in REACHABLE:
        return True
    return who == Who.ORGANIZER or (kind != Kind.DRAFT and who == Who.ENTITLED)


def by_admission(kind: Kind, who: Who) -> set[str]:
    return MARKS if admitted(kind, who) else set()


def by_admission_once_published(kind: Kind, who: Who) -> set[str]:
    return set() if kind == Kind.DRAFT else by_admission(kind, who)


def if_reachable(kind: Kind, _who: Who) -> set[str]:
    return MARKS if kind in REACHABLE else set()


def if_listed(kind: Kind, _who: Who) -> set[str]:
    return MARKS if kind == Kind.EVERYONE else set()


def subject_if_reachable(kind: Kind, who: Who) -> set[str]:
    """The series or the presenter of a webinar that is for everybody, and the webinar where it is listed."""
    return if_listed(kind, who) | (SUBJECTS if kind in REACHABLE else set())


def if_ones_own(_kind: Kind, who: Who) -> set[str]:
    return MARKS if who == Who.HOLDER else set()


def if_ones_own_or_open(kind: Kind, who: Who) -> set[str]:
    is_open = who == Who.ENTITLED and kind in {Kind.MEMBERS, Kind.INVITED}
    return MARKS if is_open else if_ones_own(kind, who)


def nobody(_kind: Kind, _who: Who) -> set[str]:
    return set()


def refused(kind: Kind) -> HTTPStatus:
    return HTTPStatus.NOT_FOUND if kind == Kind.DRAFT else HTTPStatus.FORBIDDEN


def not_found(_kind: Kind) -> HTTPStatus:
    return HTTPStatus.NOT_FOUND


# ---------- what is asked ----------


def get(name: str, *args: object, query: str = "") -> Ask:
    return lambda _world, client, _who: client.get(reverse(name, args=args) + query)


def of_webinar(name: str, query: str = "") -> Ask:
    return lambda world, client, _who: client.get(reverse(name, args=[world.webinar.slug]) + query)


def of_host(name: str) -> Ask:
    return lambda world, client, _who: client.get(reverse(name, args=[world.webinar.host.slug]))


def of_series(name: str) -> Ask:
    return lambda world, client, _who: client.get(reverse(name, args=[world.series.slug]))


def by_token(name: str, make: Callable[[Registration], str] = tokens.manage_token) -> Ask:
    return lambda world, client, who: client.get(reverse(name, args=[world.token(who, make)]))


def ones_calendar(world: World, client: Client, who: Who) -> HttpResponseBase:
    """The holder's, and for everybody else at an address that differs in a letter."""
    feed = own_calendar.make(world.people[Who.HOLDER], now=timezone.now())
    *_path, file = tokens.calendar_url(feed).split("/")
    token = file.removesuffix(".ics")
    return client.get(reverse("own_calendar", args=[token if who == Who.HOLDER else f"A{token}"]))


def make_ones_calendar(_world: World, client: Client, _who: Who) -> HttpResponseBase:
    return client.post(reverse("my_calendar"), {"act": "make"})


def at(path: str) -> Ask:
    return lambda _world, client, _who: client.get(path)


def post_to(name: str, /, **sent: str) -> Ask:
    return lambda world, client, _who: client.post(reverse(name, args=[world.webinar.slug]), sent)


def ask_oembed(kind: str, slug: str = SLUG) -> Ask:
    return get("oembed", query=f"?format={kind}&url={SITE}/webinars/{slug}/")


def search(query: str) -> Ask:
    return get("home", query=query)


def home_of_its_day(world: World, client: Client, _who: Who) -> HttpResponseBase:
    return client.get(reverse("home"), {"day": f"{world.coming.starts_at:%Y-%m-%d}", "tz": "UTC"})


def sign_in_page(world: World, client: Client, _who: Who) -> HttpResponseBase:
    return client.get(reverse("account_login"), {"next": world.webinar.get_absolute_url()})


def beside_it(world: World, client: Client, _who: Who) -> HttpResponseBase:
    return client.get(world.other.get_absolute_url())


def instead_of_another(world: World, client: Client, who: Who) -> HttpResponseBase:
    others = Webinar.objects.filter(pk=world.other.pk)
    others.update(status=Webinar.Status.CANCELLED)
    answer = beside_it(world, client, who)
    others.update(status=Webinar.Status.PUBLISHED)
    return answer


def of_presenter(world: World, client: Client, _who: Who) -> HttpResponseBase:
    return client.get(world.presenter.get_absolute_url())


def picture(world: World, client: Client, _who: Who) -> HttpResponseBase:
    card = card_of(Webinar.objects.get(pk=world.webinar.pk), now=timezone.now())
    return client.get(card.path, follow=True)


# ---------- the table ----------

# What somebody has who registered, behind addresses that nobody else knows.
OF_THE_HOLDER: dict[str, Door] = {
    **{
        name: Door(if_ones_own, (by_token(name),), not_found)
        for name in (
            "registration",
            "registration_cancel",
            "registration_erase",
            "registration_calendar",
            "registration_data",
            "registration_replay",
        )
    },
    **{
        name: Door(if_ones_own, (by_token(name),), not_found, tells=False)
        for name in (
            # Led on to the page of the registration, when nothing is sent.
            "registration_session",
            "registration_prove",
            "registration_offer",
            "registration_address",
            "registration_keep",
            "registration_details",
            "registration_mail_again",
        )
    },
    # Nothing is asked afterwards here: nobody has it.
    "registration_survey": Door(nobody, (by_token("registration_survey"),), not_found),
    "own_calendar": Door(if_ones_own, (ones_calendar,), not_found),
    "join": Door(if_ones_own, (by_token("join", tokens.join_token),), not_found),
    "unsubscribe": Door(if_ones_own, (by_token("unsubscribe", tokens.unsubscribe_token),), not_found, tells=False),
}

DOORS: dict[str, Door] = {
    # Pages of the webinar.
    "webinar": Door(
        by_admission, (of_webinar("webinar"), of_webinar("webinar", "?tz=Asia/Tokyo&utm_source=x")), refused
    ),
    "register": Door(
        by_admission,
        (
            post_to("register"),
            post_to("register", email="eve@example.org"),
            post_to("register", show="times", name="x"),
        ),
        refused,
    ),
    "registered": Door(by_admission, (of_webinar("registered"),), refused),
    "webinar_replay": Door(
        by_admission, (of_webinar("webinar_replay"), of_webinar("webinar_replay", "?play=1")), refused
    ),
    "webinar_programme": Door(by_admission, (of_webinar("webinar_programme"),), refused),
    # Says whether a password is right, and nothing else, to whoever asks.
    "webinar_password": Door(nobody, (of_webinar("webinar_password"), post_to("webinar_password", password="Open"))),
    # Files of the webinar.
    "webinar_calendar": Door(by_admission_once_published, (of_webinar("webinar_calendar"),), not_found),
    "webinar_feed": Door(if_listed, (of_webinar("webinar_feed"),), not_found),
    "webinar_card": Door(if_reachable, (picture,), not_found, tells=False),
    "webinar_embed": Door(if_reachable, (of_webinar("webinar_embed"),), not_found),
    "oembed": Door(
        if_reachable, (ask_oembed("json"), ask_oembed("xml"), ask_oembed("json", slug="once-elsewhere")), not_found
    ),
    # Lists.
    "home": Door(
        if_listed,
        (
            get("home"),
            search("?q=gathering"),
            search("?q=orchardist"),
            search("?when=past"),
            search("?lang=fi"),
            search("?series=series-of-fruit"),
            home_of_its_day,
        ),
    ),
    "host": Door(if_listed, (of_host("host"),)),
    "series": Door(subject_if_reachable, (of_series("series"),), not_found),
    "presenter": Door(subject_if_reachable, (of_presenter,), not_found),
    "feed": Door(if_listed, (get("feed"),)),
    "host_feed": Door(if_listed, (of_host("host_feed"),)),
    "host_calendar": Door(if_listed, (of_host("host_calendar"),)),
    "series_calendar": Door(subject_if_reachable, (of_series("series_calendar"),), not_found),
    "sitemap": Door(nobody, (get("sitemap"),)),
    "sitemap_section": Door(
        if_listed, tuple(get("sitemap_section", section, 1) for section in sorted(SITEMAPS, key="webinars".__ne__))
    ),
    **OF_THE_HOLDER,
    "my_webinars": Door(if_ones_own_or_open, (get("my_webinars"),)),
    "my_data": Door(if_ones_own, (get("my_data"),)),
    "my_calendar": Door(nobody, (get("my_calendar"), make_ones_calendar)),
    "my_erase": Door(nobody, (get("my_erase"),)),
    # Answers that have no address of their own.
    "(recommended beside another)": Door(if_listed, (beside_it,)),
    "(shown instead of what was cancelled)": Door(if_listed, (instead_of_another,)),
    "(a page that never was)": Door(if_listed, (at("/webinars/never-was/"),)),
    "(a page that is gone)": Door(if_listed, (at("/webinars/was-here-once/"),)),
    "(the former address of the page)": Door(
        by_admission, (at("/webinars/once-elsewhere/"), at("/webinars/once-elsewhere/programme/")), refused
    ),
    "(the former address of a file)": Door(by_admission, (at("/webinars/once-elsewhere/calendar.ics"),), not_found),
    "(the former address of what is followed)": Door(
        by_admission, (at("/webinars/once-elsewhere/feed.ics"),), not_found
    ),
    "(the former address of the series)": Door(if_reachable, (at("/series/once-elsewhere/"),), not_found),
    "(the former address of the presenter)": Door(if_reachable, (at("/presenters/once-elsewhere/"),), not_found),
    "(signing in on the way to the page)": Door(nobody, (sign_in_page,)),
}

CONCERNS_NO_WEBINAR = {
    "admin/": "Organizers alone, each with the rows of their hosts: events/access.py, tests/events/test_admin.py.",
    "accounts/": "Signing in, one's addresses and ways to sign in. No page of it reads the catalogue.",
    "mailbox/": "The trial's mails, for whoever runs it on their own machine.",
    "media/": "Pictures, by names that are not to be guessed; in production the web server in front hands them out.",
    "my_account": "One's own ways to sign in.",
    "second_step": "One's own ways to sign in.",
    "registration_erased": "The same for everybody.",
    "theme": "A colour.",
    "robots": "The same for everybody.",
    "healthz": "For operators.",
    "readyz": "For operators.",
    "^(?:webinars|series|hosts|presenters)/$": "Leads home.",
}


def addresses(patterns: list[URLPattern | URLResolver], start: str = "") -> Iterator[tuple[str, str]]:
    """Each address of the site by its name, or as it is written where it has none, with the path it begins with."""
    for pattern in patterns:
        path = start + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, path)
        else:
            yield pattern.name or path, path


def test_every_address_of_the_site_has_a_row() -> None:
    known = dict(addresses(get_resolver("webinar_site.urls").url_patterns))

    without = {
        name
        for name, path in known.items()
        if name not in DOORS
        and name not in CONCERNS_NO_WEBINAR
        and not any(path.startswith(row) for row in CONCERNS_NO_WEBINAR if row.endswith("/"))
    }

    assert without == set(), "Say in DOORS who sees what of a webinar there."
    rows = {row for row in {*DOORS, *CONCERNS_NO_WEBINAR} if not row.startswith("(") and not row.endswith("/")}
    assert rows <= set(known), "DOORS has rows for addresses that are no more."


# ---------- the people and their webinar ----------


def make_world(kind: Kind) -> World:
    """The webinar with a session to come and one that is over, a recording, and addresses that it once had."""
    host = make_host(name="Orchard Society", member_domains="members.example")
    series = Series.objects.create(host=host, title=SERIES, slug="series-of-fruit", about="One each.")
    webinar = make_webinar(
        host=host,
        series=series,
        title="Kumquat gathering",
        official_title="Tamarillo",
        summary="Medlar",
        about="<p>Quince</p>",
        slug=SLUG,
        language="fi",
        zones=("Asia/Tokyo", "Europe/Vienna"),
        replay_url="https://vimeo.com/76979871?salak",
        access="everyone" if kind == Kind.DRAFT else kind.value,
        access_password=PASSWORD,
    )
    presenter = make_presenter(host=host, name=PRESENTER, slug="soursop", job_title="Orchardist")
    make_appearance(webinar, presenter)
    coming = planned(webinar, timedelta(days=30), label="Persimmon", join_url="https://meet.example.org/rambutan")
    planned(webinar, timedelta(days=-9))
    make_offer(webinar, headline="Cherimoya")
    other = make_webinar(host=host)
    planned(other, timedelta(days=20))
    other.recommended.add(webinar)
    own = make_registration(coming, email="holder@elsewhere.example", now=timezone.now())
    Webinar.objects.filter(pk=webinar.pk).update(status="draft" if kind == Kind.DRAFT else "published")
    webinar.refresh_from_db()
    for page, path in (("webinars", webinar), ("series", series), ("presenters", presenter)):
        remember(f"/{page}/once-elsewhere/", path.get_absolute_url())
    remember("/webinars/was-here-once/", "")
    Invitee.objects.create(webinar=webinar, email="ines@invited.example")
    entitled = {Kind.MEMBERS: "mia@members.example", Kind.INVITED: "ines@invited.example"}
    return World(
        kind=kind,
        webinar=webinar,
        coming=coming,
        series=series,
        presenter=presenter,
        other=other,
        own=own,
        people={
            Who.ENTITLED: person(entitled.get(kind, "eve@example.org")),
            Who.WRONG: person("wanda@members.example.org"),
            Who.ORGANIZER: make_organizer(host, role="viewer"),
            Who.HOLDER: person(own.email),
        },
        another_password=f"not {PASSWORD}",
    )


def planned(webinar: Webinar, later: timedelta, **fields: Any) -> Session:
    start: datetime = timezone.now().replace(second=0, microsecond=0, tzinfo=None) + later
    return make_session(webinar, local_date=start.date(), local_time=start.time(), time_zone="Africa/Abidjan", **fields)


def person(email: str) -> User:
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user


def remember(path: str, moved_to: str) -> None:
    FormerAddress.objects.create(path=path, moved_to=moved_to, retired_at=timezone.now())


def visitor(world: World, who: Who) -> Client:
    """A browser, after what its reader did to be let in."""
    client = Client(raise_request_exception=False)
    if world.kind == Kind.PASSWORD and who in {Who.ENTITLED, Who.WRONG}:
        enter(client, world, PASSWORD)
        if who == Who.WRONG:
            # What they were given held for the password before.
            Webinar.objects.filter(pk=world.webinar.pk).update(access_password=world.another_password)
    elif who in world.people:
        client.force_login(world.people[who], backend="django.contrib.auth.backends.ModelBackend")
    return client


def enter(client: Client, world: World, password: str) -> None:
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            path = reverse("webinar_password", args=[world.webinar.slug])
        entered = client.post(path, {"password": password})
        assert entered.status_code == HTTPStatus.SEE_OTHER


def text_of(response: HttpResponseBase) -> str:
    """Everything that was answered: headers, cookies and body, the lines of a calendar put together again."""
    content: bytes = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    headers = [f"{name}: {value}" for name, value in response.items()]
    body = re.sub(r"\r\n[ \t]", "", content.decode(errors="replace"))
    return "\n".join([*headers, str(response.cookies), body])


def seen(response: HttpResponseBase) -> set[str]:
    """The marks in an answer, without the address if that was what was asked for."""
    asked = response.wsgi_request.get_full_path()  # type: ignore[attr-defined]
    text = text_of(response)
    return {mark for mark in MARKS if mark in text and not (mark in {SLUG, "soursop", "series-of"} and mark in asked)}


# ---------- the walk ----------

every_kind = pytest.mark.parametrize("kind", Kind)
every_restricted_kind = pytest.mark.parametrize("kind", RESTRICTED)


@pytest.fixture(autouse=True)
def site_of_its_own(settings) -> None:
    settings.SITE_URL = SITE


@pytest.mark.parametrize("who", Who)
@every_kind
def test_nobody_sees_more_than_is_theirs(kind: Kind, who: Who) -> None:
    world = make_world(kind)
    client = visitor(world, who)

    assert walk(DOORS, world, client, who) == []


# In the other languages stand the same views: enough for those who see nothing, and for those who see everything.
@pytest.mark.parametrize("who", [Who.STRANGER, Who.ENTITLED])
@every_kind
def test_in_another_language_nobody_sees_more_either(kind: Kind, who: Who) -> None:
    world = make_world(kind)
    client = visitor(world, who)
    doors = {name: door for name, door in DOORS.items() if name not in OF_THE_HOLDER}

    with translation.override("ar"):
        faults = walk(doors, world, client, who)

    assert faults == []


def walk(doors: dict[str, Door], world: World, client: Client, who: Who) -> list[str]:
    """What is wrong behind the doors."""
    faults = []
    for name, door in doors.items():
        answers: list[Any] = [ask(world, client, who) for ask in asks_of(door, who)]
        faults += [f"{name}: {fault}" for fault in faults_of(door, world.kind, who, answers)]
    return faults


def asks_of(door: Door, who: Who) -> tuple[Ask, ...]:
    """What somebody asks there. Where all should see the same, the first ask is enough to find out whether they do."""
    is_the_same_for_all = door.sees in {if_listed, if_reachable, subject_if_reachable}
    return door.asks[:1] if is_the_same_for_all and who != Who.STRANGER else door.asks


def faults_of(door: Door, kind: Kind, who: Who, answers: list[Any]) -> Iterator[str]:
    allowed, met = door.sees(kind, who), set().union(*map(seen, answers))
    statuses = [answer.status_code for answer in answers]
    # Who has lost their way is shown what is listed.
    suggested = if_listed(kind, who) if HTTPStatus.NOT_FOUND in statuses else set()
    if not met <= allowed | suggested:
        yield f"{who} sees {met - allowed}"
    if HTTPStatus.INTERNAL_SERVER_ERROR in statuses:
        yield f"breaks for {who}"
    if door.closed is not None and not allowed and set(statuses) != {door.closed(kind)}:
        yield f"{who} is answered {statuses}"
    if door.closed is not None and allowed and {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND} & set(statuses):
        yield f"{who} is turned away with {statuses}"
    if door.tells and allowed and not met & allowed:
        yield f"{who} sees nothing"


@every_restricted_kind
@pytest.mark.parametrize("name", ["webinar", "register", "registered", "webinar_replay", "webinar_programme"])
def test_pages_for_some_people_are_kept_by_nobody_and_found_by_no_search(name: str, kind: Kind) -> None:
    world = make_world(kind)

    for who in Who:
        client = visitor(world, who)
        for ask in DOORS[name].asks:
            answer = ask(world, client, who)
            assert answer["Cache-Control"] == "private, no-store"
            assert answer["X-Robots-Tag"] == "noindex, nofollow"
            assert not getattr(answer, "is_shared", False)


@every_restricted_kind
def test_calendar_file_for_some_people_is_kept_by_nobody(kind: Kind) -> None:
    world = make_world(kind)

    answer = of_webinar("webinar_calendar")(world, visitor(world, Who.ENTITLED), Who.ENTITLED)

    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")


@every_restricted_kind
def test_page_for_some_people_tells_programs_nothing_and_leads_to_no_page_of_its_people(kind: Kind) -> None:
    world = make_world(kind)

    page = text_of(of_webinar("webinar")(world, visitor(world, Who.ENTITLED), Who.ENTITLED))

    for told in ("ld+json", "og:", "oembed", 'hreflang="x-default"', "card-", "/embed/", "mailto:", "data-share"):
        assert told not in page
    for path in (world.series.get_absolute_url(), world.presenter.get_absolute_url(), "calendar.google.com"):
        assert path not in page
    assert PRESENTER in page


def test_all_that_is_told_to_programs_would_be_found() -> None:
    world = make_world(Kind.EVERYONE)

    page = text_of(of_webinar("webinar")(world, Client(), Who.STRANGER))

    for told in ("ld+json", "og:", "oembed", 'hreflang="x-default"', "card-", "/embed/", "mailto:", "data-share"):
        assert told in page
    for path in (world.series.get_absolute_url(), world.presenter.get_absolute_url(), "calendar.google.com"):
        assert path in page


@every_restricted_kind
def test_an_unpublished_page_stays_hidden_whoever_it_will_be_for(kind: Kind) -> None:
    world = make_world(kind)
    clients = {who: visitor(world, who) for who in Who if who != Who.WRONG}
    Webinar.objects.filter(pk=world.webinar.pk).update(status=Webinar.Status.DRAFT)

    statuses = {who: client.get(world.webinar.get_absolute_url()).status_code for who, client in clients.items()}

    assert statuses == {Who.STRANGER: 404, Who.ENTITLED: 404, Who.ORGANIZER: 200, Who.HOLDER: 404}


@every_restricted_kind
def test_whoever_is_let_in_can_register_and_nobody_else_is(kind: Kind) -> None:
    world = make_world(kind)
    email = world.people[Who.ENTITLED].email
    sent = form_data(world.coming, email=email, now=timezone.now() - timedelta(minutes=1))
    path = reverse("register", args=[SLUG])

    for who in (Who.STRANGER, Who.HOLDER):
        assert visitor(world, who).post(path, sent).status_code == 403
        assert not Registration.objects.filter(email=email).exists()
    taken = visitor(world, Who.ENTITLED).post(path, sent)

    assert taken.status_code == HTTPStatus.SEE_OTHER
    assert Registration.objects.filter(email=email, session=world.coming).exists()


@pytest.mark.parametrize("kind", [Kind.MEMBERS, Kind.INVITED])
def test_members_and_invited_people_register_nobody_else(kind: Kind) -> None:
    world = make_world(kind)
    sent = form_data(world.coming, email="somebody@members.example", now=timezone.now() - timedelta(minutes=1))

    answer = visitor(world, Who.ENTITLED).post(reverse("register", args=[SLUG]), sent)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Register with the address with which you may see this page" in answer.content.decode()
    assert not Registration.objects.filter(email=sent["email"]).exists()


@pytest.mark.parametrize("kind", [Kind.MEMBERS, Kind.INVITED])
def test_whoever_is_signed_in_finds_their_address_in_the_form(kind: Kind) -> None:
    world = make_world(kind)

    page = visitor(world, Who.ENTITLED).get(world.webinar.get_absolute_url()).content.decode()

    field = re.search(r'<input[^>]*name="email"[^>]*>', page)
    assert field is not None
    assert f'value="{world.people[Who.ENTITLED].email}"' in field[0]


# ---------- with pages that are kept ----------


@pytest.fixture
def kept_pages(settings, redis_broker: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.PAGES_REDIS_URL = redis_broker
    monkeypatch.setattr(freshness, "_asks_again_at", 0.0)
    monkeypatch.setattr(freshness, "_owes_a_change", False)
    yield
    freshness._client.cache_clear()


def is_kept(response: HttpResponseBase) -> bool:
    return "Age" in response.headers


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("kept_pages")
@every_kind
def test_nothing_that_somebody_was_shown_is_kept_for_the_next(kind: Kind) -> None:
    world = make_world(kind)
    # One row changes another webinar behind the site's back, and those of the holder have addresses of their own.
    doors = {
        name: door for name, door in DOORS.items() if instead_of_another not in door.asks and name not in OF_THE_HOLDER
    }
    clients = {who: visitor(world, who) for who in (Who.STRANGER, Who.ORGANIZER, Who.ENTITLED, Who.HOLDER)}

    # Every process has its own pages: here all are readers of one, and strangers come before the others and after.
    handler = clients[Who.ORGANIZER].handler
    for client in clients.values():
        client.handler = handler
    for who in (*clients, Who.STRANGER):
        assert walk(doors, world, clients[who], who) == []

    kept = is_kept(clients[Who.STRANGER].get(world.webinar.get_absolute_url()))
    assert kept == (kind in REACHABLE)
    assert is_kept(clients[Who.STRANGER].get(world.other.get_absolute_url()))


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("kept_pages")
@every_restricted_kind
def test_an_organizer_shuts_a_kept_page_and_opens_it_again_at_once(kind: Kind) -> None:
    world = make_world(Kind.EVERYONE)
    organizer, stranger = Client(), Client()
    stranger.handler = organizer.handler
    organizer.force_login(make_organizer(world.webinar.host), backend="django.contrib.auth.backends.ModelBackend")
    paths = [
        world.webinar.get_absolute_url(),
        reverse("webinar_embed", args=[SLUG]),
        world.series.get_absolute_url(),
        world.presenter.get_absolute_url(),
        reverse("home"),
    ]
    for path in paths:
        stranger.get(path)
        assert is_kept(stranger.get(path)), path

    change_access(organizer, world, kind)
    shut = [stranger.get(path) for path in paths]
    change_access(organizer, world, Kind.EVERYONE)
    opened = [stranger.get(path) for path in paths]

    assert [answer.status_code for answer in shut] == [403, 404, 404, 404, 200]
    assert set().union(*map(seen, shut)) == set()
    assert [answer.status_code for answer in opened] == [200] * len(paths)
    assert all("Kumquat" in answer.content.decode() for answer in opened)


def change_access(organizer: Client, world: World, kind: Kind) -> None:
    """In the admin, as a browser sends its form and the answer to the question that comes then."""
    path = reverse("admin:events_webinar_change", args=[world.webinar.pk])
    form = posted(organizer.get(path), id="webinar_form")
    saved = organizer.post(path, {**form, "access": kind.value, "access_password": PASSWORD, "confirmed": "yes"})
    assert saved.status_code == HTTPStatus.FOUND, re.findall(r'class="errorlist.*?</ul>', saved.content.decode(), re.S)
    world.webinar.refresh_from_db()
    assert world.webinar.access == kind.value


def test_the_policy_lets_no_kind_of_access_out() -> None:
    """A kind that the model learns is a kind of this table, and closed until the policy knows it."""
    kinds = {access.value for access in Webinar.Access}
    assert kinds == {kind.value for kind in Kind} - {Kind.DRAFT.value}

    unknown = Webinar(pk=1, host=make_host(), status="published", access="telepathy")
    request = Client().get("/").wsgi_request

    assert visibility.admission(unknown, request) != visibility.Admission.OPEN
