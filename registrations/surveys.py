"""Answering the survey that follows a webinar: one transaction for the answers and the codes that they earn."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from events.models import OfferCondition, Question
from registrations import earning
from registrations.answers import store_answers
from registrations.models import Registration


class SurveyClosedError(Exception):
    """The survey takes no answers from this registration now. The text may be shown to the person who tried."""


def may_answer(registration: Registration, *, now: datetime) -> bool:
    """Whether they held a place in a session that took place and is over."""
    return registration.is_confirmed and registration.session.took_place(now)


def answer_survey(registration: Registration, answers: Mapping[Question, str], *, now: datetime) -> Registration:
    """Keep what somebody answered instead of what they answered before, and unlock what answering earns.

    `surveyed_at` is when they first answered. Safe to run twice. Raises SurveyClosedError, having written nothing.
    """
    with transaction.atomic():
        mine = (
            Registration.objects.select_for_update(of=("self",), no_key=True)
            .select_related("session__webinar")
            .get(pk=registration.pk)
        )
        if not may_answer(mine, now=now):
            raise SurveyClosedError(_("The survey is for those who held a place, once their session is over."))
        store_answers(mine, answers, asked=Question.Asked.SURVEY)
        mine.surveyed_at = mine.surveyed_at or now
        mine.save(update_fields=["surveyed_at"])
        earning.earn(mine, kind=OfferCondition.Kind.SURVEY, now=now)
    return mine
