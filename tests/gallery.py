"""Every public page in every state, as data: what is built for it, its address, its status, and who sees it.

What holds for all pages is tested over these: accessibility, valid HTML, headers, nothing from elsewhere
(tests/quality). A page or a state that is new gets an entry here; a test finds addresses that have none.
"""

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from PIL import Image

from events import limits, scheduling
from events.models import (
    Affiliation,
    FormerAddress,
    Host,
    Invitee,
    Membership,
    OfferCondition,
    Partner,
    Question,
    Series,
    SeriesPartnership,
    Session,
    User,
    Webinar,
)
from events.syndication.cards import card_of
from registrations import offers, signup, stops, surveys, tokens
from registrations.models import Message, OfferCode, Registration
from registrations.own_calendar import make as make_own_calendar
from tests.builders import (
    form_data,
    make_appearance,
    make_host,
    make_offer,
    make_organizer,
    make_passkey,
    make_presenter,
    make_question,
    make_registration,
    make_session,
    make_webinar,
)

LANGUAGES = ("en", "ar")
SITE = "https://webinars.example.org"
PASSWORD = "a long enough password"
# Where sessions of the gallery are planned: its clocks never change, so that every hour exists.
ZONE = "Asia/Tashkent"
# A recording among the site's own files, and what whoever started one has in the address.
OWN_RECORDING = f"{SITE}/media/replays/borders.mp4"
PLAYING = "?play=1"
OWN_SITE = {"sec-fetch-site": "same-origin", "accept-encoding": "gzip, deflate, br, zstd"}
BY_THE_SERVER_IN_FRONT = {"host": "webinars.example.org", "x-forwarded-proto": "https"}


@dataclass(frozen=True)
class Visit:
    """How a page is reached: by the arguments of its address, or by `path` where it has no name."""

    args: tuple[object, ...] = ()
    path: str = ""
    query: str = ""
    user: User | None = None
    # Sent instead of asked for.
    posted: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    # What the reader did before, in the language of the page.
    before: Callable[[Client], object] | None = None
    # What somebody else does between the request's look at a session and its writing there.
    meanwhile: Callable[[], object] | None = None
    checks_tokens: bool = False


@dataclass(frozen=True)
class Entry:
    """One page in one state. `name` is that of its function, `url_name` that of its address; None has no name."""

    name: str
    url_name: str | None
    status: int
    # Neither a page nor a file: an answer that leads elsewhere, or what a program reads.
    is_page: bool
    build: Callable[[], Visit]


@dataclass(frozen=True)
class Shown:
    """What a reader got, and under which address."""

    entry: Entry
    language: str
    path: str
    status: int
    headers: Mapping[str, str]
    cookies: SimpleCookie
    content: bytes

    @property
    def html(self) -> str:
        return self.content.decode()

    @property
    def url(self) -> str:
        return f"{SITE}{self.path}"


ENTRIES: list[Entry] = []


def shows(
    url_name: str | None, *, status: int = 200, is_page: bool = True
) -> Callable[[Callable[[], Visit]], Callable[[], Visit]]:
    """Make an entry of a function that builds what its page shows."""

    def enter(build: Callable[[], Visit]) -> Callable[[], Visit]:
        name = build.__name__.replace("_", "-")
        ENTRIES.append(Entry(name, url_name, status, is_page, build))
        return build

    return enter


def show_all(languages: Collection[str] = LANGUAGES) -> list[Shown]:
    """Show every entry in each of the languages."""
    return [page for entry in ENTRIES for page in show(entry, languages)]


def show(entry: Entry, languages: Collection[str] = LANGUAGES) -> list[Shown]:
    """Build one entry and show it, to each reader as if nobody had been there before. Nothing of it is kept."""
    with _taken_back():
        with translation.override("en"):
            visit = entry.build()
        return [_show(entry, visit, language) for language in languages]


def _show(entry: Entry, visit: Visit, language: str) -> Shown:
    """Ask for one page as its reader does, over TLS."""
    # Tries are counted here.
    cache.clear()
    limits.forget()
    client = Client(
        enforce_csrf_checks=visit.checks_tokens,
        raise_request_exception=False,
        headers={**BY_THE_SERVER_IN_FRONT, **OWN_SITE, **visit.headers},
    )
    with _taken_back(), ExitStack() as meanwhile:
        if visit.user is not None:
            client.force_login(visit.user, backend="django.contrib.auth.backends.ModelBackend")
        with translation.override(language):
            if visit.before is not None:
                visit.before(client)
            path = visit.path or reverse(str(entry.url_name), args=visit.args)
            if visit.path and language != "en":
                path = f"/{language}{path}"
            path += visit.query
            if visit.meanwhile is not None:
                meanwhile.enter_context(_before_anything_is_written(visit.meanwhile))
            response: Any = client.get(path) if visit.posted is None else client.post(path, visit.posted)
            content = b"".join(response) if response.streaming else response.content
    # Requests leave their language behind.
    translation.deactivate()
    return Shown(
        entry=entry,
        language=language,
        path=path,
        status=response.status_code,
        headers=dict(response.items()),
        cookies=response.cookies,
        content=content,
    )


