"""Pages for people who come: landing and registering, their own registration, joining, and all their webinars."""

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from events import freshness, timezones
from events.access import access_of
from events.choices import session_options
from events.landing import get_draft, get_webinar, landing_page, published_or_404
from events.models import OfferCondition, Question, Session, Webinar
from events.reader import PARAMETER, chosen_zone, reader_zone, remember_zone
from events.replays import PLAY, ReplayState, let_play, replay_of, replay_page
from events.syndication.head import machine_head
from registrations import invites, offers, pages, signup, surveys, tokens
from registrations.answers import given_answers, shown_answers
from registrations.forms import RegistrationForm, SessionChoiceForm, SurveyForm
from registrations.models import Registration, address_key
from registrations.same_origin import same_origin_only

# Long enough to come back from the mail to the page that spoke of it.
OUTCOME_SECONDS = 60 * 60
OUTCOME_COOKIE = "registered"
OUTCOME_SALT = "registrations.registered"
# What the form's other buttons send: the page for another place or in another language, before anybody registers.
SHOW_AGAIN = "show"

ASKED_AFTERWARDS = Q(session__webinar__questions__asked=Question.Asked.SURVEY)

# ---------- landing and registering ----------


@require_safe
def webinar(request: HttpRequest, slug: str) -> HttpResponse:
    """The landing page with the form. A draft opens for its host's organizers only."""
    subject = _visible_webinar(request, slug)
    now, zone = timezone.now(), reader_zone(request)
    if subject.status == Webinar.Status.DRAFT:
        messages.warning(request, _("This is a draft. Only organizers of its host can see it."))
    page = landing_page(subject, now=now, zone=zone)
    form = RegistrationForm(subject, zone, now=now)
    context = {"page": page, "form": form, "machines": machine_head(page)}
    response = render(request, "registrations/webinar.html", context)
    remember_zone(request, response)
    if subject.status == Webinar.Status.DRAFT:
        return _private(response)
    freshness.share(response, until=page.changes_at)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_only
