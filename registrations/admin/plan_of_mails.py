"""The simulator's page: what somebody would be sent who registers then, in that zone: both of one's choice."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from events import timezones
from events.admin.telling import actor
from events.admin.widgets import DateTimeWidget, WallClockField, zone_groups
from events.admin.wording import moment, session_moment
from events.forms import FIRST_YEAR, LAST_YEAR
from events.models import Session
from registrations import simulator
from registrations.mail_plan import Fate
from registrations.simulator import Simulated, Step

NOW, WEEK_BEFORE, MORNING, HALF_HOUR, DURING, OWN = "now", "week", "morning", "half_hour", "during", "own"
MORNING_AT = time(9, 0)

_FATES = {
    Fate.SENT: gettext_lazy("Sent"),
    Fate.SKIPPED: gettext_lazy("Skipped"),
    Fate.MERGED: gettext_lazy("Merged"),
    Fate.OPEN: gettext_lazy("Not known yet"),
}


class SimulatorForm(forms.Form):
    """Who might register, and when. The clock is that of the session."""

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Where they are"), choices=zone_groups, widget=UnfoldAdminSelectWidget
    )
    moment = forms.ChoiceField(
        label=gettext_lazy("They register"),
        choices=[
            (NOW, gettext_lazy("Now")),
            (WEEK_BEFORE, gettext_lazy("A week before")),
            (MORNING, gettext_lazy("On the morning of the day, at 09:00")),
            (HALF_HOUR, gettext_lazy("Half an hour before")),
            (DURING, gettext_lazy("During the session, ten minutes after the start")),
            (OWN, gettext_lazy("At a time of your choice")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    at = WallClockField(label=gettext_lazy("At this time"), required=False, widget=DateTimeWidget)
    came = forms.ChoiceField(
        label=gettext_lazy("And then"),
        choices=[("yes", gettext_lazy("They come")), ("no", gettext_lazy("They do not come"))],
        widget=UnfoldAdminSelectWidget,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("They read"), choices=settings.LANGUAGES, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, session: Session, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session = session
        city = timezones.city_name(session.time_zone)
        words = _("Only with a time of your choice, on the clock of %(city)s.")
        self.fields["at"].help_text = words % {"city": city}

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("moment") == OWN and "at" not in self.errors:
            self._resolve()
        return self.cleaned_data

    def _resolve(self) -> None:
        local = self.cleaned_data.get("at")
        if local is None:
            self.add_error("at", _("Enter when they register."))
            return
        if not FIRST_YEAR <= local.year <= LAST_YEAR:
            # The calendar may end there before their clock gets so far.
            self.add_error("at", _("This date is too far away."))
            return
        try:
            self.cleaned_data["instant"] = _instant(local, self.session)
        except timezones.NonexistentTimeError:
            self.add_error("at", _("Clocks there go forward over this time, so it does not exist."))

    def registered_at(self, now: datetime) -> datetime:
        """The instant that was chosen."""
        session, chosen = self.session, self.cleaned_data["moment"]
        if chosen == OWN:
            own: datetime = self.cleaned_data["instant"]
            return own
        return {
            NOW: now,
            WEEK_BEFORE: session.starts_at - timedelta(days=7),
            MORNING: _morning(session),
            HALF_HOUR: session.starts_at - timedelta(minutes=30),
            DURING: session.starts_at + timedelta(minutes=10),
        }[chosen]


def _instant(local: datetime, session: Session) -> datetime:
    """Of a time that comes twice, the first. Raises NonexistentTimeError."""
    return timezones.resolve(local.date(), local.time(), session.time_zone, second_occurrence=False)


def _morning(session: Session) -> datetime:
    """09:00 of its day there, or the first minute after where clocks go forward over that."""
    try:
        return _instant(datetime.combine(session.local_date, MORNING_AT), session)
    except timezones.NonexistentTimeError as error:
        return error.after.astimezone(UTC)


@dataclass(frozen=True)
class Line:
    """A step as the page shows it: when in the chosen zone, and when by the session's clock where that is another."""

    step: Step
    moment: str
    planned_moment: str
    fate: str
    fate_words: str


class SimulatesMails:
    """For the admin of sessions: whoever may look at one may see its plan."""

    @action(
        description=gettext_lazy("Try out its mails"),
        url_path="mail-plan",
        icon="schedule_send",
        permissions=["plan_of_mails"],
    )
    def plan_of_mails(self, request: HttpRequest, object_id: str) -> HttpResponse:
        session: Session | None = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if session is None:
            raise Http404
        now = timezone.now()
        form = SimulatorForm(session, {**_beginning(session, now), **request.GET.dict()})
        is_valid = form.is_valid()
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("Plan of mails"),
            "object": session,
            "session": session,
            "session_moment": session_moment(session),
            "form": form,
            "waits_first": simulator.waits_first(session),
            "lines": _lines(request, form, now) if is_valid else [],
            "webinar_page": reverse("admin:events_webinar_change", args=[session.webinar_id]),
            "back": reverse("admin:events_session_change", args=[session.pk]),
        }
        status = 200 if is_valid else 422
        return TemplateResponse(request, "admin/registrations/plan_of_mails.html", context, status=status)

    def has_plan_of_mails_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        session = self.get_object(request, object_id) if object_id else None  # type: ignore[attr-defined]
        return session is not None and self.has_view_permission(request, session)  # type: ignore[attr-defined]


def _beginning(session: Session, now: datetime) -> dict[str, str]:
    """What the page shows to whoever has chosen nothing yet."""
    return {
        "time_zone": timezones.canonical_name(session.time_zone),
        "moment": WEEK_BEFORE if session.has_ended(now) else NOW,
        "came": "yes",
        "language": settings.LANGUAGE_CODE,
    }


def _lines(request: HttpRequest, form: SimulatorForm, now: datetime) -> list[Line]:
    chosen, session = form.cleaned_data, form.session
    person = Simulated(
        registered_at=form.registered_at(now),
        time_zone=chosen["time_zone"],
        language=chosen["language"],
        came=chosen["came"] == "yes",
        name=_("Somebody"),
        email=actor(request).email,
    )
    is_elsewhere = timezones.canonical_name(session.time_zone) != timezones.canonical_name(person.time_zone)
    return [
        Line(
            step,
            moment=moment(step.at, person.time_zone),
            planned_moment=moment(step.at, session.time_zone) if is_elsewhere else "",
            fate=step.fate.value,
            fate_words=str(_FATES[step.fate]),
        )
        for step in simulator.simulate(session, person)
    ]
