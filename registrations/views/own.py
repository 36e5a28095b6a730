"""One's own registration, and joining: what a signed link opens."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from events import limits
from events.choices import ANY
from events.models import OfferCondition, Question
from events.replays import PLAY, ReplayState, let_play, replay_of, replay_page
from registrations import attendance, correspondence, doors, earning, invites, pages, signup, stops, surveys, tokens
from registrations.answers import given_answers, shown_answers
from registrations.forms import RegistrationDetailsForm, SessionChoiceForm, SurveyForm
from registrations.models import Registration
from registrations.views.responses import manage_path, opened_by, own_zone, see_other

# Many people may sit behind one address; each of their registrations has a limit of its own (`correspondence`).
AGAIN_FROM_ONE_SOURCE = limits.Limit("mails-again-from", "60/hour")
# No key of a row has more.
MOST_DIGITS = 19


@require_safe
@opened_by(tokens.read_manage_token)
def registration(request: HttpRequest, own: Registration) -> HttpResponse:
    """One's own registration: how it stands and what comes next, calendar, codes, mails, changing, leaving."""
    return _show_registration(request, own, now=timezone.now())


@require_http_methods(["GET", "HEAD", "POST"])
@opened_by(tokens.read_manage_token)
def registration_prove(request: HttpRequest, own: Registration) -> HttpResponse:
    """Say that the address is theirs, by a button: a link alone, which mail programs like to try out, says nothing."""
    is_news = own.awaits == Registration.Awaits.PROOF
    is_done = request.method == "POST" and _do(request, lambda: signup.prove(own, now=timezone.now()))
    if is_done and is_news:
        messages.success(request, _("Thank you. Your address is confirmed."))
    return see_other(manage_path(own))


@require_http_methods(["GET", "HEAD", "POST"])
@opened_by(tokens.read_manage_token)
def registration_offer(request: HttpRequest, own: Registration) -> HttpResponse:
    """Take the place that is kept, or pass it on; the link alone does neither."""
    act = {"take": signup.accept_offer, "pass": signup.pass_offer}.get(request.POST.get("answer", ""))
    if act is not None:
        _do(request, lambda: act(own, now=timezone.now()))
    return see_other(manage_path(own))


@require_http_methods(["GET", "HEAD", "POST"])
@opened_by(tokens.read_manage_token)
def registration_keep(request: HttpRequest, own: Registration) -> HttpResponse:
    """Keep the place that was declined in the calendar, by a button: a link alone keeps nothing."""
    is_asked = own.frees_at is not None
    is_done = request.method == "POST" and _do(request, lambda: signup.keep_place(own, now=timezone.now()))
    if is_done and is_asked:
        messages.success(request, _("You keep your place. We have sent the entry to your calendar again."))
    return see_other(manage_path(own))


