"""One's own registration, and joining: what a signed link opens."""

import functools
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from events.models import OfferCondition, Question
from events.replays import PLAY, ReplayState, let_play, replay_of, replay_page
from registrations import invites, offers, pages, signup, surveys, tokens
from registrations.answers import given_answers, shown_answers
from registrations.forms import SessionChoiceForm, SurveyForm
from registrations.models import Registration
from registrations.views.responses import manage_path, own_zone, private, see_other

OwnView = Callable[[HttpRequest, Registration], HttpResponse]


def _own(read: Callable[[str], Registration]) -> Callable[[OwnView], Callable[..., HttpResponse]]:
    """Open a view with a token. One that was tampered with is a page that does not exist, which says nothing."""

    def decorate(view: OwnView) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def opened(request: HttpRequest, token: str) -> HttpResponse:
            try:
                own = read(token)
            except tokens.BadTokenError as error:
                raise Http404 from error
            return private(view(request, own))

        return opened

    return decorate


@require_safe
@_own(tokens.read_manage_token)
def registration(request: HttpRequest, own: Registration) -> HttpResponse:
    """One's own registration: when, how to join, calendar, codes, changing, cancelling."""
    return _show_registration(request, own, now=timezone.now())


@require_http_methods(["GET", "HEAD", "POST"])
@_own(tokens.read_manage_token)
def registration_session(request: HttpRequest, own: Registration) -> HttpResponse:
    """Move to another session."""
    if request.method != "POST":
        return redirect(manage_path(own))
    now = timezone.now()
    form = SessionChoiceForm(own.session.webinar, request.POST, now=now)
    if not form.is_valid():
        return _show_registration(request, own, now=now, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        moved = signup.change_session(own, session=form.cleaned_data["session"], now=now)
    except signup.SignupError as error:
        form.refuse(str(error))
        return _show_registration(request, own, now=now, form=form, status=HTTPStatus.CONFLICT)
    if moved.session_id != own.session_id:
        messages.success(request, _moved_text(moved))
    return see_other(manage_path(own))


@require_http_methods(["GET", "HEAD", "POST"])
@_own(tokens.read_manage_token)
def registration_cancel(request: HttpRequest, own: Registration) -> HttpResponse:
    """Ask, and cancel once the answer comes: a link alone, which mail programs like to try out, cancels nothing."""
    now = timezone.now()
    if request.method != "POST":
        page = pages.registration_page(own, zone=own_zone(request, own), now=now)
        return render(request, "registrations/cancel.html", {"page": page})
    try:
        signup.cancel(own, now=now)
    except signup.SignupError as error:
        messages.error(request, str(error))
    return see_other(manage_path(own))


@require_GET
@_own(tokens.read_manage_token)
def registration_calendar(request: HttpRequest, own: Registration) -> HttpResponse:
    """One's own entry as a file, for calendars that the invite did not reach. A place in a queue has none."""
    if not own.is_confirmed:
        raise Http404
    return HttpResponse(
        invites.download(own),
        content_type="text/calendar; charset=utf-8; method=PUBLISH",
        headers={"Content-Disposition": f'attachment; filename="{own.webinar.slug}.ics"'},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@_own(tokens.read_manage_token)
def registration_survey(request: HttpRequest, own: Registration) -> HttpResponse:
    """Answer what the webinar asks when it is over, and change the answers; before that, when it opens."""
    now = timezone.now()
    questions = list(own.session.webinar.questions.filter(asked=Question.Asked.SURVEY))
    if not questions:
        raise Http404
    given = given_answers(own, asked=Question.Asked.SURVEY)
    if request.method != "POST":
        return _show_survey(request, own, SurveyForm(questions, given=given), now=now)
    form = SurveyForm(questions, request.POST, given=given)
    if not form.is_valid():
        return _show_survey(request, own, form, now=now, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        surveys.answer_survey(own, form.answers, now=now)
    except surveys.SurveyClosedError:
        return _show_survey(request, own, form, now=now, status=HTTPStatus.CONFLICT)
    if own.surveyed_at:
        messages.success(request, _("Your new answers are kept."))
    return see_other(reverse("registration_survey", args=[tokens.manage_token(own)]))


@require_http_methods(["GET", "HEAD", "POST"])
@_own(tokens.read_manage_token)
def registration_replay(request: HttpRequest, own: Registration) -> HttpResponse:
    """The recording for whoever had registered.

    Starting it is a form: a link alone, which mail programs like to try out, neither tells another site of its reader
    nor unlocks what watching earns.
    """
    now = timezone.now()
    page = replay_page(
        own.session.webinar,
        now=now,
        zone=own_zone(request, own),
        is_asked_for=PLAY in request.GET,
        is_registered=not own.is_cancelled,
    )
    if page.replay.state == ReplayState.NONE:
        return redirect(manage_path(own))
    if request.method == "POST":
        if page.recording is not None and offers.unlock(own, kind=OfferCondition.Kind.REPLAY, now=now):
            messages.success(
                request, _("You watch the replay, so your code is unlocked: it is on your registration page.")
            )
        return see_other(f"{request.path}?{PLAY}=1")
    response = render(
        request,
        "registrations/replay.html",
        {"page": page, "manage_path": manage_path(own), "own": own},
    )
    let_play(response, page)
    return response


@require_safe
@_own(tokens.read_join_token)
def join(request: HttpRequest, own: Registration) -> HttpResponse:
    """Through the door when it is open, else the words that say why not yet or no more.

    This link travels with the calendar entry, which people forward: the page leads nowhere that is its owner's alone.
    """
    now = timezone.now()
    door = pages.door(own, now=now)
    if door == pages.Door.OPEN:
        return redirect(own.session.join_url)
    webinar_, zone = own.session.webinar, own_zone(request, own)
    context = {
        "webinar": webinar_,
        "host": webinar_.host,
        "accent": webinar_.host.accent,
        "session": own.session,
        "moved_from": own.session.moved_from(now),
        "door": door,
        "replay": replay_of(webinar_, now=now),
        "zone": zone,
        "takes_people": pages.takes_people(own, zone=zone, now=now),
    }
    return render(request, "registrations/join.html", context)


def _show_registration(
    request: HttpRequest,
    own: Registration,
    *,
    now: datetime,
    form: SessionChoiceForm | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    page = pages.registration_page(
        own, zone=own_zone(request, own), chosen=form.sent_session_id if form else None, now=now
    )
    return render(request, "registrations/registration.html", {"page": page, "form": form}, status=status)


def _show_survey(
    request: HttpRequest, own: Registration, form: SurveyForm, *, now: datetime, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    context = {
        "page": pages.registration_page(own, zone=own_zone(request, own), now=now),
        "form": form,
        "answers": shown_answers(own, asked=Question.Asked.SURVEY),
    }
    return render(request, "registrations/survey.html", context, status=status)


def _moved_text(moved: Registration) -> str:
    if moved.is_confirmed:
        return _("Your place has moved. We have written to you, and the entry in your calendar moves with it.")
    return _("You are on the waiting list of the other session. We have written to you.")
