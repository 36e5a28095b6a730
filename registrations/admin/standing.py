"""How things stand with those who registered, in the words of whoever has to decide, and what there is to do."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter

from events.access import access_of
from events.admin.scoped import is_key
from events.admin.wording import session_moment
from events.models import Session
from registrations.models import Message, Registration
from registrations.tallies import Outcome

Awaits = Registration.Awaits
Entry = Registration.Entry
Status = Registration.Status

# What organizers have to do, most urgent first; the filter of the list calls them so.
TO_DECIDE, TO_BE_PAID = Awaits.APPROVAL, Awaits.PAYMENT

COLOURS = {
    "approval": "warning",
    "payment": "warning",
    "proof": "info",
    "offered": "info",
    "waiting": "",
    "confirmed": "success",
    "cancelled": "danger",
    "erased": "",
}


def standing(person: Registration) -> tuple[str, Any]:
    """How things stand, as a key and in words."""
    if person.is_erased:
        return "erased", _("Erased")
    if person.is_pending:
        words = {
            Awaits.PROOF: _("Address not proved"),
            Awaits.APPROVAL: _("You decide"),
            Awaits.PAYMENT: _("To be paid"),
        }
        return person.awaits, words[Awaits(person.awaits)]
    if person.is_offered:
        return "offered", _("Place offered")
    if person.is_waitlisted:
        return "waiting", _("Waiting")
    return person.status, person.get_status_display()


MAIL_COLOURS = {
    Message.State.QUEUED: "warning",
    Message.State.SENDING: "info",
    Message.State.SENT: "success",
    Message.State.RETRYING: "warning",
    Message.State.FAILED: "danger",
    Message.State.CANCELLED: "",
    Message.State.UNKNOWN: "danger",
    "came_back": "danger",
}


def mail_standing(message: Message) -> tuple[str, Any]:
    """What became of a mail, as a key and in words: also of one that was sent, and came back later."""
    if message.bounced_at is not None:
        return "came_back", _("Came back")
    return message.state, message.get_state_display()


def wants_any(person: Registration) -> bool:
    """Whether somebody without a place would come to any session, so that none of them is theirs."""
    return person.any_session and not person.has_place and not person.is_cancelled


def to_do(now: datetime) -> models.Q:
    """Registrations that organizers can still decide, or note a payment of: those for sessions that will be given."""
    is_coming = models.Q(session__state=Session.State.SCHEDULED, session__ends_at__gt=now)
    return is_coming & models.Q(status=Status.PENDING, awaits__in=[TO_DECIDE, TO_BE_PAID])


ANSWER_COLOURS = {"accepted": "success", "tentative": "info", "declined": "danger", "": ""}


class AnswerFilter(DropdownFilter):
    """What they answered in their calendar; none of those who have nothing there to answer."""

    title = _("answer in the calendar")
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        answers = [choice for choice in Registration.Partstat.choices if choice[0]]
        return [*answers, ("none", Registration.Partstat.NEEDS_ACTION.label)]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value() or ""
        if value == "none":
            return queryset.filter(partstat="", pk__in=Registration.objects.with_entry())
        return queryset.filter(partstat=value) if value in Registration.Partstat.values and value else queryset


class WaitsFilter(DropdownFilter):
    """What somebody waits for: what is for the organizers to do comes first."""

    title = _("waits for")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (TO_DECIDE.value, _("Your decision")),
            (TO_BE_PAID.value, _("Payment")),
            ("proof", _("The address to be proved")),
            ("offered", _("An answer to an offered place")),
            ("waiting", _("A place")),
        ]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        wanted = {
            TO_DECIDE.value: to_do(timezone.now()) & models.Q(awaits=TO_DECIDE),
            TO_BE_PAID.value: to_do(timezone.now()) & models.Q(awaits=TO_BE_PAID),
            "proof": models.Q(status=Status.PENDING, awaits=Awaits.PROOF),
            "offered": models.Q(status=Status.WAITLISTED, has_place=True),
            "waiting": models.Q(status=Status.WAITLISTED, has_place=False),
        }
        return queryset.filter(wanted.get(self.value() or "", models.Q()))


class SessionFilter(DropdownFilter):
    """One of the sessions of the webinar that is chosen, or the session that a link leads to."""

    title = _("session")
    parameter_name = "session"
    session_path = "session"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        webinar, session = request.GET.get("webinar", ""), request.GET.get("session", "")
        wanted = models.Q(webinar=webinar) if is_key(webinar) else models.Q(pk__in=[])
        if is_key(session):
            wanted |= models.Q(webinar__sessions=session)
        sessions = Session.objects.filter(wanted, access_of(request).among("webinar__host")).distinct()
        return [(str(found.pk), session_moment(found)) for found in sessions]

    def has_output(self) -> bool:
        """Also for a session that the reader may not see, of which there is nothing to list."""
        return bool(self.lookup_choices) or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{self.session_path: value}) if value and is_key(value) else queryset


# ---------- mails, counted ----------

OUTCOME_WORDS = {
    Outcome.TOLD: _("Told"),
    Outcome.WAITING: _("Waiting"),
    Outcome.FAILED: _("Failed"),
    Outcome.CAME_BACK: _("Came back"),
    Outcome.NOT_NEEDED: _("Not needed"),
}


def instant_of(text: str) -> datetime | None:
    """The instant that an address names; None where it names none."""
    try:
        found = datetime.fromisoformat(text)
        # At either end of the calendar it has no moment in UTC.
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


# ---------- what is to do, counted ----------


def open_cases(path: str, ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """For each session or webinar, as `path` says, how many are to be decided and to be paid. One query."""
    rows = Registration.objects.filter(to_do(timezone.now()), **{f"{path}__in": list(ids)}).order_by()
    found: dict[int, dict[str, int]] = {}
    for key, awaits, count in rows.values_list(path, "awaits").annotate(count=models.Count("pk")):
        found.setdefault(key, {})[awaits] = count
    return found


def sentences(found: dict[str, int], **where: Any) -> list[tuple[str, str]]:
    """“3 to decide” and “2 to be paid”, each with the list of those; `where` narrows the list."""
    deciding, paying = found.get(TO_DECIDE, 0), found.get(TO_BE_PAID, 0)
    said = []
    if deciding:
        words = ngettext("%(count)d to decide", "%(count)d to decide", deciding) % {"count": deciding}
        said.append((_list(TO_DECIDE, where), words))
    if paying:
        words = ngettext("%(count)d to be paid", "%(count)d to be paid", paying) % {"count": paying}
        said.append((_list(TO_BE_PAID, where), words))
    return said


def linked(found: dict[str, int], **where: Any) -> SafeString | str:
    """The same as links in a row; nothing where there is nothing to do."""
    rows = format_html_join(", ", '<a href="{}" class="text-link whitespace-nowrap">{}</a>', sentences(found, **where))
    return format_html("{}", rows) if rows else ""


def _list(awaits: str, where: dict[str, Any]) -> str:
    return reverse("admin:registrations_registration_changelist", query={"waits": awaits, **where})
