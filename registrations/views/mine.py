"""All of one's webinars, for whoever has signed in."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from events import visibility
from events.calendar_links import subscription_links
from events.choices import main_session
from events.email_addresses import address_key
from events.models import Question, User, Webinar
from events.reader import reader_zone
from registrations import doors, erasure, exports, pages, signup, tokens
from registrations.doors import Door
from registrations.models import CalendarFeed, Registration
from registrations.views.leaving import data_file
from registrations.views.responses import manage_path, own_zone, private, see_other

ASKED_AFTERWARDS = Q(session__webinar__questions__asked=Question.Asked.SURVEY)


@require_safe
@login_required
def my_webinars(request: HttpRequest) -> HttpResponse:
    """What was registered with an address that the reader has proved to be theirs."""
    now = timezone.now()
    mine = _own_lines(request, now=now)
    context = {
        "addresses": visibility.proved_addresses(request),
        "open_to_them": _open_to_reader(request, mine, now=now),
        "coming": [own for own in reversed(mine) if own.is_coming],
        "past": [own for own in mine if own.is_past],
        "cancelled": [own for own in mine if own.is_cancelled],
        **_own_calendar(request),
    }
    return private(render(request, "registrations/my_webinars.html", context))


@require_GET
@login_required
def my_data(request: HttpRequest) -> HttpResponse:
    """Everything that is held of an account and of the registrations with its addresses, as a file."""
    data = exports.person_data(
        _user(request),
        visibility.proved_addresses(request),
        list(_own_registrations(request)),
        now=timezone.now(),
    )
    return private(data_file(data, filename="my-webinars.json"))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def my_erase(request: HttpRequest) -> HttpResponse:
    """Ask, and erase every registration and the account once the answer comes. Not for those who work here."""
    user = _user(request)
    works_here = user.is_staff or user.memberships.exists()
    if request.method != "POST" or works_here:
        context = {"works_here": works_here, "count": _own_registrations(request).count()}
        status = HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
        return private(render(request, "registrations/my_erase.html", context, status=status))
    try:
        erasure.erase_person(user, visibility.proved_addresses(request), now=timezone.now())
    except signup.SignupError as error:
        messages.error(request, str(error))
        return see_other(reverse("my_erase"))
    logout(request)
    return see_other(reverse("registration_erased"))


@dataclass(frozen=True)
class OwnRegistration:
    """A line in the list of one's webinars."""

    registration: Registration
    door: Door
    token: str
    path: str
    zone: str
    replay_path: str
    survey_path: str

    @property
    def is_cancelled(self) -> bool:
        """Whether they or the organizer called it off, or it ran out."""
        return self.door in {Door.CANCELLED, Door.SESSION_CANCELLED}

    @property
    def is_past(self) -> bool:
        return self.door in doors.ENDS

    @property
    def is_coming(self) -> bool:
        """Whether there is still something to come to."""
        return not self.is_cancelled and not self.is_past


def _own_lines(request: HttpRequest, *, now: datetime) -> list[OwnRegistration]:
    """Everything registered with one of the reader's addresses, the latest session first."""
    rows = (
        _own_registrations(request)
        .prefetch_related("session__webinar__sessions")
        .annotate(survey_questions=Count("session__webinar__questions", filter=ASKED_AFTERWARDS))
    )
    return [_own_line(request, row, now=now, questions=row.survey_questions) for row in rows]


def _own_line(request: HttpRequest, own: Registration, *, questions: int, now: datetime) -> OwnRegistration:
    """The line of one registration, with what can still be done when it is over."""
    door = doors.door(own, now=now)
    can_answer = pages.survey(own, questions=questions, now=now) == pages.Survey.OPEN
    token = tokens.manage_token(own)
    return OwnRegistration(
        registration=own,
        door=door,
        token=token,
        path=manage_path(own),
        zone=own_zone(request, own),
        replay_path=reverse("registration_replay", args=[token]) if door == Door.REPLAY else "",
        survey_path=reverse("registration_survey", args=[token]) if can_answer else "",
    )


@dataclass(frozen=True)
class OpenWebinar:
    """A line for what is not open to everybody, and is to the reader, who has not registered for it."""

    webinar: Webinar
    starts_at: datetime
    zone: str


def _open_to_reader(request: HttpRequest, mine: list[OwnRegistration], *, now: datetime) -> list[OpenWebinar]:
    """What the reader may see as a member or an invited person, soonest first. No list of the site names it."""
    registered = {own.registration.webinar_id for own in mine if not own.is_cancelled}
    zone = reader_zone(request)
    webinars = visibility.open_to(visibility.proved_addresses(request)).exclude(pk__in=registered)
    lines = []
    for webinar in webinars.upcoming(now).select_related("host").prefetch_related("sessions"):
        session = main_session(list(webinar.sessions.all()), now)
        if session is not None and not session.is_cancelled:
            lines.append(OpenWebinar(webinar, session.starts_at, webinar.host.shown_zone(zone)))
    return lines


def _own_calendar(request: HttpRequest) -> dict[str, str]:
    """The address of the reader's own calendar, in the forms that programs take; nothing where there is none."""
    feed = CalendarFeed.objects.filter(user=_user(request)).first()
    if feed is None:
        return {}
    address = tokens.calendar_url(feed)
    return {"calendar_url": address, **subscription_links(address)}


def _own_registrations(request: HttpRequest) -> QuerySet[Registration]:
    """Those made with an address that the reader has proved, whatever its letter case, signed in or not."""
    return (
        Registration.objects.filter(email_key__in=_own_keys(request))
        .select_related("session__webinar__host")
        .order_by("-session__starts_at", "-pk")
    )


def _own_keys(request: HttpRequest) -> set[str]:
    return {address_key(email) for email in visibility.proved_addresses(request)}


def _user(request: HttpRequest) -> User:
    """Whoever is signed in: the views ask for it."""
    return cast("User", request.user)
