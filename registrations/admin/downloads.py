"""Who registered, as a table to take away: CSV that spreadsheets open, in UTF-8, sent as it is read."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from django.db import models
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from events import formats, timezones
from events.admin.wording import moment, session_moment
from events.models import Question, Session, Webinar
from registrations.admin.standing import standing, wants_any
from registrations.models import Registration
from registrations.questions import shown_answer

# What a spreadsheet takes for a formula, which may send what stands beside it to a stranger (OWASP, "CSV injection").
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
# Spreadsheets know by it that the rest is UTF-8.
_BOM = "\ufeff"
_ROWS_AT_ONCE = 500


class DownloadsPeople:
    """For the admin of sessions and webinars: whoever may look at them may take the table away."""

    def registrations_of(self, subject: Any) -> models.QuerySet[Registration]:
        """Who registered for it."""
        raise NotImplementedError

    @action(
        description=gettext_lazy("Download as CSV"),
        url_path="registrations.csv",
        icon="download",
        permissions=["download"],
    )
    def download(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        subject: Session | Webinar | None = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if subject is None:
            raise Http404
        webinar = subject.webinar if isinstance(subject, Session) else subject
        response = StreamingHttpResponse(
            table(webinar, self.registrations_of(subject)), content_type="text/csv; charset=utf-8"
        )
        day = f"-{subject.local_date:%Y-%m-%d}" if isinstance(subject, Session) else ""
        response["Content-Disposition"] = f'attachment; filename="registrations-{webinar.slug}{day}.csv"'
        response["Cache-Control"] = "private, no-store"
        self.log_change(request, subject, _("Downloaded who registered."))  # type: ignore[attr-defined]
        return response

    def has_download_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        subject = self.get_object(request, object_id) if object_id else None  # type: ignore[attr-defined]
        may_look = subject is not None and self.has_view_permission(request, subject)  # type: ignore[attr-defined]
        return may_look and self.registrations_of(subject).exists()


def table(webinar: Webinar, people: models.QuerySet[Registration]) -> Iterator[bytes]:
    """The lines of the table, the first who came first; in a few queries, however many they are.

    Whoever was erased is in no table. Answers are those that were given, in the words of today's form.
    """
    questions = list(webinar.questions.all())
    zone = timezones.canonical_name(webinar.host.time_zone)
    # What is the same for many, made once: sorting all countries, or a date in words, takes longer than the rest.
    countries = formats.countries()
    moments = {session.pk: session_moment(session) for session in webinar.sessions.all()}
    write = csv.writer(_Echo()).writerow
    yield (_BOM + write(_safe(_headings(zone, questions)))).encode()
    rows = people.filter(erased_at__isnull=True).order_by("registered_at", "pk").prefetch_related("answers")
    for person in rows.iterator(chunk_size=_ROWS_AT_ONCE):
        values = {answer.question_id: answer.value for answer in person.answers.all()}
        answers = [_in_words(question, values.get(question.pk, ""), countries) for question in questions]
        session = _("Any session") if wants_any(person) else moments[person.session_id]
        cells = [*_cells(person, session, zone), *answers]
        yield cast("str", write(_safe(cells))).encode()


def _headings(zone: str, questions: Iterable[Question]) -> list[str]:
    return [
        _("Name"),
        _("Email"),
        _("Session"),
        _("Status"),
        _("Why it was cancelled"),
        _("Answer in the calendar"),
        _("Answered (UTC)"),
        _("Registered (UTC)"),
        _("Registered (%(city)s)") % {"city": timezones.city_name(zone)},
        _("Accepted (UTC)"),
        _("Paid (UTC)"),
        _("Came (UTC)"),
        _("Agreed to later mails"),
        *(question.wording for question in questions),
    ]


def _cells(person: Registration, session: str, zone: str) -> list[str]:
    return [
        person.name,
        person.email,
        session,
        str(standing(person)[1]),
        str(person.get_cancelled_because_display()),
        str(person.get_partstat_display()) if person.partstat else "",
        _utc(person.replied_at if person.partstat else None),
        _utc(person.registered_at),
        moment(person.registered_at, zone),
        _utc(person.approved_at),
        _utc(person.paid_at),
        _utc(person.joined_at),
        _("yes") if person.consented_at else _("no"),
    ]


def _utc(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def _in_words(question: Question, value: str, countries: Mapping[str, str]) -> str:
    if question.kind == Question.Kind.COUNTRY:
        return countries.get(value, value)
    words = shown_answer(question, value)
    return "; ".join(words.splitlines()) if question.kind == Question.Kind.SOME_OF else words


def _safe(cells: Iterable[str]) -> list[str]:
    return [f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell for cell in cells]


class _Echo:
    """What the writer of a table takes for a file: the line comes back from it."""

    def write(self, line: str) -> str:
        return line
