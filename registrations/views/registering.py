"""The landing page with its form, and what comes after registering."""

from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from events import freshness
from events.access import access_of
from events.choices import session_options
from events.landing import get_draft, get_webinar, landing_page, published_or_404
from events.models import Session, Webinar
from events.reader import PARAMETER, chosen_zone, reader_zone, remember_zone
from events.syndication.head import machine_head
from registrations import pages, signup
from registrations.forms import RegistrationForm
from registrations.same_origin import same_origin_only
from registrations.views.responses import private, see_other

# Long enough to come back from the mail to the page that spoke of it.
OUTCOME_SECONDS = 60 * 60
OUTCOME_COOKIE = "registered"
OUTCOME_SALT = "registrations.registered"
# What the form's other buttons send: the page for another place or in another language, before anybody registers.
SHOW_AGAIN = "show"


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
        return private(response)
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
    return _keep_outcome(see_other(reverse("registered", args=[slug])), subject, outcome)


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
    return private(render(request, "registrations/registered.html", context))


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
        return see_other(f"{subject.get_absolute_url()}{query}#main")
    page = landing_page(subject, now=now, zone=zone, chosen=form.sent_session_id)
    context = {"page": page, "form": form, "machines": machine_head(page)}
    if page.takes_registrations:
        context["keeps"] = "registration"
    response = private(render(request, "registrations/webinar.html", context))
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
    return private(render(request, "registrations/register.html", context, status=status))


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
