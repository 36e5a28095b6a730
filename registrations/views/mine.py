"""All of one's webinars, for whoever has signed in."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from events.email_addresses import address_key
from events.models import Question
from registrations import pages, tokens
from registrations.models import Registration
from registrations.views.responses import manage_path, own_zone, private

ASKED_AFTERWARDS = Q(session__webinar__questions__asked=Question.Asked.SURVEY)


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
    return private(render(request, "registrations/my_webinars.html", context))


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
        path=manage_path(own),
        zone=own_zone(request, own),
        replay_path=reverse("registration_replay", args=[token]) if can_watch else "",
        survey_path=reverse("registration_survey", args=[token]) if can_answer else "",
    )
