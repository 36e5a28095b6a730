"""What a session's people were told, as rows of a page: how many of how many, each number with the list of those."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import formats
from events.admin.confirmation import Question
from events.models import Session
from registrations.admin.standing import OUTCOME_WORDS, instant_of
from registrations.models import Message
from registrations.tallies import Outcome, Tally


@dataclass(frozen=True)
class Number:
    """How many had one outcome, and where they are listed."""

    words: Any
    count: int
    url: str


@dataclass(frozen=True)
class Row:
    """One kind of mail about one occasion. `again_url` is empty where there is nothing to send again."""

    what: str
    when: str
    told: str
    numbers: list[Number]
    again_url: str


def row_of(session: Session, tally: Tally, *, may_send: bool) -> Row:
    about: dict[str, str] = {"kind": tally.kind.value}
    if tally.occasion_at is not None:
        about["occasion"] = tally.occasion_at.isoformat()
    zone = session.webinar.host.time_zone
    return Row(
        what=tally.title,
        when=f"{formats.short_date(tally.latest_at, zone)}, {formats.place_time(tally.latest_at, zone)}",
        told=_told(tally),
        numbers=[_number(session, about, tally, outcome) for outcome in Outcome],
        again_url=_again_url(session, about) if may_send and tally.can_be_sent_again else "",
    )


def _told(tally: Tally) -> str:
    if not tally.owed:
        return _("Nobody had to be told")
    return _("%(told)d of %(people)d told") % {"told": tally.told, "people": tally.owed}


def _number(session: Session, about: dict[str, str], tally: Tally, outcome: Outcome) -> Number:
    narrowed = {("kind__exact" if name == "kind" else name): value for name, value in about.items()}
    query = {**narrowed, "session": session.pk, "outcome": outcome.value}
    url = reverse("admin:registrations_message_changelist", query=query)
    return Number(OUTCOME_WORDS[outcome], getattr(tally, outcome.value), url)


def _again_url(session: Session, about: dict[str, str]) -> str:
    return reverse("admin:events_session_mails_of_one", args=[session.pk], query={**about, "again": "yes"})


def asked_for(request: HttpRequest) -> tuple[Message.Kind, datetime | None]:
    """The kind and the occasion that the address names."""
    kind, occasion = request.GET.get("kind", ""), request.GET.get("occasion", "")
    if kind not in Message.Kind.values:
        raise Http404
    return Message.Kind(kind), instant_of(occasion)


def question(tally: Tally, *, unknown: int) -> Question:
    """What is asked before all that failed or came back is sent again; of `unknown` nobody knows whether it came."""
    count = tally.failed + tally.came_back
    words = ngettext(
        "%(count)d person has not got the mail “%(kind)s”. It is sent once more, as things stand now.",
        "%(count)d people have not got the mail “%(kind)s”. It is sent once more, as things stand now.",
        count,
    )
    doubt = ngettext(
        "Of %(count)d of them it is unknown whether they got it: they may get it twice.",
        "Of %(count)d of them it is unknown whether they got it: they may get it twice.",
        unknown,
    )
    return Question(
        title=_("Send again to all that failed?"),
        sentences=[
            words % {"count": count, "kind": tally.title},
            *([doubt % {"count": unknown}] if unknown else []),
            _("Where an address is known to take no mail, nothing is sent before it is corrected."),
        ],
        button=_("Send again"),
        is_grave=False,
    )