@contextmanager
def _taken_back() -> Iterator[None]:
    """Undo in the end whatever is written meanwhile."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def _before_anything_is_written(act: Callable[[], object]) -> Iterator[None]:
    """Act once, just before the first transaction begins: a race whose winner is known."""
    waiting = [act]

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        if waiting and sql.startswith("SAVEPOINT"):
            waiting.pop()()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield


# ---------- what the entries are built from ----------


def soon() -> datetime:
    """A month from now, on the hour."""
    return timezone.now().replace(minute=30, second=0, microsecond=0) + timedelta(days=30)


def session_at(moment: datetime, webinar: Webinar | None = None, **fields: Any) -> Session:
    local = moment.astimezone(ZoneInfo(ZONE))
    return make_session(
        webinar,
        **{
            "local_date": local.date(),
            "local_time": local.time().replace(second=0, microsecond=0),
            "time_zone": ZONE,
            **fields,
        },
    )


def coming(webinar: Webinar | None = None, **fields: Any) -> Session:
    return session_at(soon(), webinar or full_webinar(), **fields)


def running(webinar: Webinar | None = None, **fields: Any) -> Session:
    return session_at(timezone.now() - timedelta(minutes=20), webinar or full_webinar(), **fields)


def over(webinar: Webinar | None = None, **fields: Any) -> Session:
    return session_at(timezone.now() - timedelta(days=9), webinar or full_webinar(), **fields)


def full_webinar(*, presenters: int = 2, **fields: Any) -> Webinar:
    """A webinar that has something in every corner of its page."""
    webinar = make_webinar(
        zones=("America/New_York", "Europe/Vienna", "Asia/Tokyo"),
        **{
            "about": (
                "<p>What we will discuss.</p><h3>The region</h3><ul><li>Roads</li><li>Rivers</li></ul>"
                '<p>More <a href="https://borders.example.org/">about it</a>.</p>'
            ),
            "official_title": "Challenges at land borders, and what has closed the gaps: an exchange of experience",
            **fields,
        },
    )
    for number in range(presenters):
        presenter = make_presenter(
            host=webinar.host,
            biography="<p>Has guarded roads for years, and written about it.</p>",
            portrait=picture("portrait.webp", size=(224, 224)) if number % 2 else "",
        )
        Affiliation.objects.create(presenter=presenter, job_title="Author", organization="Border Review", order=1)
        make_appearance(webinar, presenter, order=number)
    make_offer(webinar, conditions=("registered", "replay"), terms="For a new subscription.")
    return webinar


def series_of(host: Host) -> Series:
    series = Series.objects.create(host=host, title="Border by border", slug=f"by-border-{host.pk}", about="One each.")
    partner = Partner.objects.create(host=host, name="Roads Union", website="https://roads.example.org/")
    SeriesPartnership.objects.create(series=series, partner=partner)
    return series


def picture(name: str, *, size: tuple[int, int] = (1200, 630)) -> "ContentFile[bytes]":
    file = io.BytesIO()
    Image.new("RGB", size, "#0b6b74").save(file, "WEBP")
    return ContentFile(file.getvalue(), name)


def register(session: Session, **fields: Any) -> Registration:
    """Somebody who registered, in time whatever the session is now."""
    return make_registration(
        session, **{"now": min(timezone.now(), session.starts_at - timedelta(days=3)), "time_zone": ZONE, **fields}
    )


def sold_out(**fields: Any) -> Session:
    session = coming(capacity=1, **fields)
    register(session)
    session.refresh_from_db()
    return session


def landing(session: Session) -> Visit:
    return Visit((session.webinar.slug,))


def manage(registration: Registration) -> Visit:
    return Visit((tokens.manage_token(registration),))


def joining(registration: Registration) -> Visit:
    return Visit((tokens.join_token(registration),))


def person() -> User:
    """Somebody who is signed in and has an address that is theirs."""
    user = User.objects.create_user("anna@example.org", password=PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


# ---------- lists ----------


@shows("home")
def home() -> Visit:
    coming()
    running()
    over(full_webinar(replay_url="https://video.example.org/1"))
    scheduling.cancel_session(coming(), by=None, now=timezone.now())
    return Visit()


@shows("home")
def home_filtered() -> Visit:
    coming()
    return Visit(query="?q=border&when=upcoming&lang=en&tz=Asia/Tokyo")


@shows("home")
def home_nothing_found() -> Visit:
    coming()
    return Visit(query="?q=nothing+has+these+words")


@shows("home")
def home_of_a_day() -> Visit:
    coming()
    return Visit(query=f"?day={soon():%Y-%m-%d}&tz=UTC")


@shows("home")
def home_without_webinars() -> Visit:
    return Visit()


@shows("series")
def series() -> Visit:
    host = make_host(about="Who we are.", website="https://host.example.org/")
    made = series_of(host)
    coming(full_webinar(host=host, series=made))
    over(full_webinar(host=host, series=made))
    return Visit((made.slug,))


@shows("series", status=404)
def series_empty() -> Visit:
    return Visit((series_of(make_host()).slug,))


@shows("host")
def host() -> Visit:
    made = make_host(about="Who we are.", website="https://host.example.org/")
    coming(full_webinar(host=made))
    over(full_webinar(host=made))
    return Visit((made.slug,), query="?tz=Asia/Tokyo")


@shows("host")
def host_empty() -> Visit:
    return Visit((make_host().slug,))


@shows("presenter")
def presenter() -> Visit:
    webinar = full_webinar()
    coming(webinar)
    return Visit((webinar.appearances.latest("order").presenter.slug,))


@shows("presenter")
def presenter_without_a_name() -> Visit:
    webinar = full_webinar(presenters=0)
    nameless = make_presenter(host=webinar.host, name="")
    make_appearance(webinar, nameless)
    over(webinar)
    return Visit((nameless.slug,))


# ---------- the landing page ----------


@shows("webinar")
def webinar_draft() -> Visit:
    webinar = full_webinar(status=Webinar.Status.DRAFT)
    coming(webinar)
    return Visit((webinar.slug,), user=make_organizer(webinar.host))


@shows("webinar")
def webinar_unplanned() -> Visit:
    return Visit((full_webinar().slug,))


@shows("webinar")
def webinar_announced() -> Visit:
    return landing(coming(full_webinar(registration_opens_at=timezone.now() + timedelta(days=3))))


@shows("webinar")
def webinar_open() -> Visit:
    return landing(coming())


@shows("webinar")
def webinar_in_a_zone_of_ones_own() -> Visit:
    session = coming()
    return Visit((session.webinar.slug,), query="?tz=Pacific/Auckland")


@shows("webinar")
def webinar_with_questions() -> Visit:
    webinar = full_webinar(price_amount=20, price_currency="EUR")
    ask_everything(webinar)
    return landing(coming(webinar, capacity=40))


@shows("webinar")
def webinar_with_several_sessions() -> Visit:
    webinar = full_webinar(series=None)
    session_at(soon() + timedelta(days=1), webinar, capacity=3, label="Suits the Americas")
    full = session_at(soon() + timedelta(days=2), webinar, capacity=1)
    register(full)
    scheduling.cancel_session(session_at(soon() + timedelta(days=3), webinar), by=None, now=timezone.now())
    return landing(coming(webinar))


@shows("webinar")
def webinar_with_a_replay_and_a_session_to_come() -> Visit:
    session = over(full_webinar(replay_url="https://vimeo.com/76979871"))
    return landing(coming(session.webinar))


@shows("webinar")
def webinar_with_a_waiting_list() -> Visit:
    return landing(sold_out())


@shows("webinar")
def webinar_full() -> Visit:
    return landing(sold_out(has_waiting_list=False))


@shows("webinar")
def webinar_closed() -> Visit:
    return landing(coming(full_webinar(registration_closes_at=timezone.now() - timedelta(days=1))))


@shows("webinar")
def webinar_running() -> Visit:
    return landing(running())


@shows("webinar")
def webinar_running_and_full() -> Visit:
    session = running(capacity=1, has_waiting_list=False)
    register(session)
    return landing(session)


@shows("webinar")
def webinar_over() -> Visit:
    return landing(over(full_webinar(attended_count=115)))


@shows("webinar")
def webinar_over_with_replay() -> Visit:
    return landing(over(full_webinar(replay_url="https://vimeo.com/76979871")))


@shows("webinar")
def webinar_over_with_replay_for_registrants() -> Visit:
    webinar = full_webinar(
        replay_url="https://vimeo.com/76979871", replay_access="registered", replay_until=timezone.now() + timedelta(9)
    )
    return landing(over(webinar))


@shows("webinar")
def webinar_moved() -> Visit:
    session = coming()
    register(session)
    session.local_time = session.local_time.replace(minute=0)
    scheduling.save_session(session, by=None, now=timezone.now())
    return landing(session)


@shows("webinar")
def webinar_cancelled() -> Visit:
    session = coming()
    session.webinar.recommended.add(coming().webinar)
    scheduling.cancel_webinar(session.webinar, by=None, now=timezone.now())
    return landing(session)


@shows("webinar")
def webinar_unlisted() -> Visit:
    return landing(coming(full_webinar(access="unlisted")))


@shows("webinar")
def webinar_recommends_others() -> Visit:
    host = make_host(about="Who we are.")
    made = series_of(host)
    for _number in range(3):
        coming(full_webinar(host=host, series=made))
    return landing(coming(full_webinar(host=host, series=made)))


@shows("webinar")
def webinar_in_russian() -> Visit:
    return landing(
        coming(
            full_webinar(
                title="Границы Центральной Азии: угрозы и ответы",
                summary="Что угрожает границам и что помогает их охранять.",
                about="<p>О чём пойдёт речь.</p>",
                official_title="",
                language="ru",
                interpretation="переводится на английский",
            )
        )
    )


@shows("webinar")
def webinar_in_arabic() -> Visit:
    return landing(
        coming(
            full_webinar(
                title="تحديات أمن الحدود",
                summary="ما الذي يهدد الحدود وما الذي يحميها.",
                about="<p>ماذا سنناقش.</p>",
                official_title="",
                language="ar",
            )
        )
    )


@shows("webinar")
def webinar_with_a_long_title() -> Visit:
    title = (
        "Telecommunicationsinfrastructurecooperation and countersurveillance at land borders, sea ports and airports"
    )
    return landing(coming(full_webinar(title=f"{title}, told by those who run them every day of the year")))


@shows("webinar")
def webinar_with_a_picture() -> Visit:
    return landing(coming(full_webinar(picture=picture("picture.webp"))))


@shows("webinar")
def webinar_with_twelve_presenters() -> Visit:
    return landing(coming(full_webinar(presenters=12)))


# ---------- pages for some people alone ----------

PAGE_PASSWORD = "open, sesame"


def members_webinar() -> Webinar:
    return full_webinar(host=make_host(member_domains="example.org"), access="members")


@shows("webinar", status=403)
def closed_members() -> Visit:
    return landing(coming(full_webinar(host=make_host(member_domains="members.example.org"), access="members")))


@shows("webinar", status=403)
def closed_members_to_another() -> Visit:
    session = coming(full_webinar(host=make_host(member_domains="members.example.org"), access="members"))
    return Visit((session.webinar.slug,), user=person())


@shows("webinar", status=403)
def closed_invited() -> Visit:
    return landing(coming(full_webinar(access="invited")))


@shows("webinar", status=403)
def closed_invited_to_others() -> Visit:
    user = person()
    EmailAddress.objects.create(user=user, email="anna@border-review.example.org", verified=True)
    return Visit((coming(full_webinar(access="invited")).webinar.slug,), user=user)


@shows("webinar", status=403)
def closed_invited_to_nobody_proved() -> Visit:
    user = User.objects.create_user("anna@example.org", password=PASSWORD)
    return Visit((coming(full_webinar(access="invited")).webinar.slug,), user=user)


@shows("webinar", status=403)
def closed_password() -> Visit:
    return landing(coming(full_webinar(access="password", access_password=PAGE_PASSWORD)))


@shows("webinar_replay", status=403)
def closed_replay() -> Visit:
    return landing(over(full_webinar(access="password", access_password=PAGE_PASSWORD)))


@shows("webinar_password", status=422)
def page_password_missing() -> Visit:
    webinar = coming(full_webinar(access="password", access_password=PAGE_PASSWORD)).webinar
    return Visit((webinar.slug,), posted={"password": ""})


@shows("webinar_password", status=422)
def page_password_wrong() -> Visit:
    webinar = coming(full_webinar(access="password", access_password=PAGE_PASSWORD)).webinar
    return Visit((webinar.slug,), posted={"password": "open, barley"})


@shows("webinar_password", status=429)
def page_password_tried_too_often() -> Visit:
    webinar = coming(full_webinar(access="password", access_password=PAGE_PASSWORD)).webinar
    posted = {"password": "open, barley"}

    def guess(client: Client) -> None:
        for _time in range(10):
            client.post(reverse("webinar_password", args=[webinar.slug]), posted)

    return Visit((webinar.slug,), before=guess, posted=posted)


@shows("webinar_password", status=303, is_page=False)
def page_password_right() -> Visit:
    webinar = coming(full_webinar(access="password", access_password=PAGE_PASSWORD)).webinar
    return Visit((webinar.slug,), posted={"password": PAGE_PASSWORD})


@shows("webinar")
def webinar_with_a_password() -> Visit:
    webinar = coming(full_webinar(access="password", access_password=PAGE_PASSWORD)).webinar

    def enter(client: Client) -> None:
        client.post(reverse("webinar_password", args=[webinar.slug]), {"password": PAGE_PASSWORD})

    return Visit((webinar.slug,), before=enter)


@shows("webinar")
def webinar_for_members() -> Visit:
    webinar = members_webinar()
    webinar.series = series_of(webinar.host)
    webinar.save()
    coming(webinar)
    return Visit((webinar.slug,), user=person())


@shows("webinar")
def webinar_for_members_to_its_organizer() -> Visit:
    webinar = coming(members_webinar()).webinar
    return Visit((webinar.slug,), user=make_organizer(webinar.host))


@shows("webinar_programme")
def programme_for_members() -> Visit:
    return Visit((coming(members_webinar()).webinar.slug,), user=person())


@shows("register", status=422)
def register_somebody_else_among_members() -> Visit:
    session = coming(members_webinar())
    posted = form_data(session, name="Boris", email="boris@example.org")
    return Visit((session.webinar.slug,), user=person(), posted=posted)


@shows("webinar_programme")
def programme() -> Visit:
    return landing(coming(full_webinar(presenters=3)))


@shows("webinar_programme")
def programme_unplanned() -> Visit:
    return Visit((full_webinar().slug,))


# ---------- the replay ----------


@shows("webinar_replay")
def replay() -> Visit:
    return landing(over(full_webinar(replay_url="https://vimeo.com/76979871")))


@shows("webinar_replay")
def replay_playing() -> Visit:
    session = over(full_webinar(replay_url="https://www.youtube.com/watch?v=aqz-KE-bpKQ"))
    return Visit((session.webinar.slug,), query=PLAYING)


@shows("webinar_replay")
def replay_of_our_own() -> Visit:
    return landing(over(full_webinar(replay_url=OWN_RECORDING)))


@shows("webinar_replay")
def replay_of_our_own_playing() -> Visit:
    session = over(full_webinar(replay_url=OWN_RECORDING))
    return Visit((session.webinar.slug,), query=PLAYING)


@shows("webinar_replay")
def replay_elsewhere() -> Visit:
    return landing(over(full_webinar(replay_url="https://video.example.org/1")))


@shows("webinar_replay")
def replay_for_registrants() -> Visit:
    return landing(over(full_webinar(replay_url="https://vimeo.com/76979871", replay_access="registered")))


@shows("webinar_replay")
def replay_soon() -> Visit:
    return landing(
        over(full_webinar(replay_url="https://vimeo.com/76979871", replay_from=timezone.now() + timedelta(days=2)))
    )


@shows("webinar_replay")
def replay_no_more() -> Visit:
    return landing(
        over(full_webinar(replay_url="https://vimeo.com/76979871", replay_until=timezone.now() - timedelta(days=1)))
    )


@shows("registration_replay")
def own_replay() -> Visit:
    return manage(register(over(full_webinar(replay_url="https://vimeo.com/76979871", replay_access="registered"))))


@shows("registration_replay", status=303, is_page=False)
def own_replay_begins() -> Visit:
    own = register(over(full_webinar(replay_url="https://vimeo.com/76979871", replay_access="registered")))
    return Visit((tokens.manage_token(own),), posted={})


def _started(replay_url: str) -> Visit:
    webinar = full_webinar(replay_url=replay_url, replay_access="registered")
    token = tokens.manage_token(register(over(webinar)))

    def start(client: Client) -> None:
        client.post(reverse("registration_replay", args=[token]))

    return Visit((token,), query=PLAYING, before=start)


@shows("registration_replay")
def own_replay_playing() -> Visit:
    return _started("https://vimeo.com/76979871")


@shows("registration_replay")
def own_replay_of_our_own_playing() -> Visit:
    return _started(OWN_RECORDING)


@shows("registration_replay")
def own_replay_elsewhere_started() -> Visit:
    return _started("https://video.example.org/1")


@shows("registration_replay")
def own_replay_of_whoever_was_never_accepted() -> Visit:
    webinar = full_webinar(replay_url="https://vimeo.com/76979871", replay_access="registered", needs_approval=True)
    return manage(register(over(webinar)))


@shows("registration_replay")
def own_replay_after_cancelling() -> Visit:
    own = signup.cancel(register(coming(full_webinar(replay_url="https://vimeo.com/76979871"))), now=timezone.now())
    over(own.session.webinar)
    return manage(own)


@shows("registration_replay", status=302, is_page=False)
def own_replay_not_yet() -> Visit:
    return manage(register(coming(full_webinar(replay_url="https://vimeo.com/76979871"))))


# ---------- registering ----------


def ask_everything(webinar: Webinar, **fields: Any) -> None:
    """One question of each kind."""
    for number, kind in enumerate(Question.Kind.values):
        options = "Roads\nRivers\nAirports" if kind in {"one", "some"} else ""
        wording = f"What do you say to this ({kind})?"
        make_question(
            webinar, kind=kind, options=options, wording=wording, order=number, help_text="As you like.", **fields
        )


# Everything that may stand between somebody and a place.
STEPS: dict[str, Any] = {
    "needs_proof": True,
    "needs_approval": True,
    "price_amount": 20,
    "price_currency": "EUR",
    "payment_days": 3,
}


def ask_in_turn(webinar: Webinar) -> None:
    """Questions of which each depends on the one before."""
    how = make_question(webinar, kind="one", options="Road\nRail", wording="How do you come?", order=1)
    which = make_question(
        webinar, depends_on=how, depends_answers="Road", is_required=True, wording="On which road?", order=2
    )
    make_question(webinar, depends_on=which, kind="yes-no", wording="Is it paved?", help_text="As you know.", order=3)


@shows("register", status=302, is_page=False)
def register_asked_for() -> Visit:
    return landing(coming())


@shows("register", status=422)
def register_with_errors() -> Visit:
    webinar = full_webinar()
    ask_everything(webinar, is_required=True)
    session_at(soon() + timedelta(days=1), webinar)
    coming(webinar)
    return Visit((webinar.slug,), posted={"name": "", "email": "anna@", "session": "0"})


@shows("register", status=422)
def register_too_late() -> Visit:
    session = sold_out(has_waiting_list=False)
    return Visit((session.webinar.slug,), posted=form_data(session))


@shows("register", status=422)
def register_before_it_opens() -> Visit:
    session = coming(full_webinar(registration_opens_at=timezone.now() + timedelta(days=2)))
    return Visit((session.webinar.slug,), posted=form_data(session))


@shows("register", status=422)
def register_from_a_page_of_yesterday() -> Visit:
    session = coming()
    return Visit((session.webinar.slug,), posted=form_data(session, stamp=""))


@shows("register", status=422)
def register_with_what_a_program_fills_in() -> Visit:
    session = coming()
    return Visit((session.webinar.slug,), posted=form_data(session, message="Buy now"))


@shows("register", status=429)
def register_too_often() -> Visit:
    session = coming()
    sent = form_data(session)

    def hurry(client: Client) -> None:
        for _time in range(6):
            client.post(reverse("register", args=[session.webinar.slug]), sent)

    return Visit((session.webinar.slug,), before=hurry, posted=sent)


@shows("register", status=422)
def register_for_any_session_with_errors() -> Visit:
    webinar = full_webinar(**STEPS)
    waiting = coming(webinar, capacity=1, places_taken=1)
    session_at(soon() + timedelta(days=1), webinar)
    ask_in_turn(webinar)
    return Visit((webinar.slug,), posted=form_data(waiting, session="any", email=""))


@shows("webinar")
def webinar_with_every_step() -> Visit:
    webinar = full_webinar(**STEPS)
    coming(webinar, capacity=1, places_taken=1)
    session_at(soon() + timedelta(days=1), webinar)
    ask_in_turn(webinar)
    return Visit((webinar.slug,))


@shows("register")
def register_for_another_place() -> Visit:
    session = coming(full_webinar())
    ask_everything(session.webinar, is_required=True)
    sent = {"name": "Anna", "email": "anna@", "session": str(session.pk), "tz": "Asia/Tokyo", "show": "times"}
    return Visit((session.webinar.slug,), posted=sent)


@shows("register", status=409)
def register_refused() -> Visit:
    session = coming(capacity=1, has_waiting_list=False)
    return Visit(
        (session.webinar.slug,),
        posted=form_data(session, email="slower@example.org"),
        meanwhile=lambda: register(session),
    )


@shows("register", status=403)
def register_from_another_site() -> Visit:
    return Visit((coming().webinar.slug,), posted={}, headers={"sec-fetch-site": "cross-site"})


@shows("register", status=303, is_page=False)
def register_taken() -> Visit:
    session = coming()
    return Visit((session.webinar.slug,), posted=form_data(session))


def _registered(place: Session, **typed: Any) -> Visit:
    slug = place.webinar.slug
    sent = form_data(place, time_zone=ZONE, **typed)
    return Visit((slug,), before=lambda client: client.post(reverse("register", args=[slug]), sent))


@shows("registered")
def registered() -> Visit:
    return _registered(coming())


@shows("registered")
def registered_and_waiting() -> Visit:
    return _registered(sold_out())


@shows("registered")
def registered_and_to_be_proved() -> Visit:
    return _registered(coming(full_webinar(needs_proof=True)))


@shows("registered")
def registered_and_to_be_proved_first_of_all() -> Visit:
    return _registered(coming(full_webinar(**STEPS)))


@shows("registered")
def registered_and_to_be_proved_while_waiting() -> Visit:
    return _registered(coming(full_webinar(needs_proof=True), capacity=1, places_taken=1))


@shows("registered")
def registered_and_to_be_accepted() -> Visit:
    return _registered(coming(full_webinar(needs_approval=True)))


@shows("registered")
def registered_and_to_be_paid() -> Visit:
    return _registered(coming(full_webinar(price_amount=20, price_currency="EUR", payment_days=3)))


@shows("registered")
def registered_and_to_be_paid_at_some_time() -> Visit:
    return _registered(coming(full_webinar(price_amount=20, price_currency="EUR")))


@shows("registered")
def registered_for_any_session() -> Visit:
    webinar = full_webinar()
    session_at(soon() + timedelta(days=1), webinar, capacity=1, places_taken=1)
    return _registered(coming(webinar, capacity=1, places_taken=1), session="any")


@shows("registered")
def registered_long_ago() -> Visit:
    return landing(coming())


# ---------- one's own registration ----------


@shows("registration")
def manage_confirmed() -> Visit:
    webinar = full_webinar()
    ask_everything(webinar)
    session_at(soon() + timedelta(days=1), webinar)
    question = webinar.questions.first()
    assert question is not None
    return manage(register(coming(webinar), answers={question: "At a border."}))


@shows("registration")
def manage_waitlisted() -> Visit:
    return manage(register(sold_out()))


@shows("registration")
def manage_cancelled() -> Visit:
    return manage(signup.cancel(register(coming()), now=timezone.now()))


@shows("registration")
def manage_session_cancelled() -> Visit:
    webinar = full_webinar()
    session_at(soon() + timedelta(days=1), webinar)
    own = register(coming(webinar))
    scheduling.cancel_session(own.session, by=None, now=timezone.now())
    return manage(own)


@shows("registration")
def manage_moved() -> Visit:
    own = register(coming())
    own.session.local_time = own.session.local_time.replace(minute=0)
    scheduling.save_session(own.session, by=None, now=timezone.now())
    return manage(own)


@shows("registration")
def manage_running() -> Visit:
    return manage(register(running()))


@shows("registration")
def manage_running_without_an_address() -> Visit:
    return manage(register(running(join_url="")))


@shows("registration")
def manage_over() -> Visit:
    return manage(register(over()))


@shows("registration")
def manage_over_with_survey() -> Visit:
    webinar = full_webinar()
    make_question(webinar, asked="survey")
    return manage(register(over(webinar)))


@shows("registration")
def manage_over_with_replay() -> Visit:
    return manage(register(over(full_webinar(replay_url="https://vimeo.com/76979871"))))


def _with_code(change: Callable[[OfferCode], object], *conditions: str) -> Visit:
    webinar = make_webinar()
    make_offer(webinar, conditions=conditions or ("registered",), terms="For a new subscription.")
    own = register(coming(webinar))
    change(own.offer_codes.get())
    return manage(own)


@shows("registration")
def manage_offer_locked() -> Visit:
    return _with_code(lambda _code: None, "replay", "survey", "asked", "attended")


@shows("registration")
def manage_offer_unlocked() -> Visit:
    return _with_code(
        lambda code: offers.unlock(code.registration, kind=OfferCondition.Kind.SURVEY, now=timezone.now()),
        "replay",
        "survey",
    )


@shows("registration")
def manage_offer_used() -> Visit:
    return _with_code(lambda code: offers.redeem(code.code, now=timezone.now()))


@shows("registration")
def manage_offer_ended() -> Visit:
    def end(code: OfferCode) -> None:
        code.offer.valid_until = timezone.now() - timedelta(days=1)
        code.offer.save()

    return _with_code(end)


def in_steps(*, days_ago: int = 0, session: Callable[[Webinar], Session] = coming, **rules: Any) -> Registration:
    """Somebody who registered so long ago for a webinar with these rules."""
    own = session(full_webinar(**rules))
    now = min(timezone.now(), own.starts_at - timedelta(days=3)) - timedelta(days=days_ago)
    return register(own, now=now)


PRICED: dict[str, Any] = {"price_amount": 20, "price_currency": "EUR", "payment_days": 7}


def offered(*, days_ago: int = 0, **rules: Any) -> Registration:
    """Somebody who waited, and is offered the place of one who has cancelled."""
    now = timezone.now() - timedelta(days=days_ago)
    session = coming(full_webinar(offer_hours=24, **rules), capacity=1)
    first, own = register(session, now=now), register(session, now=now)
    if session.webinar.price_amount:
        signup.mark_paid(first, by=None, now=now)
    signup.cancel(first, now=now)
    own.refresh_from_db()
    return own


def lapsed(own: Registration) -> Registration:
    signup.lapse_overdue(now=timezone.now())
    own.refresh_from_db()
    return own


def waiting_for_any() -> Registration:
    webinar = full_webinar()
    first, second = coming(webinar, capacity=1), session_at(soon() + timedelta(days=1), webinar, capacity=1)
    register(first)
    register(second)
    return register(first, any_session=True)


@shows("registration")
def manage_to_prove() -> Visit:
    return manage(in_steps(needs_proof=True))


@shows("registration")
def manage_to_prove_for_the_waiting_list() -> Visit:
    return manage(register(sold_out(webinar=full_webinar(needs_proof=True))))


@shows("registration")
def manage_to_prove_before_others_decide() -> Visit:
    return manage(in_steps(needs_proof=True, needs_approval=True))


@shows("registration")
def manage_to_be_accepted() -> Visit:
    return manage(in_steps(needs_approval=True))


@shows("registration")
def manage_to_pay() -> Visit:
    return manage(in_steps(**PRICED))


@shows("registration")
def manage_to_pay_without_a_limit() -> Visit:
    return manage(in_steps(**PRICED | {"payment_days": None}))


@shows("registration")
def manage_offered() -> Visit:
    return manage(offered())


@shows("registration")
def manage_offered_at_a_price() -> Visit:
    return manage(offered(**PRICED))


@shows("registration")
def manage_waiting_for_an_offer() -> Visit:
    return manage(register(sold_out(webinar=full_webinar(offer_hours=24))))


@shows("registration")
def manage_waiting_beside_other_sessions() -> Visit:
    webinar = full_webinar()
    session_at(soon() + timedelta(days=1), webinar)
    return manage(register(sold_out(webinar=webinar)))


@shows("registration")
def manage_waiting_for_any() -> Visit:
    return manage(waiting_for_any())


@shows("registration")
def manage_cancelled_by_the_organizer() -> Visit:
    own = register(coming())
    return manage(signup.cancel(own, because=Registration.CancelledBecause.ORGANIZER, now=timezone.now()))


@shows("registration")
def manage_turned_down() -> Visit:
    return manage(signup.turn_down(in_steps(needs_approval=True), by=None, now=timezone.now()))


@shows("registration")
def manage_not_proved_in_time() -> Visit:
    return manage(lapsed(in_steps(needs_proof=True, days_ago=2)))


@shows("registration")
def manage_not_paid_in_time() -> Visit:
    return manage(lapsed(in_steps(days_ago=8, **PRICED)))


@shows("registration")
def manage_passed_on() -> Visit:
    return manage(signup.pass_offer(offered(), now=timezone.now()))


@shows("registration")
def manage_offer_unanswered() -> Visit:
    return manage(lapsed(offered(days_ago=2)))


@shows("registration")
def manage_never_complete() -> Visit:
    return manage(in_steps(session=over, needs_approval=True, replay_url="https://vimeo.com/76979871"))


@shows("registration")
def manage_with_mails() -> Visit:
    own = register(coming())
    own.messages.update(state="sent", sent_at=timezone.now() - timedelta(hours=1))
    signup.change_session(own, session=session_at(soon() + timedelta(days=1), own.webinar), now=timezone.now())
    return manage(own)


@shows("registration_prove", status=303, is_page=False)
def proved() -> Visit:
    return Visit((tokens.manage_token(in_steps(needs_proof=True)),), posted={"": ""})


@shows("registration_offer", status=303, is_page=False)
def offer_taken() -> Visit:
    return Visit((tokens.manage_token(offered()),), posted={"answer": "take"})


def declined(*, waiting: bool = True) -> Registration:
    """Somebody who declined in their calendar, while another waits for the place."""
    now = timezone.now()
    own = register(session_at(soon(), capacity=1))
    if waiting:
        register(own.session, name="Ben Waits", email="ben@example.org")
    signup.answer(own, partstat=Registration.Partstat.DECLINED, sequence=0, dtstamp=now, now=now)
    own.refresh_from_db()
    return own


@shows("registration")
def manage_declined() -> Visit:
    return manage(declined())


@shows("registration")
def manage_declined_and_gone() -> Visit:
    own = declined()
    own.messages.update(state="sent", sent_at=timezone.now())
    signup.free_declined(now=timezone.now() + timedelta(days=2))
    own.refresh_from_db()
    return manage(own)


@shows("registration_keep", status=303, is_page=False)
def place_kept() -> Visit:
    return Visit((tokens.manage_token(declined()),), posted={"": ""})


@shows("registration_details", status=303, is_page=False)
def details_changed() -> Visit:
    posted = {"name": "Anna", "time_zone": "Asia/Tokyo", "language": "ar"}
    return Visit((tokens.manage_token(register(coming())),), posted=posted)


@shows("registration_details", status=422)
def details_refused() -> Visit:
    posted = {"name": "www.example.org", "time_zone": "Asia/Tokyo", "language": "tlh"}
    return Visit((tokens.manage_token(register(coming())),), posted=posted)


@shows("registration_mail_again", status=303, is_page=False)
def mail_sent_again() -> Visit:
    own = register(coming())
    own.messages.update(state="sent", sent_at=timezone.now())
    return Visit((tokens.manage_token(own),), posted={"message": str(own.messages.get().pk)})


@shows("registration")
def own_page_whose_mails_come_back() -> Visit:
    own = register(coming())
    failing_address(own)
    return manage(own)


@shows("registration_address", status=303, is_page=False)
def own_address_works() -> Visit:
    own = register(coming())
    failing_address(own)
    return Visit((tokens.manage_token(own),), posted={})


def failing_address(own: Registration) -> None:
    """Their first mail came back, since the address takes none."""
    own.messages.update(state="sent", sent_at=timezone.now())
    mail = Message.objects.select_related("registration").get(registration=own)
    said = "5.1.1 smtp; 550 5.1.1 <anna@example.org>: Recipient address rejected: User unknown"
    stops.came_back([mail], reason=said, is_hard=True, now=timezone.now())


@shows("unsubscribe")
def unsubscribe_question() -> Visit:
    return Visit((tokens.unsubscribe_token(register(coming())),))


@shows("unsubscribe")
def unsubscribed() -> Visit:
    own = register(coming())
    stops.unsubscribe(own, how=stops.How.PAGE, now=timezone.now())
    return Visit((tokens.unsubscribe_token(own),))


@shows("registration")
def own_page_once_unsubscribed() -> Visit:
    own = register(coming())
    stops.unsubscribe(own, how=stops.How.PAGE, now=timezone.now())
    return manage(own)


@shows("registration_data", is_page=False)
def own_data() -> Visit:
    return manage(register(coming()))


@shows("registration_erase")
def erase_question() -> Visit:
    return manage(register(coming()))


@shows("registration_erase")
def erase_question_once_over() -> Visit:
    return manage(register(over()))


@shows("registration_erased")
def erased() -> Visit:
    return Visit()


@shows("registration_cancel")
def cancel_question_before_the_address_is_proved() -> Visit:
    return manage(in_steps(needs_proof=True))


@shows("registration_cancel")
def cancel_question_before_others_decide() -> Visit:
    return manage(in_steps(needs_approval=True))


@shows("registration_cancel")
def cancel_question_before_paying() -> Visit:
    return manage(in_steps(**PRICED))


@shows("registration_cancel")
def cancel_question_with_an_offer() -> Visit:
    return manage(offered())


@shows("registration_session", status=422)
def manage_session_refused() -> Visit:
    webinar = full_webinar()
    session_at(soon() + timedelta(days=1), webinar)
    own = register(coming(webinar))
    return Visit((tokens.manage_token(own),), posted={"session": "0"})


@shows("registration_session", status=409)
def manage_session_full() -> Visit:
    webinar = full_webinar()
    full = session_at(soon() + timedelta(days=1), webinar, capacity=1)
    register(full)
    return Visit((tokens.manage_token(register(coming(webinar))),), posted={"session": str(full.pk)})


@shows("registration_cancel")
def cancel_question() -> Visit:
    return manage(register(coming()))


@shows("registration_cancel")
def cancel_question_while_waiting() -> Visit:
    return manage(register(sold_out()))


@shows("registration_cancel")
def cancel_question_once_over() -> Visit:
    return manage(register(over()))


@shows("registration_calendar", is_page=False)
def own_calendar() -> Visit:
    return manage(register(coming()))


def _survey(session: Callable[[Webinar], Session]) -> Registration:
    webinar = full_webinar()
    ask_everything(webinar, asked="survey")
    return register(session(webinar))


@shows("registration_survey")
def survey() -> Visit:
    return manage(_survey(over))


@shows("registration_survey")
def survey_early() -> Visit:
    return manage(_survey(coming))


@shows("registration_survey")
def survey_answered() -> Visit:
    own = _survey(over)
    question = own.webinar.questions.get(kind=Question.Kind.LONG_TEXT)
    surveys.answer_survey(own, {question: "Roads\nRivers"}, now=timezone.now())
    own.refresh_from_db()
    return manage(own)


@shows("registration_survey", status=422)
def survey_with_errors() -> Visit:
    webinar = full_webinar()
    ask_everything(webinar, asked="survey", is_required=True)
    return Visit((tokens.manage_token(register(over(webinar))),), posted={})


@shows("registration_survey")
def survey_not_for_whoever_was_never_accepted() -> Visit:
    webinar = full_webinar(needs_approval=True)
    make_question(webinar, asked="survey")
    return manage(register(over(webinar)))


@shows("registration_survey")
def survey_not_for_whoever_cancelled() -> Visit:
    webinar = full_webinar()
    make_question(webinar, asked="survey")
    return manage(signup.cancel(register(coming(webinar)), now=timezone.now()))


# ---------- joining ----------


@shows("join")
def join_early() -> Visit:
    return joining(register(coming()))


@shows("join", status=302, is_page=False)
def join_open() -> Visit:
    return joining(register(running()))


@shows("join")
def join_without_an_address() -> Visit:
    return joining(register(running(join_url="")))


@shows("join")
def join_waiting() -> Visit:
    return joining(register(sold_out()))


@shows("join")
def join_cancelled() -> Visit:
    return joining(signup.cancel(register(coming()), now=timezone.now()))


@shows("join")
def join_session_cancelled() -> Visit:
    own = register(coming())
    scheduling.cancel_session(own.session, by=None, now=timezone.now())
    return joining(own)


@shows("join")
def join_to_prove() -> Visit:
    return joining(in_steps(needs_proof=True))


@shows("join")
def join_to_be_accepted() -> Visit:
    return joining(in_steps(needs_approval=True))


@shows("join")
def join_to_pay() -> Visit:
    return joining(in_steps(**PRICED))


@shows("join")
def join_offered() -> Visit:
    return joining(offered())


@shows("join")
def join_waiting_for_any() -> Visit:
    return joining(waiting_for_any())


@shows("join")
def join_never_complete() -> Visit:
    return joining(in_steps(session=over, needs_approval=True))


@shows("join")
def join_over() -> Visit:
    return joining(register(over()))


@shows("join")
def join_over_with_replay() -> Visit:
    return joining(register(over(full_webinar(replay_url="https://vimeo.com/76979871"))))


# ---------- all of one's webinars ----------


@shows("my_webinars")
def my_webinars() -> Visit:
    user = person()
    for session in (coming(), running(), over(), sold_out()):
        register(session, email=user.email)
    signup.cancel(register(coming(), email=user.email), now=timezone.now())
    return Visit(user=user)


@shows("my_webinars")
def my_webinars_in_steps() -> Visit:
    user = person()
    for rules in ({"needs_proof": True}, {"needs_approval": True}, PRICED):
        register(coming(full_webinar(**rules)), email=user.email)
    session = coming(full_webinar(offer_hours=24), capacity=1)
    first = register(session)
    register(session, email=user.email)
    signup.cancel(first, now=timezone.now())
    down = register(coming(full_webinar(needs_approval=True)), email=user.email)
    signup.turn_down(down, by=None, now=timezone.now())
    return Visit(user=user)


@shows("my_webinars")
def my_webinars_open_to_oneself() -> Visit:
    user = person()
    coming(members_webinar())
    invited = coming(full_webinar(access="invited")).webinar
    Invitee.objects.create(webinar=invited, email=user.email)
    EmailAddress.objects.create(user=user, email="a.karimova@example.com", verified=True)
    return Visit(user=user)


@shows("my_webinars")
def my_webinars_with_a_calendar() -> Visit:
    user = person()
    register(coming(), email=user.email)
    make_own_calendar(user, now=timezone.now())
    return Visit(user=user)


@shows("my_calendar", status=303, is_page=False)
def my_calendar_made() -> Visit:
    return Visit(user=person(), posted={"act": "make"})


@shows("my_calendar", status=303, is_page=False)
def my_calendar_made_anew() -> Visit:
    return Visit(user=person(), posted={"act": "renew"})


@shows("my_calendar", status=303, is_page=False)
def my_calendar_taken_away() -> Visit:
    return Visit(user=person(), posted={"act": "stop"})


@shows("own_calendar", is_page=False)
def own_calendar_to_subscribe_to() -> Visit:
    user = person()
    register(coming(), email=user.email)
    scheduling.cancel_session(register(coming(), email=user.email).session, by=None, now=timezone.now())
    return Visit(path=tokens.calendar_url(make_own_calendar(user, now=timezone.now())).removeprefix(SITE))


@shows("own_calendar", status=404)
def own_calendar_that_has_ended() -> Visit:
    return Visit(("SOMEREFERENCE.and-no-signature",))


@shows("my_data", is_page=False)
def my_data() -> Visit:
    user = person()
    register(coming(), email=user.email)
    return Visit(user=user)


@shows("my_erase")
def my_erase() -> Visit:
    user = person()
    register(coming(), email=user.email)
    return Visit(user=user)


@shows("my_erase")
def my_erase_not_for_organizers() -> Visit:
    return Visit(user=make_organizer())


@shows("my_erase", status=409)
def my_erase_refused() -> Visit:
    return Visit(user=make_organizer(), posted={"": ""})


@shows("my_webinars")
def my_webinars_none() -> Visit:
    return Visit(user=person())


@shows("my_webinars", status=302, is_page=False)
def my_webinars_of_nobody_known() -> Visit:
    return Visit()


# ---------- signing in ----------


@shows("account_login")
def sign_in() -> Visit:
    return Visit()


@shows("account_login", status=422)
def sign_in_with_errors() -> Visit:
    return Visit(posted={"login": "anna@example.org", "password": "not hers"})


@shows("account_request_login_code")
def sign_in_code() -> Visit:
    return Visit()


@shows("account_request_login_code", status=422)
def sign_in_code_with_errors() -> Visit:
    return Visit(posted={"email": "anna@"})


@shows("account_request_login_code", status=429)
def sign_in_code_too_often() -> Visit:
    def hurry(client: Client) -> None:
        for _time in range(3):
            Client(headers=BY_THE_SERVER_IN_FRONT).post(reverse("account_request_login_code"), ANNA)

    return Visit(before=hurry, posted=ANNA)


ANNA = {"email": "anna@example.org"}


def _ask_for_code(client: Client) -> None:
    client.post(reverse("account_request_login_code"), {"email": "anna@example.org"})


@shows("account_confirm_login_code")
def sign_in_code_sent() -> Visit:
    person()
    return Visit(before=_ask_for_code)


@shows("account_confirm_login_code", status=422)
def sign_in_code_wrong() -> Visit:
    person()
    return Visit(before=_ask_for_code, posted={"code": "AAAA-AAAA"})


@shows("account_login", status=429)
def too_many_requests() -> Visit:
    def hurry(client: Client) -> None:
        for _time in range(30):
            client.post(reverse("account_login"), {"login": ""})

    return Visit(before=hurry, posted={"login": ""})


@shows("account_logout")
def sign_out() -> Visit:
    return Visit(user=person())


@shows("account_signup")
def sign_up_is_closed() -> Visit:
    return Visit()


@shows("account_inactive")
def account_inactive() -> Visit:
    return Visit()


@shows("account_reauthenticate")
def sign_in_again() -> Visit:
    return Visit(user=person())


@shows("account_email")
def addresses() -> Visit:
    return Visit(user=person())


@shows("account_email_verification_sent", status=302, is_page=False)
def address_to_prove() -> Visit:
    return Visit()


@shows("account_change_password")
def change_password() -> Visit:
    return Visit(user=person())


@shows("account_change_password", status=422)
def change_password_with_errors() -> Visit:
    return Visit(user=person(), posted={"oldpassword": "not mine", "password1": "short", "password2": "other"})


@shows("account_set_password")
def set_password() -> Visit:
    user = person()
    user.set_unusable_password()
    user.save()
    return Visit(user=user)


@shows("account_reset_password")
def reset_password() -> Visit:
    return Visit()


@shows("account_reset_password_done")
def reset_password_asked_for() -> Visit:
    return Visit()


@shows("account_reset_password_from_key")
def reset_password_link_too_old() -> Visit:
    return Visit(("a", "set-password"))


@shows("account_reset_password_from_key")
def reset_password_by_link() -> Visit:
    user = person()
    whose = user_pk_to_url_str(user)
    link = (whose, default_token_generator.make_token(user))
    # The link leads on to an address without the secret in it.
    return Visit(
        (whose, "set-password"),
        before=lambda client: client.get(reverse("account_reset_password_from_key", args=link)),
    )


@shows("account_reset_password_from_key_done")
def reset_password_done() -> Visit:
    return Visit()


def _prove(client: Client) -> None:
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def _with_a_second_step() -> User:
    user = person()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)
    return user


def _sign_in(client: Client) -> None:
    client.post(reverse("account_login"), {"login": "anna@example.org", "password": PASSWORD})


@shows("mfa_index")
def second_step() -> Visit:
    return Visit(user=person())


@shows("mfa_index")
def second_step_switched_on() -> Visit:
    return Visit(user=_with_a_second_step())


@shows("mfa_activate_totp")
def second_step_begins() -> Visit:
    return Visit(user=person(), before=_prove)


@shows("mfa_activate_totp", status=422)
def second_step_begins_with_errors() -> Visit:
    return Visit(user=person(), before=_prove, posted={"code": "000"})


@shows("mfa_deactivate_totp")
def second_step_ends() -> Visit:
    return Visit(user=_with_a_second_step(), before=_prove)


@shows("mfa_view_recovery_codes")
def recovery_codes() -> Visit:
    return Visit(user=_with_a_second_step(), before=_prove)


@shows("mfa_generate_recovery_codes")
def recovery_codes_anew() -> Visit:
    return Visit(user=_with_a_second_step(), before=_prove)


@shows("mfa_download_recovery_codes", is_page=False)
def recovery_codes_to_keep() -> Visit:
    return Visit(user=_with_a_second_step(), before=_prove)


@shows("mfa_authenticate")
def sign_in_second_step() -> Visit:
    _with_a_second_step()
    return Visit(before=_sign_in)


@shows("mfa_authenticate", status=422)
def sign_in_second_step_with_errors() -> Visit:
    _with_a_second_step()
    return Visit(before=_sign_in, posted={"code": "000"})


@shows("mfa_authenticate")
def sign_in_second_step_by_passkey() -> Visit:
    make_passkey(_with_a_second_step())
    return Visit(before=_sign_in)


@shows("mfa_authenticate", status=422)
def sign_in_second_step_by_a_wrong_passkey() -> Visit:
    make_passkey(_with_a_second_step())
    return Visit(before=_sign_in, posted={"credential": "{}"})


@shows("mfa_reauthenticate")
def sign_in_again_by_the_second_step() -> Visit:
    return Visit(user=_with_a_second_step())


@shows("mfa_reauthenticate_webauthn")
def sign_in_again_by_passkey() -> Visit:
    user = _with_a_second_step()
    make_passkey(user)
    return Visit(user=user)


@shows("mfa_login_webauthn", status=302, is_page=False)
def sign_in_by_passkey_without_scripts() -> Visit:
    return Visit()


@shows("mfa_list_webauthn")
def passkeys() -> Visit:
    user = person()
    make_passkey(user, name="The telephone").record_usage()
    make_passkey(user, name="مفتاح العمل")
    return Visit(user=user)


@shows("mfa_list_webauthn")
def passkeys_none() -> Visit:
    return Visit(user=person())


@shows("mfa_add_webauthn")
def passkey_begins() -> Visit:
    return Visit(user=person(), before=_prove)


@shows("mfa_add_webauthn", status=422)
def passkey_begins_with_errors() -> Visit:
    return Visit(user=person(), before=_prove, posted={"name": "The telephone", "credential": ""})


@shows("mfa_edit_webauthn")
def passkey_gets_another_name() -> Visit:
    user = person()
    return Visit((make_passkey(user).pk,), user=user, before=_prove)


@shows("mfa_edit_webauthn", status=422)
def passkey_gets_no_name() -> Visit:
    user = person()
    return Visit((make_passkey(user).pk,), user=user, before=_prove, posted={"name": ""})


@shows("mfa_remove_webauthn")
def passkey_ends() -> Visit:
    user = person()
    return Visit((make_passkey(user).pk,), user=user, before=_prove)


@shows("my_account")
def account() -> Visit:
    return Visit(user=person())


@shows("my_account")
def account_with_everything() -> Visit:
    host = make_host(requires_second_factor=True)
    user = make_organizer(host, password=PASSWORD)
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    make_passkey(user, name="The telephone")
    EmailAddress.objects.create(user=user, email="second@example.org")
    return Visit(user=user)


@shows("second_step")
def second_step_is_demanded() -> Visit:
    return Visit(user=make_organizer(make_host(requires_second_factor=True)))


@shows("second_step")
def second_step_is_demanded_by_one_of_two_hosts() -> Visit:
    user = make_organizer(make_host(requires_second_factor=True))
    Membership.objects.create(host=make_host(), user=user)
    return Visit(user=user)


@shows("second_step")
def second_step_was_not_used_yet() -> Visit:
    user = make_organizer(make_host(requires_second_factor=True))
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    make_passkey(user)
    return Visit(user=user)


@shows("second_step", status=302, is_page=False)
def second_step_is_not_demanded() -> Visit:
    return Visit(user=person())


# ---------- what goes wrong ----------


@shows(None, status=404)
def not_found() -> Visit:
    return Visit(path="/nothing-here/")


@shows("registration", status=404)
def not_found_by_a_wrong_link() -> Visit:
    return Visit(("2345.not-signed",))


@shows(None, status=410)
def gone() -> Visit:
    FormerAddress.objects.create(path="/webinars/was-here-once/", retired_at=timezone.now())
    return Visit(path="/webinars/was-here-once/")


@shows(None, status=301, is_page=False)
def cut_address() -> Visit:
    return Visit(path="/webinars/")


@shows(None, status=301, is_page=False)
def moved_away() -> Visit:
    FormerAddress.objects.create(path="/webinars/old/", moved_to="/webinars/new/", retired_at=timezone.now())
    return Visit(path="/webinars/old/")


@shows(None, status=400)
def not_understood() -> Visit:
    return Visit(path="/gallery/400/")


@shows(None, status=403)
def not_allowed() -> Visit:
    return Visit(path="/gallery/403/")


@shows(None, status=500)
def broken() -> Visit:
    return Visit(path="/gallery/500/")


@shows("registration_session", status=403)
def without_a_token() -> Visit:
    own = register(coming())
    return Visit((tokens.manage_token(own),), posted={"session": "1"}, checks_tokens=True)


# ---------- what other sites show ----------


@shows("webinar_embed")
def embed() -> Visit:
    return landing(coming())


@shows("webinar_embed")
def embed_of_what_is_over() -> Visit:
    return landing(over(full_webinar(replay_url="https://vimeo.com/76979871")))


@shows("webinar_embed")
def embed_unplanned() -> Visit:
    return Visit((full_webinar().slug,))


@shows("webinar_embed", status=410)
def embed_gone() -> Visit:
    FormerAddress.objects.create(path="/webinars/was-here-once/", retired_at=timezone.now())
    return Visit(("was-here-once",))


@shows("webinar_embed", status=404)
def embed_of_nothing() -> Visit:
    return Visit(("never-was",))


@shows("oembed", is_page=False)
def oembed() -> Visit:
    return Visit(query=f"?url={SITE}{coming().webinar.get_absolute_url()}")


@shows("webinar_card", is_page=False)
def card() -> Visit:
    webinar = coming().webinar
    return Visit((webinar.slug, card_of(webinar, now=timezone.now()).digest))


# ---------- what programs read ----------


@shows("webinar_calendar", is_page=False)
def webinar_calendar() -> Visit:
    return landing(coming())


@shows("webinar_feed", is_page=False)
def webinar_feed() -> Visit:
    return landing(coming())


@shows("host_calendar", is_page=False)
def host_calendar() -> Visit:
    return Visit((coming().webinar.host.slug,))


@shows("series_calendar", is_page=False)
def series_calendar() -> Visit:
    host = make_host()
    made = series_of(host)
    coming(full_webinar(host=host, series=made))
    return Visit((made.slug,))


@shows("feed", is_page=False)
def feed() -> Visit:
    coming()
    return Visit()


@shows("host_feed", is_page=False)
def host_feed() -> Visit:
    return Visit((coming().webinar.host.slug,))


@shows("theme", is_page=False)
def theme() -> Visit:
    return Visit(("0b6b74",))


@shows("sitemap", is_page=False)
def sitemap() -> Visit:
    coming()
    return Visit()


@shows("sitemap_section", is_page=False)
def sitemap_section() -> Visit:
    coming()
    return Visit(("webinars", 1))


@shows("robots", is_page=False)
def robots() -> Visit:
    return Visit()
