"""The landing page with its form, and what comes after registering."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from events import formats, freshness, limits
from events.access import access_of
from events.choices import session_options
from events.email_addresses import address_key, mailbox_key
from events.landing import landing_page
from events.lookup import published_or_404
from events.models import Session, Webinar
from events.reader import PARAMETER, chosen_zone, reader_zone, remember_zone
from events.syndication.head import machine_head
from events.views.entrance import webinar_page
from events.visibility import own_addresses, proved_addresses
from registrations import pages, signup
from registrations.forms import RegistrationForm
from registrations.models import Registration
from registrations.same_origin import is_surely_from_here, same_origin_only
from registrations.views.outcome import Outcome
from registrations.views.responses import private, see_other

# A school or a company may stand behind one address of the network.
FROM_ONE_SOURCE = limits.Limit("registering-from", "60/minute;600/hour")
# Each may be a mail to somebody who never asked for it: over all webinars, and whether the address is known or not.
TO_ONE_ADDRESS = limits.Limit("registering-for", "6/hour;15/day")
# Who sends the same again so soon is the one who sent it first.
DOUBLE_CLICK = timedelta(seconds=5)
# What the form's other buttons send: the page for another place or in another language, before anybody registers.
SHOW_AGAIN = "show"


@require_safe
@webinar_page
def webinar(request: HttpRequest, subject: Webinar) -> HttpResponse:
    """The landing page with the form, for whoever may see it."""
    now, zone = timezone.now(), reader_zone(request)
    if note := _who_else_sees(request, subject):
        messages.warning(request, note)
    page = landing_page(subject, now=now, zone=zone)
    form = RegistrationForm(subject, zone, now=now, addresses=own_addresses(subject, request))
    context = {"page": page, "form": form, "machines": machine_head(page)}
    response = render(request, "registrations/webinar.html", context)
    remember_zone(request, response)
    freshness.share(response, until=page.changes_at)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@same_origin_only
@webinar_page
def register(request: HttpRequest, subject: Webinar) -> HttpResponse:
    """Register somebody. Whatever is wrong is said beside its field, and what was typed stays."""
    if request.method != "POST":
        query = request.META["QUERY_STRING"]
        return redirect(f"{subject.get_absolute_url()}{f'?{query}' if query else ''}#register")
    now = timezone.now()
    if SHOW_AGAIN in request.POST:
        return _show_again(request, subject, now=now)
    zone, addresses = reader_zone(request), own_addresses(subject, request)
    form = RegistrationForm(subject, zone, request.POST, now=now, addresses=addresses)
    try:
        limits.take(FROM_ONE_SOURCE, limits.source_of(request))
    except limits.TooManyError as error:
        return _too_many(request, form, _("Too many registrations came from your network"), error)
    if not form.is_valid():
        return _register_again(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    email = form.cleaned_data["email"]
    is_proved = _is_proved(request, email)
    try:
        if not is_proved:
            limits.take(TO_ONE_ADDRESS, mailbox_key(email))
        registration = signup.register(
            form.cleaned_data["session"],
            name=form.cleaned_data["name"],
            email=email,
            now=now,
            time_zone=form.cleaned_data["time_zone"],
            language=get_language() or "en",
            answers=form.answers,
            wants_news=form.wants_news,
            any_session=form.any_session,
            is_proved=is_proved,
        )
    except limits.TooManyError as error:
        return _too_many(request, form, _("Too many registrations were sent for this address"), error)
    except signup.SignupError as error:
        form = RegistrationForm(published_or_404(subject.slug), zone, request.POST, now=now, addresses=addresses)
        form.refuse(str(error))
        return _register_again(request, form, status=HTTPStatus.CONFLICT, refusal=_("Something changed meanwhile"))
    outcome = _outcome(form, registration, is_proved=is_proved)
    return outcome.keep(see_other(reverse("registered", args=[subject.slug])), subject)


@require_safe
@webinar_page
def registered(request: HttpRequest, subject: Webinar) -> HttpResponse:
    """What comes after registering: the same for a new address and for one that was here before."""
    outcome = Outcome.read(request)
    session = _session_of(subject, outcome)
    context: dict[str, Any] = {
        "webinar": subject,
        "host": subject.host,
        "accent": subject.host.accent,
        "price": formats.price(subject.price_amount, subject.price_currency),
        "mailbox_url": "" if settings.EMAIL_URL else reverse("mailbox"),
    }
    if outcome is not None and session is not None:
        zone = outcome.time_zone or reader_zone(request) or session.time_zone
        context |= {
            "outcome": outcome,
            "session": session,
            "moved_from": session.moved_from(timezone.now()),
            "zone": zone,
        }
    return private(render(request, "registrations/registered.html", context))


def _who_else_sees(request: HttpRequest, subject: Webinar) -> str:
    """For organizers, who see every page of theirs: that not everybody does."""
    if subject.status == Webinar.Status.DRAFT:
        return _("This is a draft. Only organizers of its host can see it.")
    if not subject.is_restricted or not access_of(request).may(subject.host_id):
        return ""
    return {
        Webinar.Access.MEMBERS.value: _("You see this page as an organizer. Others sign in as members of the host."),
        Webinar.Access.INVITED.value: _("You see this page as an organizer. Others sign in, and must be invited."),
        Webinar.Access.PASSWORD.value: _("You see this page as an organizer. Others need its password."),
    }[subject.access]


def _show_again(request: HttpRequest, subject: Webinar, *, now: datetime) -> HttpResponse:
    """The landing page for the place that was chosen, with what was typed. Nothing is checked, and nothing stored."""
    zone = chosen_zone(request.POST) or reader_zone(request)
    form = RegistrationForm(subject, zone, now=now, addresses=own_addresses(subject, request))
    form.keep(request.POST)
    offered = {option.id for option in session_options(subject, now=now, zone=zone) if option.is_checked}
    if not form.keeps_words and form.chosen in {None, *offered}:
        # An address that can be opened again, and sent to somebody else.
        query = f"?{urlencode({PARAMETER: zone})}" if zone else ""
        return see_other(f"{subject.get_absolute_url()}{query}#main")
    page = landing_page(subject, now=now, zone=zone, chosen=form.chosen)
    context = {"page": page, "form": form, "machines": machine_head(page)}
    if page.takes_registrations:
        context["keeps"] = "registration"
    response = private(render(request, "registrations/webinar.html", context))
    remember_zone(request, response, chosen=zone)
    return response


def _register_again(
    request: HttpRequest, form: RegistrationForm, *, status: HTTPStatus, refusal: str = "", reason: str = ""
) -> HttpResponse:
    """The form alone, with what was typed and what is wrong; `refusal` heads what no field is to blame for."""
    landing = landing_page(form.webinar, now=form.now, zone=form.shown_zone or None, chosen=form.chosen)
    if form.is_held_back:
        refusal, reason = _("Please send it once more"), str(form.non_field_errors()[0])
    context = {
        "landing": landing,
        "host": landing.host,
        "accent": landing.accent,
        "form": form,
        "refusal": refusal,
        "reason": reason,
        "has_waiting_list": any(option.is_waiting for option in landing.options),
        "keeps": "registration" if landing.takes_registrations else "",
    }
    return private(render(request, "registrations/register.html", context, status=status))


def _too_many(request: HttpRequest, form: RegistrationForm, refusal: str, error: limits.TooManyError) -> HttpResponse:
    """The form with what was typed, and when to send it again (RFC 6585 4)."""
    response = _register_again(request, form, status=HTTPStatus.TOO_MANY_REQUESTS, refusal=refusal, reason=str(error))
    response["Retry-After"] = error.header
    return response


def _is_proved(request: HttpRequest, email: str) -> bool:
    """Whether the address is one that whoever is signed in has proved.

    The form has no token, so a browser must say for sure that our own page sent it before anybody's rights count.
    """
    key = address_key(email)
    return is_surely_from_here(request) and any(address_key(own) == key for own in proved_addresses(request))


def _outcome(form: RegistrationForm, registration: Registration, *, is_proved: bool) -> Outcome:
    """What the next page tells everybody alike: of the registration itself only what somebody new may have lost."""
    session, has_place = form.cleaned_data["session"], not form.cleaned_data["session"].is_full
    is_new = registration.registered_at > form.now - DOUBLE_CLICK and registration.name == form.cleaned_data["name"]
    if is_new and not form.webinar.needs_approval:
        # Others may have been quicker, or a place may have come free, or the first click took the last one.
        session, has_place = registration.session, registration.has_place
    return Outcome.expected(
        form.webinar,
        session,
        called=pages.called(form.cleaned_data["name"])[:80],
        email=form.cleaned_data["email"],
        time_zone=form.cleaned_data["time_zone"],
        any_session=form.any_session,
        is_place_free=has_place,
        is_proved=is_proved,
        now=form.now,
    )


def _session_of(subject: Webinar, outcome: Outcome | None) -> Session | None:
    if outcome is None:
        return None
    return next((session for session in subject.sessions.all() if session.pk == outcome.session_id), None)