@require_http_methods(["GET", "HEAD", "POST"])
@opened_by(tokens.read_manage_token)
def registration_details(request: HttpRequest, own: Registration) -> HttpResponse:
    """Change name, zone and language; the page goes on in the language chosen."""
    if request.method != "POST":
        return redirect(manage_path(own))
    now = timezone.now()
    form = _details_form(own, request.POST)
    if not form.is_valid():
        return _show_registration(request, own, now=now, details=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    is_done = _do(request, lambda: signup.change_details(own, **form.cleaned_data, now=now))
    goes_on_in = form.cleaned_data["language"] if is_done and "language" in form.changed_data else get_language()
    with override(goes_on_in):
        if is_done and form.has_changed():
            messages.success(request, _("Your details are changed."))
        return see_other(manage_path(own))


@require_http_methods(["GET", "HEAD", "POST"])
@opened_by(tokens.read_manage_token)
def registration_mail_again(request: HttpRequest, own: Registration) -> HttpResponse:
    """Have one of one's mails sent again."""
    sent = request.POST.get("message", "")
    if sent.isascii() and sent.isdecimal() and len(sent) <= MOST_DIGITS:
        now = timezone.now()
        try:
            limits.take(AGAIN_FROM_ONE_SOURCE, limits.source_of(request))
            correspondence.send_again(own, message_id=int(sent), now=now)
            messages.success(request, _("The mail is on its way to you again."))
        except (limits.TooManyError, correspondence.TooSoonError) as error:
            return _too_soon(request, own, error, now=now)
        except correspondence.SendAgainError as error:
            messages.error(request, str(error))
    return see_other(manage_path(own))


@require_http_methods(["GET", "HEAD", "POST"])
@opened_by(tokens.read_manage_token)
def registration_address(request: HttpRequest, own: Registration) -> HttpResponse:
    """Say that the address takes mail after all, by a button; one goes there at once."""
    now = timezone.now()
    if request.method == "POST":
        try:
            limits.take(AGAIN_FROM_ONE_SOURCE, limits.source_of(request))
        except limits.TooManyError as error:
            return _too_soon(request, own, error, now=now)
        if correspondence.address_works(own, now=now):
            messages.success(request, _("Thank you. A mail is on its way to you: if it arrives, all is well."))
    return see_other(manage_path(own))


def _too_soon(
    request: HttpRequest, own: Registration, error: limits.TooManyError | correspondence.TooSoonError, *, now: datetime
) -> HttpResponse:
    """The page again, with when to try again (RFC 6585 4)."""
    messages.error(request, str(error))
    response = _show_registration(request, own, now=now, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(max(math.ceil(error.retry_after.total_seconds()), 1))
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@opened_by(tokens.read_manage_token)
def registration_session(request: HttpRequest, own: Registration) -> HttpResponse:
    """Move to another session, or wait for any."""
    if request.method != "POST":
        return redirect(manage_path(own))
    now = timezone.now()
    if request.POST.get("session") == ANY:
        _do(request, lambda: signup.wait_for_any(own, now=now))
        return see_other(manage_path(own))
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
@opened_by(tokens.read_manage_token)
def registration_cancel(request: HttpRequest, own: Registration) -> HttpResponse:
    """Ask, and cancel once the answer comes: a link alone, which mail programs like to try out, cancels nothing."""
    now = timezone.now()
    if request.method != "POST":
        page = pages.registration_page(own, zone=own_zone(request, own), now=now)
        return render(request, "registrations/cancel.html", {"page": page})
    _do(request, lambda: signup.cancel(own, now=now))
    return see_other(manage_path(own))


@require_GET
@opened_by(tokens.read_manage_token)
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
@opened_by(tokens.read_manage_token)
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
@opened_by(tokens.read_manage_token)
def registration_replay(request: HttpRequest, own: Registration) -> HttpResponse:
    """The recording for whoever had registered.

    Starting it is a form: a link alone, which mail programs like to try out, neither tells another site of its reader
    nor unlocks what watching earns.
    """
    now = timezone.now()
    if own.session.webinar.is_restricted and not doors.may_watch(own):
        # Their link opens nothing that is not open to them without it.
        return redirect(reverse("webinar_replay", args=[own.session.webinar.slug]))
    page = replay_page(
        own.session.webinar,
        now=now,
        zone=own_zone(request, own),
        is_asked_for=PLAY in request.GET,
        is_registered=doors.may_watch(own),
    )
    if page.replay.state == ReplayState.NONE:
        return redirect(manage_path(own))
    if request.method == "POST":
        if page.recording is not None and earning.earn_by_visit(own, kind=OfferCondition.Kind.REPLAY, now=now):
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
@opened_by(tokens.read_join_token)
def join(request: HttpRequest, own: Registration) -> HttpResponse:
    """Through the door when it is open, else the words that say why not yet or no more.

    This link travels with the calendar entry, which people forward: the page leads nowhere that is its owner's alone.
    """
    now = timezone.now()
    door = doors.door(own, now=now)
    if door == doors.Door.OPEN:
        if request.method == "GET" and not _is_fetched_ahead(request):
            attendance.note_coming(own, now=now)
        return redirect(own.session.join_url)
    webinar_, zone = own.session.webinar, own_zone(request, own)
    context = {
        "webinar": webinar_,
        "host": webinar_.host,
        "accent": webinar_.host.accent,
        "session": own.session,
        "moved_from": own.session.moved_from(now),
        "door": door,
        "is_coming": door in doors.CANCELLABLE,
        "replay": replay_of(webinar_, now=now),
        "zone": zone,
        "takes_people": pages.takes_people(own, zone=zone, now=now),
    }
    return render(request, "registrations/join.html", context)


def _is_fetched_ahead(request: HttpRequest) -> bool:
    """Whether a program asks in case somebody will, and nobody has come yet (Sec-Purpose, formerly Purpose)."""
    return any("prefetch" in request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))


def _show_registration(
    request: HttpRequest,
    own: Registration,
    *,
    now: datetime,
    form: SessionChoiceForm | None = None,
    details: RegistrationDetailsForm | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    page = pages.registration_page(
        own, zone=own_zone(request, own), chosen=form.sent_session_id if form else None, now=now
    )
    failing = stops.failing_address(own)
    context = {
        "page": page,
        "form": form,
        "details": details or _details_form(own),
        "mails": correspondence.mails_of(own, now=now, address_fails=failing is not None),
        "failing": failing,
        "unsubscription": stops.unsubscription_of(own),
        "unsubscribe_path": reverse("unsubscribe", args=[tokens.unsubscribe_token(own)]),
    }
    return render(request, "registrations/registration.html", context, status=status)


def _details_form(own: Registration, data: Mapping[str, Any] | None = None) -> RegistrationDetailsForm:
    return RegistrationDetailsForm(data, name=own.name, time_zone=own.own_time_zone, language=own.own_language)


def _do(request: HttpRequest, act: Callable[[], object]) -> bool:
    """Act, or say on the next page why not: in an old tab, say, which shows what has changed meanwhile."""
    try:
        act()
    except signup.SignupError as error:
        messages.error(request, str(error))
        return False
    return True


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