def register(request: HttpRequest, slug: str) -> HttpResponse:
    """Register somebody. Whatever is wrong is said beside its field, and what was typed stays."""
    subject = published_or_404(slug)
    if request.method != "POST":
        query = request.META["QUERY_STRING"]
        return redirect(f"{subject.get_absolute_url()}{f'?{query}' if query else ''}#register")
    now = timezone.now()
    if SHOW_AGAIN in request.POST:
        return _show_again(request, subject, now=now)
    form = RegistrationForm(subject, reader_zone(request), request.POST, now=now)
    if not form.is_valid():
        return _register_again(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    session = form.cleaned_data["session"]
    # Told to everybody alike: whether the address was here before is its owner's business.
    is_place_free = not session.is_full
    try:
        registration = signup.register(
            session,
            name=form.cleaned_data["name"],
            email=form.cleaned_data["email"],
            now=now,
            time_zone=form.cleaned_data["time_zone"],
            language=get_language() or "en",
            answers=form.answers,
            wants_news=form.wants_news,
        )
    except signup.SignupError as error:
        form = RegistrationForm(published_or_404(slug), reader_zone(request), request.POST, now=now)
        form.refuse(str(error))
        return _register_again(request, form, status=HTTPStatus.CONFLICT)
    if registration.registered_at == now:
        is_place_free = registration.is_confirmed
    outcome = Outcome(
        called=pages.called(form.cleaned_data["name"])[:80],
        email=form.cleaned_data["email"],
        session_id=session.pk,
        has_place=is_place_free,
        time_zone=form.cleaned_data["time_zone"],
    )
    return _keep_outcome(_see_other(reverse("registered", args=[slug])), subject, outcome)


@require_safe
def registered(request: HttpRequest, slug: str) -> HttpResponse:
    """What comes after registering: the same for a new address and for one that was here before."""
    subject = _visible_webinar(request, slug)
    outcome = _read_outcome(request)
    session = _session_of(subject, outcome)
    context: dict[str, Any] = {
        "webinar": subject,
        "host": subject.host,
        "accent": subject.host.accent,
        "mailbox_url": "" if settings.EMAIL_URL else reverse("mailbox"),
    }
    if outcome is not None and session is not None:
        zone = outcome.time_zone or reader_zone(request) or session.time_zone
        context |= {
            "outcome": outcome,
            "session": session,
            "moved_from": session.moved_from(timezone.now()),
            "zone": zone,
            "is_own_zone": zone != session.time_zone,
        }
    return _private(render(request, "registrations/registered.html", context))


def _visible_webinar(request: HttpRequest, slug: str) -> Webinar:
    """The webinar of that address. Raises Http404, also for a draft of somebody else's host."""
    try:
        return get_webinar(slug)
    except Webinar.DoesNotExist:
        pass
    try:
        draft = get_draft(slug)
    except Webinar.DoesNotExist:
        raise Http404 from None
    if not access_of(request).may(draft.host_id):
        raise Http404
    return draft


def _show_again(request: HttpRequest, subject: Webinar, *, now: datetime) -> HttpResponse:
    """The landing page for the place that was chosen, with what was typed. Nothing is checked, and nothing stored."""
    zone = chosen_zone(request.POST) or reader_zone(request)
    form = RegistrationForm(subject, zone, now=now)
    form.keep(request.POST)
    offered = {option.id for option in session_options(subject, now=now, zone=zone) if option.is_checked}
    if not form.keeps_words and form.sent_session_id in {None, *offered}:
        # An address that can be opened again, and sent to somebody else.
        query = f"?{urlencode({PARAMETER: zone})}" if zone else ""
        return _see_other(f"{subject.get_absolute_url()}{query}#main")
    page = landing_page(subject, now=now, zone=zone, chosen=form.sent_session_id)
    context = {"page": page, "form": form, "machines": machine_head(page)}
    if page.takes_registrations:
        context["keeps"] = "registration"
    response = _private(render(request, "registrations/webinar.html", context))
    remember_zone(request, response, chosen=zone)
    return response


def _register_again(request: HttpRequest, form: RegistrationForm, *, status: HTTPStatus) -> HttpResponse:
    """The form alone, with what was typed and what is wrong."""
    landing = landing_page(form.webinar, now=form.now, zone=form.shown_zone or None, chosen=form.sent_session_id)
    context = {
        "landing": landing,
        "host": landing.host,
        "accent": landing.accent,
        "form": form,
        "is_refused": status == HTTPStatus.CONFLICT,
        "has_waiting_list": any(option.is_waiting for option in landing.options),
        "keeps": "registration",
    }
    return _private(render(request, "registrations/register.html", context, status=status))


@dataclass(frozen=True)
class Outcome:
    """What the page after registering says: what was typed, and what came of it for somebody new."""

    called: str
    email: str
    session_id: int
    has_place: bool
    time_zone: str


def _keep_outcome(response: HttpResponse, subject: Webinar, outcome: Outcome) -> HttpResponse:
    """For the pages of this webinar alone, in every language."""
    kept = signing.dumps(asdict(outcome), salt=OUTCOME_SALT, compress=True)
    for code, _name in settings.LANGUAGES:
        with override(code):
            path = subject.get_absolute_url()
        response.set_cookie(
            _outcome_cookie(code),
            kept,
            max_age=OUTCOME_SECONDS,
            path=path,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _outcome_cookie(language: str) -> str:
    """An answer sets one cookie of a name, and each language has its own path."""
    return f"{OUTCOME_COOKIE}-{language}"


def _read_outcome(request: HttpRequest) -> Outcome | None:
    try:
        cookie = request.COOKIES.get(_outcome_cookie(get_language() or ""), "")
        kept = signing.loads(cookie, salt=OUTCOME_SALT, max_age=OUTCOME_SECONDS)
        return Outcome(**kept)
    except (signing.BadSignature, TypeError):
        return None


def _session_of(subject: Webinar, outcome: Outcome | None) -> Session | None:
    if outcome is None:
        return None
    return next((session for session in subject.sessions.all() if session.pk == outcome.session_id), None)


# ---------- one's own registration ----------

OwnView = Callable[[HttpRequest, Registration], HttpResponse]


def _private(response: HttpResponse) -> HttpResponse:
    """Nothing keeps or finds the page: neither caches nor search engines."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _own(read: Callable[[str], Registration]) -> Callable[[OwnView], Callable[..., HttpResponse]]:
    """Open a view with a token. One that was tampered with is a page that does not exist, which says nothing."""

    def decorate(view: OwnView) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def opened(request: HttpRequest, token: str) -> HttpResponse:
            try:
                own = read(token)
            except tokens.BadTokenError as error:
                raise Http404 from error
            return _private(view(request, own))

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
        return redirect(_manage_path(own))
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
    return _see_other(_manage_path(own))


@require_http_methods(["GET", "HEAD", "POST"])
@_own(tokens.read_manage_token)
def registration_cancel(request: HttpRequest, own: Registration) -> HttpResponse:
    """Ask, and cancel once the answer comes: a link alone, which mail programs like to try out, cancels nothing."""
    now = timezone.now()
    if request.method != "POST":
        page = pages.registration_page(own, zone=_own_zone(request, own), now=now)
        return render(request, "registrations/cancel.html", {"page": page})
    try:
        signup.cancel(own, now=now)
    except signup.SignupError as error:
        messages.error(request, str(error))
    return _see_other(_manage_path(own))


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
    return _see_other(reverse("registration_survey", args=[tokens.manage_token(own)]))


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
        zone=_own_zone(request, own),
        is_asked_for=PLAY in request.GET,
        is_registered=not own.is_cancelled,
    )
    if page.replay.state == ReplayState.NONE:
        return redirect(_manage_path(own))
    if request.method == "POST":
        if page.recording is not None and offers.unlock(own, kind=OfferCondition.Kind.REPLAY, now=now):
            messages.success(
                request, _("You watch the replay, so your code is unlocked: it is on your registration page.")
            )
        return _see_other(f"{request.path}?{PLAY}=1")
    response = render(
        request,
        "registrations/replay.html",
        {"page": page, "manage_path": _manage_path(own), "own": own},
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
    webinar_, zone = own.session.webinar, _own_zone(request, own)
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
        own, zone=_own_zone(request, own), chosen=form.sent_session_id if form else None, now=now
    )
    return render(request, "registrations/registration.html", {"page": page, "form": form}, status=status)


def _show_survey(
    request: HttpRequest, own: Registration, form: SurveyForm, *, now: datetime, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    context = {
        "page": pages.registration_page(own, zone=_own_zone(request, own), now=now),
        "form": form,
        "answers": shown_answers(own, asked=Question.Asked.SURVEY),
    }
    return render(request, "registrations/survey.html", context, status=status)


def _own_zone(request: HttpRequest, own: Registration) -> str:
    """The zone chosen on this page for this once, else the registration's own, else what else is known."""
    chosen = reader_zone(request) if PARAMETER in request.GET else None
    return chosen or own.time_zone or reader_zone(request) or timezones.canonical_name(own.session.time_zone)


def _manage_path(own: Registration) -> str:
    return reverse("registration", args=[tokens.manage_token(own)])


def _moved_text(moved: Registration) -> str:
    if moved.is_confirmed:
        return _("Your place has moved. We have written to you, and the entry in your calendar moves with it.")
    return _("You are on the waiting list of the other session. We have written to you.")


def _see_other(path: str) -> HttpResponse:
    """Answer a post with the address to look at (RFC 9110 15.4.4)."""
    response = HttpResponseRedirect(path)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


# ---------- all of one's webinars ----------


@require_safe
@login_required
def my_webinars(request: HttpRequest) -> HttpResponse:
    """What was registered with an address that the reader has proved to be theirs."""
    now = timezone.now()
    mine = _own_registrations(request, now=now)
    context = {
        "coming": [own for own in reversed(mine) if own.is_coming(now)],
        "past": [own for own in mine if own.is_past(now)],
        "cancelled": [own for own in mine if own.is_cancelled],
    }
    return _private(render(request, "registrations/my_webinars.html", context))


@dataclass(frozen=True)
class OwnRegistration:
    """A line in the list of one's webinars."""

    registration: Registration
    path: str
    zone: str
    replay_path: str
    survey_path: str

    @property
    def is_cancelled(self) -> bool:
        """Whether they or the organizer called it off."""
        return self.registration.is_cancelled or self.registration.session.is_cancelled

    def is_coming(self, now: datetime) -> bool:
        """Whether there is still something to come to."""
        return not self.is_cancelled and not self.registration.session.has_ended(now)

    def is_past(self, now: datetime) -> bool:
        return not self.is_cancelled and self.registration.session.has_ended(now)


def _own_registrations(request: HttpRequest, *, now: datetime) -> list[OwnRegistration]:
    """Everything registered with one of the reader's addresses, the latest session first."""
    proved = EmailAddress.objects.filter(user=request.user, verified=True).values_list("email", flat=True)
    rows = (
        Registration.objects.filter(email_key__in={address_key(email) for email in proved})
        .select_related("session__webinar__host")
        .prefetch_related("session__webinar__sessions")
        .annotate(survey_questions=Count("session__webinar__questions", filter=ASKED_AFTERWARDS))
        .order_by("-session__starts_at", "-pk")
    )
    return [_own_registration(request, row, now=now, questions=row.survey_questions) for row in rows]


def _own_registration(request: HttpRequest, own: Registration, *, questions: int, now: datetime) -> OwnRegistration:
    """The line of one registration, with what can still be done when it is over."""
    can_watch = pages.door(own, now=now) == pages.Door.REPLAY
    can_answer = pages.survey(own, questions=questions, now=now) == pages.Survey.OPEN
    token = tokens.manage_token(own)
    return OwnRegistration(
        registration=own,
        path=_manage_path(own),
        zone=_own_zone(request, own),
        replay_path=reverse("registration_replay", args=[token]) if can_watch else "",
        survey_path=reverse("registration_survey", args=[token]) if can_answer else "",
    )
